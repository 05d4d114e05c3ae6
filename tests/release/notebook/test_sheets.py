"""A check that a notebook asks for and its sheet has not is refused by `build`."""

import pytest
from release_fixtures import code, exercise, make_course

from dlcourse.checks import sheets as library
from dlcourse.release.build import build
from dlcourse.release.course.tables import CourseError

ROOM = 'from dlcourse.checks.core import sheet\n\ncheck = sheet("first_network")'
WHERE = "Day01-Start/Day01_solutions.ipynb: cell "


def complaint(tmp_path, *cells):
    with pytest.raises(CourseError) as caught:
        build(make_course(tmp_path, *cells))
    return str(caught.value).removeprefix(WHERE)


def names(room):
    return [check.name for _, check in library.gather(room)]


def test_checks_of_the_sheet_pass(tmp_path):
    name = names("first_network")[0]
    cells = exercise("1.1", name)
    assert build(make_course(tmp_path, code(ROOM), *cells, code("check.progress()")))


def test_a_check_of_another_room(tmp_path):
    name = next(name for name in names("wgan") if name not in names("first_network"))
    said = complaint(tmp_path, code(ROOM), *exercise("1.1", name))
    assert said.startswith(
        f"6 (cell-5): `check.{name}` does not exist in dlcourse/checks/first_network: "
    )


def test_a_check_with_a_slip(tmp_path):
    name = names("first_network")[0]
    said = complaint(tmp_path, code(ROOM), *exercise("1.1", f"{name}s"))
    assert said.startswith(f"6 (cell-5): `check.{name}s` does not exist in dlcourse/checks/first_")
    assert said.endswith(f": did you mean `check.{name}`?")


@pytest.mark.parametrize(
    "call, said",
    [
        (
            'sheet("first_netwrk")',
            "no room 'first_netwrk' in dlcourse/checks: did you mean 'first_",
        ),
        ('sheet("poetry")', "no room 'poetry' in dlcourse/checks: the rooms are "),
    ],
)
def test_a_room_that_does_not_exist(tmp_path, call, said):
    assert complaint(tmp_path, code(f"check = {call}")).startswith(f"3 (cell-2): {said}")


def test_a_sheet_without_rooms(tmp_path):
    said = complaint(tmp_path, code("check = sheet()"), *exercise("1.1", "f"))
    assert said.startswith('6 (cell-5): `sheet()` names no room: write such as `check = sheet("')


def test_two_checks_of_one_name(tmp_path, monkeypatch):
    one = next(check for _, check in library.gather("first_network"))
    other = type("Other", (), {"name": one.name})()
    monkeypatch.setattr(library, "gather", lambda room: [("a", one), ("b", other)])
    said = complaint(tmp_path, code(ROOM))
    assert said.startswith("3 (cell-2): b has a second check named") and "rename" in said
