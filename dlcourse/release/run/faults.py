"""What an executed notebook shows: faults of a run that ended well,
and where and how a cell failed."""

import re


def name_cell(notebook, index):
    """How messages name a cell: its number counted from 1, and its id."""
    return f"cell {index + 1} ({notebook.cells[index].get('id', 'no id')})"


def find_fault(notebook, student):
    """Index and fault of the first cell of a run that ended well and yet fails: it wrote to stderr,
    shows an error, or its check took a blank for an answer. None where there is no such cell."""
    for index, cell in enumerate(notebook.cells):
        fault = _fault(cell, student) if cell.cell_type == "code" else ""
        if fault:
            return index, fault
    return None


def _fault(cell, student):
    for output in cell.outputs:
        if output.output_type == "error":
            return (
                f"shows an error, {output.ename}: catch it and print it, outputs must be free of "
                "tracebacks"
            )
        if output.get("name") == "stderr":
            line = next(
                (line for line in plain(output.text).splitlines() if line.strip()), ""
            ).strip()
            line = re.sub(r"^\S*ipykernel_\S+\.py:(\d+): ", r"line \1: ", line)
            cure = "mend the cause (nbgrader gives no points to such a cell)"
            return f"wrote to stderr: {shorten(line)}: {cure}"
    if student and cell.metadata.get("nbgrader", {}).get("grade_id", "").endswith("-check"):
        printed = "".join(output.text for output in cell.outputs if output.get("name") == "stdout")
        if not re.search(r"^○ .*not attempted", printed, re.MULTILINE):
            return (
                "the check did not report a blank as not attempted: see that the exercise above it "
                "is a blank"
            )
    return ""


def describe(notebook, index):
    """The failing cell's source, its traceback, and the last lines that the notebook printed."""
    cell = notebook.cells[index]
    parts = [("source", cell.source)]
    for output in cell.outputs:
        if output.output_type == "error":
            parts.append(("traceback", "\n".join(output.traceback)))
        elif output.get("name") == "stderr":
            parts.append(("stderr", output.text))
    printed = [
        o.text
        for one in code_cells(notebook.cells[: index + 1])
        for o in one.outputs
        if o.get("name") == "stdout"
    ]
    if printed:
        parts.append(("last output", "\n".join(printed[-1].splitlines()[-15:])))
    parts = [(title, shorten(plain(text).rstrip(), 10_000)) for title, text in parts]
    return shorten("\n".join(f"--- {title}\n{text}" for title, text in parts), 30_000)


def code_cells(cells):
    return [cell for cell in cells if cell.cell_type == "code"]


def plain(text):
    """Text without the colours of a terminal, and without anything else that it would obey."""
    text = re.sub(r"\x1b(\[[0-9;?]*[A-Za-z]|\][^\x07\x1b]*)", "", text)
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", "", text)


def shorten(text, most=500):
    """Text of at most `most` characters, with its beginning, its end and how much is left out."""
    if len(text) <= most:
        return text
    return f"{text[: most // 2]} [{len(text) - most:,} characters] {text[-(most // 2) :]}"


def last_lines(path, count=15):
    """The last lines of a kernel's log, or where it crashed; however large the log is."""
    with open(path, "rb") as file:
        file.seek(0, 2)
        file.seek(max(0, file.tell() - 100_000))
        text = plain(file.read().decode(errors="replace"))
    crash = text.rfind("Fatal Python error")
    lines = text.splitlines()[-count:] if crash < 0 else text[crash:].splitlines()[:count]
    return "\n".join(lines)
