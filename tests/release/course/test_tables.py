"""What may stand in any key: text of one line, numbers within reason."""

import pytest
from release_fixtures import COURSE, complaint, make_course

from dlcourse.release.course import reading
from dlcourse.release.course.tables import CourseError

HUGE = ["99999999999999999999", "-1", "1" + "0" * 4000, "0x" + "f" * 5000]
NUMBERS = [
    ("number = 3", "day 1", "number"),
    ("solutions_days_later = 1", "[course]", "solutions_days_later"),
    ("reading = 90", "minutes", "reading"),
    ("number = 1, event", "coursework", "number"),
]


@pytest.mark.parametrize("number", HUGE, ids=["e20", "negative", "e4000", "hexadecimal"])
@pytest.mark.parametrize(("old", "place", "key"), NUMBERS)
def test_a_number_is_within_reason(tmp_path, old, place, key, number):
    new = old.replace(old.split(" = ")[1].split(",")[0], number)
    said = complaint(tmp_path, old, new)
    assert f"key '{key}' is " in said and ": give a number from " in said


@pytest.mark.parametrize(
    "text", ["1" + "0" * 5000, "[" * 100_000, "{a = " * 50_000], ids=["digits", "lists", "tables"]
)
def test_what_no_reader_of_toml_can_read(tmp_path, text):
    said = complaint(tmp_path, "number = 3", f"number = {text}")
    assert "too much for a reader of TOML: look for a number" in said or "not valid TOML" in said


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (r"Two\nlines", "a line break or a sign that cannot be seen"),
        (r"A\u202Eb", "a line break or a sign that cannot be seen"),
        (r"A\u0000b", "a line break or a sign that cannot be seen"),
        ("a | b", "holds `|`"),
        ("<!-- end of schedule -->", "holds `<!--`"),
    ],
)
@pytest.mark.parametrize("title", ["Small course", "Start", "First exercises", "Notes", "Bo"])
def test_text_is_one_line_that_a_table_can_hold(tmp_path, title, text, fault):
    if title == "Bo" and "|" in text:
        assert make_course(tmp_path, toml=COURSE.replace(title, text))  # a list, not in a table
    else:
        assert fault in complaint(tmp_path, f'"{title}"', f'"{text}"')


def test_a_place_named_after_a_broken_name_is_one_line(tmp_path):
    said = complaint(tmp_path, '"Day01_lecture.ipynb"', r'"a\nb.ipynb"')
    assert r"day 1, morning, a\nb.ipynb: key 'student' holds a line break" in said
    said = complaint(tmp_path, "number = 1\n", "")
    assert "day in place 1: key 'number' is missing" in said


def test_a_long_value_is_shown_in_part(tmp_path):
    said = complaint(tmp_path, '"12:00"', f'"{"12" * 5000}"')
    assert "must be a time" in said and " … 12" in said and len(said) < 150


def test_a_byte_order_mark_and_line_ends_of_windows_change_nothing(tmp_path):
    course = make_course(tmp_path)
    text = COURSE.replace("\n", "\r\n").encode()
    for content in (b"\xef\xbb\xbf" + text, b"\xef\xbb\xbf" + COURSE.encode(), text):
        (tmp_path / "course.toml").write_bytes(content)
        assert reading.load(tmp_path) == course


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'[course]\ntitle = "Caf\xe9"\n', "line 2: not UTF-8 text: save it with that encoding"),
        (
            b"[course]\n<<<<<<< HEAD\na = 1\n=======\na = 2\n>>>>>>> other\n",
            "merge-conflict markers in lines 2, 4 and 6: keep one side with `git checkout --ours",
        ),
    ],
)
def test_what_is_no_text_or_two_texts(tmp_path, content, said):
    make_course(tmp_path)
    (tmp_path / "course.toml").write_bytes(content)
    with pytest.raises(CourseError) as caught:
        reading.load(tmp_path)
    assert str(caught.value).startswith(f"course.toml: {said}")


HOSTILE = [
    "-1",
    "9" * 30,
    "0x" + "f" * 5000,
    "1.5",
    "nan",
    "true",
    '""',
    r'"a\nb"',
    '"../a"',
    '"99:99"',
    "9999-12-31",
    "0001-01-01",
    "2023-11-30T10:00:00Z",
    "10:00:00",
    "[]",
    "[[]]",
    "{}",
    "{ a = 1 }",
]
LINES = [number for number, line in enumerate(COURSE.split("\n")) if " = " in line]


@pytest.mark.parametrize("number", LINES, ids=lambda number: COURSE.split("\n")[number][:20])
def test_whatever_stands_in_a_line_there_is_a_course_or_one_line_about_it(tmp_path, number):
    make_course(tmp_path)
    refused = 0
    for value in HOSTILE:
        lines = COURSE.split("\n")
        lines[number] = f"{lines[number].split(' = ')[0]} = {value}"
        (tmp_path / "course.toml").write_text("\n".join(lines), encoding="utf-8")
        try:
            reading.load(tmp_path)
        except CourseError as error:
            refused += 1
            said = str(error)
            assert said.startswith("course.toml: ") and said.isprintable() and len(said) < 400
    assert refused >= len(HOSTILE) // 2
