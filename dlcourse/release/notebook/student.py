"""The students' version of a solutions notebook, made by nbgrader's own
preprocessors within this process."""

import functools
import logging

import nbformat

from dlcourse.release.course.tables import CourseError
from dlcourse.release.notebook import generated, minutes, regions
from dlcourse.release.notebook.source import HEADER_ID

TEXT_STUB = "*Your answer here.*"


def generate(nb, notebook, course, as_of=None):
    """The student notebook for the normalised solutions notebook `nb`. Raises CourseError."""
    student = nbformat.reads(convert(nb, notebook.solutions_path), as_version=4)
    for cell in student.cells:
        cell.metadata.pop("execution", None)
        cell.pop("attachments", None)
        if cell.id == HEADER_ID:
            cell.source = generated.header_source(
                notebook, course, notebook.student_path, minutes.total(nb, notebook), as_of
            )
    student.metadata.pop("widgets", None)
    student.metadata.pop("dlcourse", None)
    return student


def convert(nb, path):
    """What `nbgrader generate_assignment` writes for `nb`, as text."""
    try:
        # from_notebook_node works on a copy
        text, _ = _exporter().from_notebook_node(nb)
    # nbgrader and jsonschema raise many kinds, and a plain RuntimeError for most
    except Exception as error:
        message = " ".join(str(error).split()) or type(error).__name__
        raise CourseError(
            f"{path}: nbgrader refuses it ({message}): correct the solutions notebook"
        ) from error
    return text


@functools.cache
def _exporter():
    """nbconvert's exporter with the steps of GenerateAssignment, without
    the one that fills a gradebook."""
    # Late: these imports take seconds.
    from nbconvert.exporters import NotebookExporter
    from nbgrader import preprocessors as steps
    from traitlets.config import Config

    # What they would log they also raise, and convert() passes it on.
    logging.getLogger("traitlets").addHandler(logging.NullHandler())
    config = Config()
    config.Exporter.default_preprocessors = []
    config.ClearSolutions.code_stub = {"python": regions.STUB}
    config.ClearSolutions.text_stub = TEXT_STUB
    config.ClearSolutions.enforce_metadata = True
    exporter = NotebookExporter(config=config)
    for step in (
        steps.LockCells,
        steps.ClearSolutions,
        steps.ClearOutput,
        steps.CheckCellMetadata,
        steps.ComputeChecksums,
        steps.ClearHiddenTests,
        steps.ClearMarkScheme,
        steps.ComputeChecksums,
        steps.CheckCellMetadata,
    ):
        exporter.register_preprocessor(step, enabled=True)
    return exporter
