"""Links that lead out of what is published become their text, all other text stays."""

import pytest
from publishing import COLAB, LECTURE, NEXT, make_course

from dlcourse.release.notebook.generated import BADGE
from dlcourse.release.students.links import plain_links


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return make_course(tmp_path_factory.mktemp("course"))


def test_plain_links_leave_other_text_alone(course):
    text = (
        f"[![Open]({BADGE})]({COLAB}/{NEXT}) [a](#b) [c](mailto:d) ![e](f.png) [g][h] $x[0](y)$ "
        "[there](Day01.ipynb)"
    )
    assert plain_links(course, LECTURE, text, {NEXT}) == text
    assert plain_links(course, LECTURE, text, set()) == text.replace(f"]({COLAB}/{NEXT})", "")[1:]
