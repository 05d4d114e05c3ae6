"""What CONTRIBUTING.md promises to list completely: the library's map, its
switches, the notation of every day."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
MAP = TEXT.split("### A map of what students import")[1].split("\nSwitches")[0]


def test_every_module_that_students_import_is_on_the_map():
    library = ROOT / "dlcourse"
    files = [
        *library.glob("*.py"),
        *(f for part in ("data", "models", "methods") for f in (library / part).glob("*.py")),
    ]
    names = [
        ".".join(f.relative_to(library).with_suffix("").parts)
        for f in files
        if f.name not in ("__init__.py", "__main__.py")
    ]
    names.append("plot")  # a folder that is imported as one module
    assert [name for name in names if f"`{name}`" not in MAP] == []


def test_every_name_on_the_map_exists():
    code = "\n".join(f.read_text(encoding="utf-8") for f in (ROOT / "dlcourse").rglob("*.py"))
    names = [name for name in re.findall(r"`([A-Za-z_0-9]+)`", MAP)]
    assert len(names) > 100
    defined = set(re.findall(r"\b(?:def|class) (\w+)", code))
    places = [ROOT / "dlcourse" / name for name in names if name not in defined]
    gone = [place for place in places if not (place.is_dir() or place.with_suffix(".py").is_file())]
    assert [place.name for place in gone] == []


def test_every_switch_is_listed():
    code = "\n".join(f.read_text(encoding="utf-8") for f in (ROOT / "dlcourse").rglob("*.py"))
    switches = set(re.findall(r"\bDLCOURSE_[A-Z]+\b", code))
    assert {switch for switch in switches if f"`{switch}" not in TEXT} == set()


def test_notation_covers_every_teaching_day():
    notation = TEXT.split("## Notation")[1].split("\n## ")[0]
    days = {int(number) for number in re.findall(r"Day (\d\d)", notation)}
    assert days >= {1, 2, 4, 5, 6, 7, 10, 11, 12}
