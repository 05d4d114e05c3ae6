"""The course as students may see it at a moment: every path with its bytes, links into the
future inactive."""

from pathlib import Path

import nbformat

from dlcourse.release.build import notebook_outputs
from dlcourse.release.course import ownership
from dlcourse.release.course.records import released
from dlcourse.release.course.tables import CourseError
from dlcourse.release.notebook import generated, minutes
from dlcourse.release.notebook.source import HEADER_ID, clear_outputs, to_bytes
from dlcourse.release.students import project
from dlcourse.release.students.links import plain_links
from dlcourse.release.verify.links import IMAGE, resolve
from dlcourse.release.verify.student import check_form


def collect(course, as_of):
    """The tree: a dict path → bytes; writes nothing.

    as_of: a date, which means its first minute, or a datetime.

    Raises CourseError where a notebook is not fit to be seen, or a session that is released lacks
    a file.
    """
    _refuse_slips(course, as_of)
    notebooks = _notebooks(course, as_of)
    tree = project.fixed(course) | _pdfs(course, as_of)
    pages = project.pages(course, as_of)
    shown = {path: [text] for path, text in pages.items()}
    shown |= {path: _texts(nb) for path, nb in notebooks.items()}
    for path, texts in shown.items():
        for picture in _pictures(course, path, texts):
            tree[picture] = (course.root / picture).read_bytes()
    there = {*tree, *shown, ""}
    there |= {parent.as_posix() for path in there for parent in Path(path).parents}
    for path, text in pages.items():
        tree[path] = plain_links(course, path, text, there).encode()
    for path, nb in notebooks.items():
        for cell in nb.cells:
            if cell.cell_type == "markdown":
                text = cell.source
                if project.NOTATION in pages:
                    text = project.to_notation(course, text)
                cell.source = plain_links(course, path, text, there)
        tree[path] = to_bytes(nb)
    return tree


def _refuse_slips(course, as_of):
    """What is released is there, unless course.toml says `planned = true`; what is there is
    somebody's, or students would never get it."""
    for session in course.sessions():
        for line in ownership.missing(course, session) if released(session, as_of) else ():
            raise CourseError(line)
    for line in ownership.unowned(course):
        raise CourseError(line)


def _pdfs(course, as_of):
    """Released PDFs, path → bytes."""
    found = {}
    for session in course.sessions():
        for pdf in session.pdfs if released(session, as_of) else ():
            if (course.root / pdf.path).is_file():
                found[pdf.path] = (course.root / pdf.path).read_bytes()
            elif not session.planned:
                raise CourseError(f"{pdf.path}: not made yet: run `dlcourse build`, which makes it")
    return found


def _notebooks(course, as_of):
    """Released notebooks, path → NotebookNode, made anew from their
    sources, which searches them for answers."""
    found = {}
    for notebook in course.notebooks():
        # a planned one may be missing
        if not released(notebook, as_of) or not (course.root / notebook.source).is_file():
            continue
        made = notebook_outputs(course, notebook)
        made = {
            path: nbformat.reads(content.decode(), as_version=4) for path, content in made.items()
        }
        for path, nb in made.items():
            header = next(cell for cell in nb.cells if cell.id == HEADER_ID)
            took = minutes.total(nb, notebook)
            header.source = generated.header_source(notebook, course, path, took, as_of)
        if notebook.solutions:
            # leaks stopped `notebook_outputs` already
            for line in check_form(notebook.student_path, made[notebook.student_path]):
                raise CourseError(line)
            if not released(notebook, as_of, solutions=True):
                del made[notebook.source]
        else:
            # a lecture's saved results would answer its predictions
            clear_outputs(made[notebook.student_path])
        found |= made
    return found


def _texts(nb):
    return [cell.source for cell in nb.cells if cell.cell_type == "markdown"]


def _pictures(course, path, texts):
    """The course's own picture files that the texts show."""
    for text in texts:
        for match in IMAGE.finditer(text):
            file = None if ":" in match[2] else resolve(path, match[2])
            if file and (course.root / file).is_file():
                yield file
