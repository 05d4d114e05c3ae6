"""The two lines of CITATION.cff that follow from course.toml: where the course is,
and since when. Authors stay."""

import re

from dlcourse.release import files
from dlcourse.release.course.tables import CourseError

FILE = "CITATION.cff"


def render(course):
    """The text of CITATION.cff with the repository's address and the first day
    written anew, or None without a file.

    Raises CourseError where one of the two lines is missing.
    """
    if not (course.root / FILE).is_file():
        return None
    text = files.read_text(course.root, FILE)
    lines = {
        "repository-code": f"https://github.com/{course.repository}",
        "date-released": course.days[0].date,
    }
    for key, value in lines.items():
        text, found = re.subn(
            rf"^{key}:.*$", lambda _, line=f"{key}: {value}": line, text, flags=re.MULTILINE
        )
        if found != 1:
            raise CourseError(
                f"{FILE}: wants one line that begins with `{key}:`, has {found}: write it, with "
                "any value"
            )
    return text
