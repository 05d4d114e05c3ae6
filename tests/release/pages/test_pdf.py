"""PDFs are compared byte by byte, so everybody sets them with the same version of Typst."""

import re
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_typst_is_the_version_that_pyproject_pins():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    [pin] = re.findall(r'^    "typst(.*?)"', text, re.MULTILINE)
    cure = "pip install -e '.[instructor]'; after a new pin: make build, and commit the PDFs"
    assert pin == f"=={metadata.version('typst')}", cure
