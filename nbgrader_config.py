"""What `nbgrader` reads when it is started in this folder: see "Marking with nbgrader" in
CONTRIBUTING.md."""

from pathlib import Path

from dlcourse.release.notebook.regions import STUB
from dlcourse.release.notebook.student import TEXT_STUB

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "course"
c.CourseDirectory.root = str(Path(__file__).parent / "marking")  # ignored by git
c.ClearSolutions.code_stub = {"python": STUB}
c.ClearSolutions.text_stub = TEXT_STUB
c.ExecutePreprocessor.timeout = 300  # seconds a cell; nbgrader's own 30 are too few
