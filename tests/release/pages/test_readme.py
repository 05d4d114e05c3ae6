"""What is generated besides notebooks: the README's blocks and the PDFs."""

import datetime

import pytest
from release_fixtures import README, make_course

from dlcourse.release.build import build
from dlcourse.release.course.tables import CourseError
from dlcourse.release.pages import pdf, readme

PDF = "Day01-Start/Day01_notes.pdf"


def test_schedule(tmp_path):
    course = make_course(tmp_path)
    build(course)
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    rows = [
        line.strip("| ").split(" | ") for line in text.split("\n") if line.startswith("| Day ")
    ][1:]
    assert [row[:3] for row in rows] == [
        ["Day 1", "Thu 30 Nov 2023", "09:00–12:00"],
        ["Day 1", "Thu 30 Nov 2023", "14:00–17:00"],
        ["Day 2", "Fri 1 Dec 2023", "09:00–12:00"],
        ["Day 2", "Fri 1 Dec 2023", "self-study"],
        ["Day 3", "Tue 5 Dec 2023", "09:00–12:00"],
        ["Day 3", "Tue 5 Dec 2023", "14:00–17:00"],
    ]
    assert "[First lecture](Day01-Start/Day01_lecture.ipynb) [![Open in Colab](" in rows[0][4]
    assert "svg)](https://colab.research.google.com/github/someone/small-course/" in rows[0][4]
    assert rows[1][5].startswith("[Solutions](Day01-Start/Day01_solutions.ipynb)")
    assert rows[0][4].endswith("<br>[Notes (PDF)](Day01-Start/Day01_notes.pdf)")
    assert rows[2][3:] == [
        "Later · codealong",
        "Still to be written (to come)",
        "Solutions (to come)",
    ]
    assert rows[5][3].startswith("Coursework 1 due")
    assert text.startswith("# Small course\n\nBy hand, before.") and text.endswith(
        "By hand, after.\n"
    )
    assert "http://" not in text and "old text" not in text
    assert "| Coursework 1 | Tue 5 Dec 2023, 09:00 | Tue 5 Dec 2023, 18:00 |" in text
    assert "[ada@example.org](mailto:ada@example.org)" in text and "Team: Bo, Cy." in text
    assert (
        "git clone https://github.com/someone/small-course.git\ncd small-course\nmake lab\n" in text
    )


def test_schedule_as_of_a_date(tmp_path):
    course = make_course(tmp_path)
    build(course)
    on_day = readme.render(README, course, as_of=datetime.date(2023, 11, 30))
    assert "(Day01-Start/Day01_exercises.ipynb)" in on_day and "Day01_solutions" not in on_day
    before = readme.render(README, course, as_of=datetime.date(2023, 11, 29))
    assert "Day01-Start" not in before and "| First exercises | Solutions |" in before


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("<!-- end of staff -->", "", "`<!-- end of staff -->` is missing: write it once"),
        ("<!-- generated: clone -->", "", "`<!-- generated: clone -->` is missing: write it once"),
        (
            "old text",
            "<!-- generated: assessments -->",
            "`<!-- generated: assessments -->` stands 2 times",
        ),
        (
            "By hand, after.",
            "<!-- generated: weather -->",
            "unknown block 'weather': the blocks are schedule",
        ),
        ("By hand, before.", "<!-- end of staff -->", "`<!-- end of staff -->` stands 2 times"),
        ("old text\n<!-- end of assessments -->", "", "`<!-- end of assessments -->` is missing"),
    ],
)
def test_readme_markers(tmp_path, old, new, expected):
    course = make_course(tmp_path)
    with pytest.raises(CourseError) as caught:
        readme.render(README.replace(old, new), course)
    assert str(caught.value).startswith("README.md: ") and expected in str(caught.value)


def test_readme_markers_in_the_wrong_order(tmp_path):
    course = make_course(tmp_path)
    swapped = README.replace("<!-- generated: staff -->", "X").replace(
        "<!-- end of staff -->", "<!-- generated: staff -->"
    )
    with pytest.raises(CourseError, match="`<!-- end of staff -->` stands before"):
        readme.render(swapped.replace("X", "<!-- end of staff -->"), course)
    crossed = README.replace("<!-- end of staff -->\n", "").replace(
        "By hand, after.", "<!-- end of staff -->"
    )
    with pytest.raises(CourseError, match="another block begins or ends within 'staff'"):
        readme.render(crossed, course)


def test_missing_readme(tmp_path):
    course = make_course(tmp_path)
    (tmp_path / "README.md").unlink()
    with pytest.raises(CourseError, match="^README.md: the file is missing"):
        build(course)


def test_pdf_is_the_same_each_time_and_names_typst_errors(tmp_path):
    course = make_course(tmp_path)
    one = course.pdfs()[0]
    content = pdf.build_pdf(course, one)
    assert content.startswith(b"%PDF") and content == pdf.build_pdf(course, one)
    typst = tmp_path / "Day01-Start" / "Day01_notes.typ"
    typst.write_text(typst.read_text() + "#nothing()\n")
    with pytest.raises(
        CourseError,
        match=r"^Day01-Start/Day01_notes.typ: line 4: Typst says: unknown variable: nothing",
    ):
        build(course)


def test_pdf_without_alt_text_fails(tmp_path):
    course = make_course(tmp_path)
    typst = tmp_path / "Day01-Start" / "Day01_notes.typ"
    typst.write_text(typst.read_text() + "$ x = 1 $\n")
    with pytest.raises(CourseError, match="Day01_notes.typ: .*alt"):
        build(course)


def test_pdf_without_typst_source_is_left_alone(tmp_path):
    course = make_course(tmp_path)
    (tmp_path / "Day01-Start" / "Day01_notes.typ").unlink()
    (tmp_path / PDF).write_bytes(b"%PDF-1.7")
    assert PDF not in build(course)
    assert f"[Notes (PDF)]({PDF})" in (tmp_path / "README.md").read_text(encoding="utf-8")
