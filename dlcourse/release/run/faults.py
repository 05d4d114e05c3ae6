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
            return (
                f"wrote to stderr: {line}: mend the cause (nbgrader gives no points to such a cell)"
            )
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
    return "\n".join(f"--- {title}\n{plain(text).rstrip()}" for title, text in parts)


def code_cells(cells):
    return [cell for cell in cells if cell.cell_type == "code"]


def plain(text):
    """Text without the colours of a terminal."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
