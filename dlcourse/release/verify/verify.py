"""`dlcourse verify`: whether what is committed is what it claims to be. Every
finding is a line with its cure."""

import nbformat

from dlcourse.release import files
from dlcourse.release.build import notebook_outputs
from dlcourse.release.claims.findings import check_claims
from dlcourse.release.course import ownership
from dlcourse.release.course.tables import CourseError
from dlcourse.release.notebook.exercises import headings
from dlcourse.release.notebook.source import fingerprint, read_repaired
from dlcourse.release.pages import pdf, readme
from dlcourse.release.run.faults import name_cell
from dlcourse.release.verify.code import check_library, run_codespell, run_ruff
from dlcourse.release.verify.edition import check_rules
from dlcourse.release.verify.layout import wide_lines
from dlcourse.release.verify.links import check_text, without_code
from dlcourse.release.verify.schedule import short_sections
from dlcourse.release.verify.student import check_student

SOURCE_MB, ALL_MB = 1.5, 25
TEXTS = ("README.md", "CONTRIBUTING.md")


def verify(course, names=(), sources=None):
    """Findings about the named days or notebooks, one line each; about the
    whole tree where none is named. sources: a dict that gets what was read, by its path."""
    findings, sources = [], {} if sources is None else sources
    notebooks = course.select(names)
    for notebook in notebooks:
        findings += _check_pair(course, notebook, sources)
    folders = {notebook.folder for notebook in notebooks}
    for one in course.pdfs():
        if one.folder in folders:
            findings += _check_pdf(course, one)
    findings += check_rules(course, sources, held=True)
    findings += check_claims(course, notebooks, sources)
    texts = [text for path, nb in sources.items() for text in _list_texts(path, nb)]
    if not names:
        findings += [*_check_readme(course), *_check_folders(course), *_check_total(course)]
        findings += check_library(course.root)
        for name in _texts(course):
            text = files.read_text(course.root, name)
            findings += [
                f"{name}: line {line}: {what}" for line, what in check_text(course, name, text)
            ]
            texts.append((name, "", without_code(text)))
    findings += run_ruff(course.root, sources, folders=() if names else ("dlcourse", "tests"))
    findings += run_codespell(course.root, texts)
    return list(dict.fromkeys(findings))


def waiting(course, sources):
    """What a day may have until it is edited for the second edition: findings, but no faults.
    sources: the notebooks that `verify` has read, by their paths."""
    return check_rules(course, sources, held=False)


def _texts(course):
    notes = [day.notes_path for day in course.days if day.notes_path]
    return [name for name in (*TEXTS, *notes) if (course.root / name).is_file()]


def _list_texts(path, nb):
    """(path, place, text) of every cell for the spelling; an index such
    as nd in a formula is no word."""
    for index, cell in enumerate(nb.cells):
        text = without_code(cell.source) if cell.cell_type == "markdown" else cell.source
        yield path, name_cell(nb, index), text


def _check_pair(course, notebook, sources):
    """Findings about one notebook and its student version; notes the
    source in `sources` by its path."""
    if not (course.root / notebook.source).is_file():
        if (course.root / notebook.student_path).is_file():
            yield (
                f"{notebook.source}: the solutions notebook is missing; write it, or restore it "
                "from git"
            )
        return
    wanted = {}
    try:
        wanted = notebook_outputs(course, notebook)
    except CourseError as error:
        yield str(error)
    source = None
    for path in dict.fromkeys((notebook.source, notebook.student_path)):
        # What is generated need not be restored.
        cure = None if path == notebook.source else "run `dlcourse build`, which writes it anew"
        try:
            nb, repaired = read_repaired(course.root / path, course.root, cure)
        except CourseError as error:
            missing = f"{path}: the student notebook is missing; run `dlcourse build`"
            yield str(error) if (course.root / path).exists() else missing
            continue
        if repaired:
            yield f"{path}: {', '.join(repaired)}; run `dlcourse build`, which repairs it"
        else:
            yield from _check_drift(course, path, nb, wanted.get(path))
        yield from _check_page(course, path, nb)
        if path == notebook.source:
            source = sources[path] = nb
            yield from _check_outputs(course, path, nb)
            yield from wide_lines(path, nb)
            yield from short_sections(path, nb)
        elif source:
            yield from check_student(path, nb, source)


def _check_drift(course, path, nb, wanted):
    """The file on disk against what a build would write: the first cell that differs."""
    if wanted is None or (course.root / path).read_bytes() == wanted:
        return
    built = nbformat.reads(wanted.decode(), as_version=4)
    place = "its layout as a file"
    for index, (cell, other) in enumerate(zip(nb.cells, built.cells, strict=False)):
        if cell != other:
            place = name_cell(nb, index)
            break
    else:
        if len(nb.cells) != len(built.cells):
            place = f"{len(nb.cells)} cells instead of {len(built.cells)}"
        elif nb.metadata != built.metadata:
            place = "its metadata"
    yield f"{path}: {place}: not what a build makes of the source; run `dlcourse build`"


def _check_page(course, path, nb):
    """What a reader sees: one title, pictures with alt text, links that lead somewhere."""
    titles = [
        index for index, cell in enumerate(nb.cells) for level, _ in headings(cell) if level == 1
    ]
    if not titles:
        yield f"{path}: no title; run `dlcourse build`, which writes the header cell"
    for index in titles[1:]:
        yield f"{path}: {name_cell(nb, index)}: a second title (# …); use ## for sections"
    for index, cell in enumerate(nb.cells):
        if cell.cell_type == "markdown":
            for _, complaint in check_text(course, path, cell.source):
                yield f"{path}: {name_cell(nb, index)}: {complaint}"


def _check_outputs(course, path, nb):
    """A source is committed with the outputs of a good run of the code that it holds."""
    saved = nb.metadata.get("dlcourse", {}).get("fingerprint")
    again = f"run `dlcourse run --save {path.rsplit('/', 1)[-1]}`"
    if saved is None:
        yield f"{path}: holds no saved run; {again}"
    elif saved != fingerprint(nb):
        yield f"{path}: its code has changed since its outputs were saved; {again}"
    for index, cell in enumerate(nb.cells):
        if cell.cell_type != "code":
            continue
        where = f"{path}: {name_cell(nb, index)}"
        if saved is not None and cell.source.strip() and cell.execution_count is None:
            yield f"{where}: was not executed in the saved run; {again}"
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"{where}: its output is an error, {output.ename}; mend the cell and {again}"
            elif output.get("name") == "stderr":
                yield f"{where}: its output holds stderr; mend the cause and {again}"
    size = (course.root / path).stat().st_size / 2**20
    if size > SOURCE_MB:
        yield (
            f"{path}: {size:.1f} MB; make its figures smaller or fewer, {SOURCE_MB} MB are the "
            "limit"
        )


def _check_pdf(course, one):
    try:
        wanted = pdf.build_pdf(course, one)
    except CourseError as error:
        yield str(error)
        return
    path = course.root / one.path
    if wanted is not None and not (path.is_file() and path.read_bytes() == wanted):
        yield f"{one.path}: not what a build makes of its Typst source; run `dlcourse build`"


def _check_readme(course):
    try:
        text = files.read_text(course.root, readme.FILE)
        wanted = readme.render(text, course)
    except CourseError as error:
        yield str(error)
        return
    if text != wanted:
        pairs = zip(text.split("\n"), wanted.split("\n"), strict=False)
        line = next(
            (number for number, (old, new) in enumerate(pairs, start=1) if old != new),
            text.count("\n") + 1,
        )
        yield f"{readme.FILE}: line {line}: a generated block is out of date; run `dlcourse build`"


def _check_folders(course):
    """Day folders hold what course.toml names, and nothing by accident."""
    yield from ownership.findings(course)
    known = {path for notebook in course.notebooks() for path in notebook.paths}
    known |= {one.path for one in course.pdfs()}
    known |= {one.path.removesuffix(".pdf") + ".typ" for one in course.pdfs()}
    known |= {day.notes_path for day in course.days}
    for day in course.days:
        folder = course.root / (day.folder or ".")
        for file in sorted(folder.iterdir()) if day.folder and folder.is_dir() else []:
            path = f"{day.folder}/{file.name}"
            if (
                not file.name.startswith(".")
                and path not in known
                and file.suffix not in ownership.KINDS
            ):
                yield f"{path}: not in course.toml; add it there, or move it elsewhere"


def _check_total(course):
    paths = [course.root / path for notebook in course.notebooks() for path in notebook.paths]
    total = sum(path.stat().st_size for path in paths if path.is_file()) / 2**20
    if total > ALL_MB:
        yield (
            f"all notebooks together: {total:.1f} MB; make figures smaller or fewer, {ALL_MB} MB "
            "are the limit"
        )
