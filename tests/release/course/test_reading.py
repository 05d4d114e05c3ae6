"""course.toml: dates, names to select by, links, and one clear line for every slip."""

import datetime

import pytest
from release_fixtures import complaint, make_course

from dlcourse.release.course import reading, records
from dlcourse.release.course.tables import CourseError


def test_days_fall_on_working_days(tmp_path):
    course = make_course(tmp_path)
    # day 2 is a Friday, Monday is a holiday, so day 3 is the Tuesday
    assert [day.date for day in course.days] == [
        datetime.date(2023, 11, 30),
        datetime.date(2023, 12, 1),
        datetime.date(2023, 12, 5),
    ]
    assert records.show_date(course.days[0].date) == "Thu 30 Nov 2023"


def test_sessions_have_their_own_hours(tmp_path):
    morning, afternoon = make_course(tmp_path).days[0].sessions
    assert (morning.start, morning.end, afternoon.start, afternoon.end) == (
        "09:00",
        "12:00",
        "14:00",
        "17:00",
    )


def test_paths_and_sources(tmp_path):
    lecture, exercises, later = make_course(tmp_path).notebooks()
    assert lecture.source == "Day01-Start/Day01_lecture.ipynb" and lecture.paths == (
        lecture.source,
    )
    assert exercises.source == "Day01-Start/Day01_solutions.ipynb"
    assert exercises.student_path == "Day01-Start/Day01_exercises.ipynb"
    assert later.minutes is None and later.objectives == ()


def test_load_finds_the_course_from_a_folder_below(tmp_path):
    make_course(tmp_path)
    assert reading.load(tmp_path / "Day01-Start").root == tmp_path.resolve()


def test_no_course_here(tmp_path):
    with pytest.raises(CourseError, match="no course.toml here or in a folder above: go into"):
        reading.load(tmp_path)


@pytest.mark.parametrize("name", ["Day01", "day1", "1", "01", "Day01-Start", "Day01-Start/"])
def test_select_a_day(tmp_path, name):
    assert [one.student for one in make_course(tmp_path).select([name])] == [
        "Day01_lecture.ipynb",
        "Day01_exercises.ipynb",
    ]


@pytest.mark.parametrize("name", ["Day01_solutions.ipynb", "Day01-Start/Day01_exercises.ipynb"])
def test_select_a_notebook_by_either_file(tmp_path, name):
    assert [one.student for one in make_course(tmp_path).select([name])] == [
        "Day01_exercises.ipynb"
    ]


def test_select_keeps_the_course_order_and_names_nothing_twice(tmp_path):
    course = make_course(tmp_path)
    assert course.select(["Day02", "Day01", "1"]) == course.notebooks() == course.select()


def test_select_unknown(tmp_path):
    course = make_course(tmp_path)
    with pytest.raises(CourseError, match="no day 9: the days are Day01, Day02, Day03"):
        course.select(["Day09"])
    with pytest.raises(
        CourseError,
        match="'Day01_exercise.ipynb' in course.toml: did you mean Day01_exercises.ipynb",
    ):
        course.select(["Day01_exercise.ipynb"])
    with pytest.raises(CourseError, match="'quantum' in course.toml: the days are Day01"):
        course.select(["quantum"])


def test_released(tmp_path):
    session = make_course(tmp_path).days[0].sessions[1]
    day = datetime.date(2023, 11, 30)
    assert records.released(session, day) and records.released(session.notebooks[0], day)
    assert not records.released(session, day - datetime.timedelta(days=1))
    # the small course gives solutions a day later
    assert not records.released(session, day, solutions=True)
    assert records.released(session.notebooks[0], day + datetime.timedelta(days=1), solutions=True)


def test_links_are_quoted(tmp_path):
    course = make_course(tmp_path)
    assert (
        records.github_url(course, "a b/ü.ipynb")
        == "https://github.com/someone/small-course/blob/main/a%20b/%C3%BC.ipynb"
    )
    start = "https://colab.research.google.com/github/someone/small-course/blob/main/"
    assert records.colab_url(course, "a/b.ipynb") == start + "a/b.ipynb"
    assert (
        records.archive_url(course)
        == "https://github.com/someone/small-course/archive/refs/heads/main.zip"
    )


OBJECTIVES = 'objectives = ["**write** it", "**check** it"]'
EXERCISES = "course.toml: day 1, afternoon, Day01_exercises.ipynb: "
SLIPS = {
    "missing key": ('title = "First exercises"\n', "", EXERCISES + "key 'title' is missing"),
    "missing course": (
        "[course]\n",
        "[year]\n",
        "course.toml: top level: key 'course' is missing: add a table [course]",
    ),
    "misspelt course": ("[course]\n", "[coarse]\n", "'coarse' is unknown: did you mean 'course'?"),
    "misspelt key": ("first_day", "frist_day", "'frist_day' is unknown: did you mean 'first_day'?"),
    "wrong type": (
        'title = "Start"',
        "title = 3",
        "course.toml: day 1: key 'title' must be text in quotes, not 3",
    ),
    "true is no number": (
        "{ cpu = 2,",
        "{ cpu = true,",
        "minutes: key 'cpu' must be a whole number, not True",
    ),
    "no minutes at all": (
        "{ cpu = 2,",
        "{ cpu = 0,",
        "minutes: key 'cpu' is 0: give a number from 1 to 1440",
    ),
    "date in quotes": (
        "2023-11-30",
        '"2023-11-30"',
        "[course]: key 'first_day' must be a date such as 2023-11-28",
    ),
    "weekend": ("2023-11-30", "2023-12-02", "'first_day' is Sat 2 Dec 2023, which is at a weekend"),
    "holiday": ("2023-11-30", "2023-12-04", "'first_day' is Mon 4 Dec 2023, which is a holiday"),
    "unknown key": (
        "taught = false",
        "is_taught = false",
        "key 'is_taught' is unknown: did you mean 'taught'?",
    ),
    "no TOML": ("gpu = true", "gpu = yes", "course.toml: not valid TOML: Invalid value (at line "),
    "time": (
        '"12:00"',
        '"12.00"',
        "[course]: key 'morning' must be a time such as \"09:00\", not '12.00'",
    ),
    "hours": (
        '"12:00"',
        '"08:00"',
        "[course]: key 'morning' ends at 08:00, before it starts at 09:00",
    ),
    "when": (
        'when = "afternoon"',
        'when = "evening"',
        "key 'when' must be \"morning\" or \"afternoon\", not 'evening'",
    ),
    "two mornings": (
        'when = "afternoon"',
        'when = "morning"',
        "day 1: sessions are ['morning', 'morning']: give one",
    ),
    "path": (
        '"Day01_lecture.ipynb"',
        '"a/b.ipynb"',
        "key 'student' must be the name of a .ipynb file without slashes",
    ),
    "ending": (
        '"Day01_notes.pdf"',
        '"notes.typ"',
        "day 1, morning, pdf 1: key 'file' must be the name of a .pdf file",
    ),
    "minutes of a PDF": (
        ", minutes = 30",
        "",
        "day 1, morning, pdf 1: key 'minutes' is missing: give those of the session that it takes",
    ),
    "twice": (
        '"Day01_exercises.ipynb"',
        '"Day01_lecture.ipynb"',
        "Day01-Start/Day01_lecture.ipynb is named twice",
    ),
    "order": ("number = 2", "number = 1", "day 1 comes after day 1: number the days upwards"),
    "repository": (
        "someone/small",
        "small",
        "key 'repository' must be owner/name as on GitHub, not 'small-course'",
    ),
    "objectives": (OBJECTIVES, "", EXERCISES + "key 'objectives' is missing: list what"),
    "minutes": (
        "minutes = { cpu = 2, gpu = 1, reading = 90 }",
        "",
        EXERCISES + "key 'minutes' is missing: write",
    ),
    "colab's own": (
        'sklearn = "scikit-learn"',
        'torch = "torch"',
        "package 'torch' must not be listed",
    ),
    "event": (
        'event = "due"',
        'event = "over"',
        "coursework: key 'event' must be \"released\" or \"due\", not 'over'",
    ),
    "folder": (
        'folder = "Day02-Later"\n',
        "",
        "day 2, morning, Day02_codealong.ipynb: give the day a key 'folder'",
    ),
    "nothing": (
        'text = "Reading"\n',
        "",
        "day 2, afternoon: nothing to show: give it a notebook, a pdf or a text",
    ),
    "entry": (
        '["Bo", "Cy"]',
        '["Bo", 3]',
        "[staff]: every entry of 'team' must be text in quotes, not 3",
    ),
    "email": (
        "ada@example.org",
        "ada",
        "[staff]: key 'email' must be an address such as name@example.org, not 'ada'",
    ),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_named_with_its_cure(tmp_path, slip):
    old, new, expected = SLIPS[slip]
    message = complaint(tmp_path, old, new)
    assert expected in message


def test_a_title_is_enough_for_a_notebook_to_come(tmp_path):
    course = make_course(tmp_path)
    (tmp_path / "Day02-Later").mkdir()
    (tmp_path / "Day02-Later" / "Day02_solutions.ipynb").write_text("{}")
    with pytest.raises(
        CourseError, match="day 2, morning, Day02_codealong.ipynb: key 'objectives' is missing"
    ):
        reading.load(course.root)
