"""Claims as they are written and found."""

import claimed
import pytest

from dlcourse.release.claims.registry import claim, collect, find_notebook
from dlcourse.release.course.tables import CourseError


def test_claims_are_found_in_the_order_of_their_files(course):
    found = collect(course.root)
    assert [one.name for one in found] == ["true", "false", "undecidable"]
    first = found[0]
    assert (first.file, first.trivial, first.seeds) == ("tests/claims/day01.py", "nothing", 8)
    assert find_notebook(course, first).source == "Day01-Start/Day01_solutions.ipynb"


def test_tests_in_the_same_folder_are_no_claims(course):
    (course.root / "tests/claims/test_more.py").write_text("1 / 0")
    assert len(collect(course.root)) == 3


def test_a_course_without_claims_has_none(tmp_path):
    assert collect(tmp_path) == []


@pytest.mark.parametrize(
    ("options", "told"),
    [({"better": "larger"}, 'say "lower" or "higher"'), ({"seeds": 3}, "needs at least 8")],
)
def test_what_cannot_be_meant_is_refused(options, told):
    with pytest.raises(ValueError, match=told):
        claim("Day01", "A beats B.", **options)


def test_a_claim_needs_a_sentence():
    with pytest.raises(ValueError, match="no sentence"):
        claim("Day01", " ")


def test_a_file_that_cannot_be_imported_is_named(course):
    claimed.store(course, claimed.CLAIMS.replace("import claim", "import clam"))
    with pytest.raises(CourseError, match=r"day01\.py: cannot be imported: ImportError"):
        collect(course.root)


def test_two_claims_of_one_name_are_refused(course):
    (course.root / "tests/claims/other.py").write_text(claimed.CLAIMS)
    with pytest.raises(CourseError, match="true is in tests/claims/day01.py too"):
        collect(course.root)


def test_a_claim_about_no_notebook_is_refused(course):
    claimed.store(course, claimed.CLAIMS.replace('"Day01"', '"Day01_solutions"'))
    with pytest.raises(CourseError, match="no notebook 'Day01_solutions': name it by its file"):
        find_notebook(course, collect(course.root)[0])
