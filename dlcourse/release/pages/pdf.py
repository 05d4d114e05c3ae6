"""PDFs from their Typst sources: the same bytes each time, and readable
by a screen reader (PDF/UA-1)."""

import re

from dlcourse.release import files
from dlcourse.release.course.tables import CourseError


def build_pdf(course, pdf):
    """The bytes of `pdf` (a records.Pdf), or None where no Typst file of the same stem lies beside
    it. Raises CourseError where it does not compile or holds a merge conflict."""
    source = (course.root / pdf.path).with_suffix(".typ")
    if not source.is_file():
        return None
    # Typst would set the markers of a merge conflict as text
    files.read_text(course.root, source.relative_to(course.root).as_posix())
    # Late: only whoever makes PDFs needs it.
    import typst

    try:
        # timestamp 0 and no fonts of this machine: everybody's PDF is the same
        return typst.compile(
            str(source),
            root=str(course.root),
            timestamp=0,
            ignore_system_fonts=True,
            pdf_standards="ua-1",
            format="pdf",
        )
    except (typst.TypstError, RuntimeError) as error:
        path = source.relative_to(course.root).as_posix()
        reason = " ".join(str(error).split())
        raise CourseError(
            f"{path}: {_place(error, source)}Typst says: {reason}: correct it there"
        ) from None


def _place(error, source):
    """As in "line 3: ", where the compiler says so, with the file's name where it
    is one that the source imports."""
    match = re.search(r"([^/\s]+\.typ):(\d+)", getattr(error, "diagnostic", ""))
    if not match:
        return ""
    return f"line {match[2]}: " if match[1] == source.name else f"{match[1]}, line {match[2]}: "
