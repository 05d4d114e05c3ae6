"""`dlcourse build`: everything that follows from the solutions notebooks,
course.toml and the Typst files."""

from dlcourse.release import files
from dlcourse.release.course import ownership
from dlcourse.release.course.tables import CourseError
from dlcourse.release.notebook import source, student
from dlcourse.release.pages import citation, pdf, readme
from dlcourse.release.verify.student import check_leaks


def outputs(course, names=(), notes=None):
    """What the selected days' files must hold: a dict path (relative to
    the root) → bytes. Writes nothing.

    names: as in Course.select; none means the whole course. README.md and
        CITATION.cff are always part of it. That course.toml names what is there is always
        checked for the whole course.
    notes: a list that gets a line about each notebook that had to be repaired.
    """
    wanted = {}
    notebooks = course.select(names)
    ownership.check(course)
    for notebook in notebooks:
        if (course.root / notebook.source).is_file():
            wanted |= notebook_outputs(course, notebook, notes)
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


def notebook_outputs(course, notebook, notes=None):
    """The same for one notebook: its source as it must be committed and, where it
    has one, its student version, in which no answer can be read."""
    nb, repaired = source.read_repaired(course.root / notebook.source, course.root)
    if repaired and notes is not None:
        notes.append(f"repaired {notebook.source}: {', '.join(repaired)}")
    nb = source.normalise(nb, notebook, course)
    wanted = {notebook.source: source.to_bytes(nb)}
    if notebook.solutions:
        blank = student.generate(nb, notebook, course)
        leak = next(check_leaks(notebook.student_path, blank, nb), None)
        if leak:
            raise CourseError(leak)
        wanted[notebook.student_path] = source.to_bytes(blank)
    return wanted


def build(course, names=()):
    """Writes what has changed and returns the list of those paths; a
    CourseError leaves every file as it was."""
    notes = []
    wanted = outputs(course, names, notes)
    changed = [
        path for path, content in wanted.items() if files.write_atomic(course.root / path, content)
    ]
    for line in notes:
        print(line)
    for path in changed:
        print(f"written: {path}")
    count = len(wanted) - len(changed)
    print(f"{count} {'file' if count == 1 else 'files'} up to date")
    return changed
