"""How wide and long code cells may be; long ones are a fault once their day has been edited."""

import release_fixtures as small
from nbformat.v4 import new_notebook

from dlcourse.release import cli
from dlcourse.release.course import reading
from dlcourse.release.verify import layout
from dlcourse.release.verify.verify import verify, waiting

LECTURE = "Day01-Start/Day01_lecture.ipynb"


def notebook(*sources):
    return new_notebook(cells=[small.code(s, id=f"c{i}") for i, s in enumerate(sources)])


def test_a_line_that_a_laptop_cuts_is_named_with_its_place():
    found = list(layout.wide_lines("a.ipynb", notebook("x = 1\n" + "y" * 97, "z" * 96)))
    assert found == ["a.ipynb: cell 1 (c0): line 2: 97 columns; break it, 96 are the limit"]


def test_a_long_cell_is_named_and_the_set_up_cell_is_not_ours_to_shorten():
    nb = notebook("\n".join(["pass"] * 21), "\n".join(["pass"] * 20))
    nb.cells.append(small.code("\n".join(["pass"] * 30), id="set-up"))
    found = list(layout.long_cells("a.ipynb", nb))
    assert found == ["a.ipynb: cell 1 (c0): 21 lines; split or simplify it, 20 are the limit"]


def opened(*cells):
    made = [small.markdown(c) if c.startswith("##") else small.code(c) for c in cells]
    for number, cell in enumerate(made):
        cell.id = f"c{number}"
    return list(layout.opening("a.ipynb", new_notebook(cells=made)))


def test_a_notebook_begins_with_its_question():
    asked = ["## Why?", "import torch", "## 1 · Because", "import matplotlib.pyplot as plt"]
    setup, imports = "# @title Set-up", "# @title Imports\nfrom dlcourse.pictures import gan"
    assert opened(setup, imports, *asked) == opened("# Set-up", imports, *asked) == []
    assert opened(setup, "import torch", *asked) == [
        "a.ipynb: cell 2 (c1): code before the question; move it below, or fold it: `# @title …`"
    ]


def test_imports_that_only_serve_pictures_and_checks_are_folded():
    seen = "import torch\nfrom dlcourse.report import table\nimport matplotlib.pyplot as plt"
    assert opened("## Why?", "%time 1", seen, "## 1 · Because", seen) == [
        "a.ipynb: cell 3 (c2): imports dlcourse.report, matplotlib.pyplot in sight; move that to a "
        "cell that begins with `# @title Imports for pictures and checks`"
    ]


def test_a_long_cell_waits_until_its_day_is_edited(tmp_path, capsys):
    root = small.make_course(tmp_path).root
    cells = [small.markdown("<!-- header -->"), small.code("# Set-up"), small.code("1\n" * 21)]
    small.write(root / LECTURE, small.notebook(*cells))
    toml = root / "course.toml"
    first, everything, one_day = reading.load(root), {}, {}
    assert [line for line in verify(first, (), everything) if "lines;" in line] == []
    verify(first, ["Day01"], one_day)
    listed = [list(waiting(first, sources)) for sources in (everything, one_day)]
    assert listed[0] == listed[1]
    assert len([line for line in listed[0] if "22 lines;" in line]) == 1
    toml.write_text(toml.read_text().replace("number = 1\n", "number = 1\nedition = 2\n", 1))
    second = reading.load(root)
    assert len([line for line in verify(second, (), everything) if "22 lines;" in line]) == 1
    assert list(waiting(second, everything)) == []
    toml.write_text(toml.read_text().replace("edition = 2", "edition = 3", 1))
    assert cli.main(["verify", "--root", str(root)]) == 1
    assert "key 'edition' is 3: give 1, or 2 once the day" in capsys.readouterr().err
