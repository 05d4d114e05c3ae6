"""Pictures that everybody can see, links that lead somewhere."""

import pytest
from release_fixtures import make_course

from dlcourse.release.build import build
from dlcourse.release.verify import links

LECTURE = "Day01-Start/Day01_lecture.ipynb"


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    course = make_course(tmp_path_factory.mktemp("course"))
    build(course)
    return course


OURS = "https://github.com/someone/small-course"
COLAB = "https://colab.research.google.com/github"
EXISTING = "main/Day01-Start/Day01_exercises.ipynb"


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("![](Day01_notes.pdf)", "picture `Day01_notes.pdf` has no alt text; say what it shows"),
        ('<img src="Day01_notes.pdf">', "picture `Day01_notes.pdf` has no alt text"),
        (
            "![a hill](https://example.org/a.png)",
            "picture `https://example.org/a.png` is fetched from elsewhere; draw",
        ),
        (
            "![a hill](hill.png)",
            "link to `hill.png`, which does not exist; correct it or write that file",
        ),
        (
            "[next](Day02.ipynb)",
            "link to `Day02.ipynb`, which does not exist; correct it or write that file",
        ),
        ("[out](../../x.txt)", "link to `../../x.txt`, which does not exist"),
        (
            "[root](/Day01)",
            "link to `/Day01`; give an https address or a path relative to this file",
        ),
        ("[x](http://example.org)", "`http://example.org` is not https; write https://"),
        ("see http://example.org.", "`http://example.org` is not https; write https://"),
        ("[x]\n\n[x]: missing.txt", "link to `missing.txt`, which does not exist"),
        (
            f"[x]({OURS}/blob/main/no.ipynb)",
            "link to `no.ipynb` on GitHub, which is not in this repository; correct",
        ),
        (
            f"[x]({COLAB}/someone/small-course/blob/main/no.ipynb)",
            "link to `no.ipynb` on GitHub, which is not in",
        ),
        (
            f"<{OURS}/blob/main/no.ipynb>",
            "link to `no.ipynb` on GitHub, which is not in this repository",
        ),
        (
            f"[x]({OURS}/blob/old/README.md)",
            "the course is in someone/small-course, branch main: correct it or run",
        ),
        (
            f"[x]({COLAB}/someone/last-year/blob/{EXISTING})",
            "link to `someone/last-year/main/Day01-Start/",
        ),
    ],
)
def test_pictures_and_links(course, text, complaint):
    found = list(links.check_text(course, LECTURE, f"Text.\n{text}"))
    assert any(complaint in one for _, one in found) and {line for line, _ in found} <= {2, 4}


@pytest.mark.parametrize(
    "text",
    [
        "[notes](Day01_notes.pdf#page=2), [up](../README.md), [day](.), [mail](mailto:a@b.org), "
        "[below](#why)",
        f"[x]({OURS}/blob/{EXISTING}) [y]({COLAB}/someone/small-course/blob/{EXISTING}#why) {OURS}",
        "[paper](https://arxiv.org/abs/1234.5678) "
        "[code](https://github.com/pytorch/pytorch/blob/main/setup.py)",
        '[wiki](https://en.wikipedia.org/wiki/Mean_(statistics) "The mean")',
        "`a[0](b)` and $p[x](y)$ and\n\n```python\nlist[0](http)\n# ![](no.png)\n```",
        "![A notebook](../README.md)",
    ],
)
def test_pictures_and_links_that_are_right(course, text):
    assert list(links.check_text(course, LECTURE, text)) == []


def test_own_addresses_are_resolved(course):
    assert links.own_file(course, f"{OURS}/blob/main/a%20b.ipynb?raw=1#x") == "a b.ipynb"
    assert links.own_file(course, "https://example.org") is None
    assert links.resolve("Day/x.ipynb", "../y%20z.md") == "y z.md"
    assert links.resolve("README.md", "../y.md") is None
