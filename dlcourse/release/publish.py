"""`dlcourse publish`: a copy of the course as students may see it on a date,
links into the future inactive."""

import os
import re
import tempfile
from pathlib import Path

import nbformat

from dlcourse.release import files
from dlcourse.release.build import notebook_outputs
from dlcourse.release.course.records import released, show_date
from dlcourse.release.course.tables import CourseError
from dlcourse.release.notebook import generated
from dlcourse.release.notebook.source import HEADER_ID, to_bytes
from dlcourse.release.pages import readme
from dlcourse.release.verify.links import IMAGE, TARGET, own_file, resolve
from dlcourse.release.verify.student import check_student

ALWAYS = ("course.toml", "pyproject.toml", "LICENSE", "CITATION.cff", "Makefile")
FENCE = re.compile(r"(^ {0,3}(?P<fence>```|~~~).*?^ {0,3}(?P=fence))", re.DOTALL | re.MULTILINE)
LINKED = re.compile(r"(?<!!)\[((?:[^\[\]]|!\[[^\]]*\]\([^)]*\))*)\]" + TARGET)
BARE = re.compile(
    r"<?(https://(?:colab\.research\.google\.com/github|github\.com)/[^\s<>()\"'\]]+)>?"
)
ANCHORED = re.compile(
    r"<a\b[^>]*href\s*=\s*[\"']([^\"']+)[\"'][^>]*>(.*?)</a>", re.DOTALL | re.IGNORECASE
)


def publish(course, as_of, to):
    """Writes what is released on the date `as_of` into the folder `to`;
    returns the sorted list of its files.

    Raises CourseError where `to` holds something or a notebook is not fit to
    be seen; then nothing is written.
    """
    to = Path(to)
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise CourseError(
            f"{to}: holds files: name a folder that is missing or empty; nothing was written"
        )
    tree = _collect(course, as_of)
    to.resolve().parent.mkdir(parents=True, exist_ok=True)
    # The temporary folder's own permissions are its owner's alone, so the tree goes into a folder
    # inside it.
    with tempfile.TemporaryDirectory(dir=to.resolve().parent, prefix=".dlcourse-") as folder:
        aside = Path(folder, "tree")
        for path, content in tree.items():
            files.write_atomic(aside / path, content)
        if to.exists():
            to.rmdir()
        os.replace(aside, to)
    print(f"{len(tree)} files as of {show_date(as_of)} in {to}")
    return sorted(tree)


def _collect(course, as_of):
    """The tree: a dict path → bytes."""
    notebooks = _notebooks(course, as_of)
    tree = {path: (course.root / path).read_bytes() for path in _copied(course, as_of)}
    text = readme.render(files.read_text(course.root, readme.FILE), course, as_of)
    pages = {readme.FILE: [text]} | {path: _texts(nb) for path, nb in notebooks.items()}
    for path, texts in pages.items():
        for picture in _pictures(course, path, texts):
            tree[picture] = (course.root / picture).read_bytes()
    there = {*tree, *pages, ""}
    there |= {parent.as_posix() for path in there for parent in Path(path).parents}
    tree[readme.FILE] = plain_links(course, readme.FILE, text, there).encode()
    for path, nb in notebooks.items():
        for cell in nb.cells:
            if cell.cell_type == "markdown":
                cell.source = plain_links(course, path, cell.source, there)
        tree[path] = to_bytes(nb)
    return tree


def _notebooks(course, as_of):
    """Released notebooks, path → NotebookNode, made anew from their
    sources and searched for answers."""
    found = {}
    for notebook in course.notebooks():
        if not released(notebook, as_of) or not any(
            (course.root / path).is_file() for path in notebook.paths
        ):
            continue
        made = notebook_outputs(course, notebook)
        made = {
            path: nbformat.reads(content.decode(), as_version=4) for path, content in made.items()
        }
        for path, nb in made.items():
            header = next(cell for cell in nb.cells if cell.id == HEADER_ID)
            header.source = generated.header_source(notebook, course, path, as_of)
        if notebook.solutions:
            leak = next(
                check_student(
                    notebook.student_path, made[notebook.student_path], made[notebook.source]
                ),
                None,
            )
            if leak:
                raise CourseError(leak)
            if not released(notebook, as_of, solutions=True):
                del made[notebook.source]
        found |= made
    return found


def _copied(course, as_of):
    """Files that are published as they are: what makes the course run, and the released PDFs."""
    package = course.root / "dlcourse"
    yield from (name for name in ALWAYS if (course.root / name).is_file())
    for file in sorted(package.rglob("*")):
        hidden = any(
            part.startswith(".") or part == "__pycache__"
            for part in file.relative_to(package).parts
        )
        if file.is_file() and not hidden:
            yield file.relative_to(course.root).as_posix()
    for pdf in course.pdfs():
        if released(pdf, as_of) and (course.root / pdf.path).is_file():
            yield pdf.path


def _texts(nb):
    return [cell.source for cell in nb.cells if cell.cell_type == "markdown"]


def _pictures(course, path, texts):
    """The course's own picture files that the texts show."""
    for text in texts:
        for match in IMAGE.finditer(text):
            file = None if ":" in match[2] else resolve(path, match[2])
            if file and (course.root / file).is_file():
                yield file


def plain_links(course, path, text, there):
    """Markdown in which a link to a file of the course that is not `there` (a set
    of paths) has become its text."""

    def is_hidden(target):
        if target.startswith("https://"):
            file = own_file(course, target)
        elif target.startswith("#") or re.match(r"\w+:", target):
            return False
        else:
            file = resolve(path, target)
            # A formula such as x[0](y) looks like a link, to a file that nobody has.
            if file is None or not (course.root / file).exists():
                return False
        return file is not None and file.rstrip("/") not in there

    def plain(piece):
        piece = LINKED.sub(lambda m: m[1] if is_hidden(m[2]) else m[0], piece)
        piece = ANCHORED.sub(lambda m: m[2] if is_hidden(m[1]) else m[0], piece)
        # an address written out is a link too
        return BARE.sub(lambda m: Path(m[1]).name if is_hidden(m[1]) else m[0], piece)

    pieces, done = [], 0
    for fence in FENCE.finditer(text):
        pieces += [plain(text[done : fence.start()]), fence[0]]
        done = fence.end()
    return "".join([*pieces, plain(text[done:])])
