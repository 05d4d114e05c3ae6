"""`dlcourse build`: everything that follows from the solutions notebooks,
course.toml and the Typst files."""

from dlcourse.release import files
from dlcourse.release.course.tables import CourseError
from dlcourse.release.notebook import source, student
from dlcourse.release.pages import citation, pdf, readme


def outputs(course, names=()):
    """What the selected days' files must hold: a dict path (relative to
    the root) → bytes. Writes nothing.

    names: as in Course.select; none means the whole course. README.md and
        CITATION.cff are always part of it.
    """
    wanted = {}
    notebooks = course.select(names)
    for notebook in notebooks:
        if (course.root / notebook.source).is_file():
            wanted |= notebook_outputs(course, notebook)
        elif (course.root / notebook.student_path).is_file():
            cure = f"write it, or restore it: {notebook.student} is made from it"
            raise CourseError(f"{notebook.source}: the solutions notebook is missing: {cure}")
    folders = {notebook.folder for notebook in notebooks}
    for one in course.pdfs():
        content = pdf.build_pdf(course, one) if one.folder in folders else None
        if content is not None:
            wanted[one.path] = content
    text = files.read_text(course.root, readme.FILE)
    wanted[readme.FILE] = readme.render(text, course, coming=wanted).encode()
    cited = citation.render(course)
    if cited is not None:
        wanted[citation.FILE] = cited.encode()
    return wanted


def notebook_outputs(course, notebook):
    """The same for one notebook: its source as it must be committed and, where it
    has one, its student version."""
    nb = source.read_notebook(course.root / notebook.source, course.root)
    nb = source.normalise(nb, notebook, course)
    wanted = {notebook.source: source.to_bytes(nb)}
    if notebook.solutions:
        wanted[notebook.student_path] = source.to_bytes(student.generate(nb, notebook, course))
    return wanted


def build(course, names=()):
    """Writes what has changed and returns the list of those paths; a
    CourseError leaves every file as it was."""
    wanted = outputs(course, names)
    changed = [
        path for path, content in wanted.items() if files.write_atomic(course.root / path, content)
    ]
    for path in changed:
        print(f"written: {path}")
    count = len(wanted) - len(changed)
    print(f"{count} {'file' if count == 1 else 'files'} up to date")
    return changed
