"""The page that shows a failed notebook as far as it came. It holds text and figures only, all of
it escaped: whatever a notebook shows, nothing of it runs in the reader's browser."""

import base64
import binascii
from html import escape
from pathlib import Path

from dlcourse.release.run.faults import plain, shorten

# The browser itself refuses what should slip through.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
HEAD = f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>TITLE</title>
<style>
body {{ max-width: 60rem; margin: 2rem auto; font-family: sans-serif }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere; margin: .3rem 0; padding: .5rem }}
.code {{ background: #f3f3f3 }} .stderr, .error, .problem {{ background: #fdd }}
img {{ max-width: 100% }}
</style></head><body>
"""
SHOWN = 20_000  # characters of a text; more of it nobody reads


def write_page(folder, result):
    """Writes a failed notebook (a runner.Result) as HTML into `folder`; returns the file's path."""
    parts = [HEAD.replace("TITLE", escape(result.path)), _text("problem", result.problem)]
    for number, cell in enumerate(result.notebook.cells, start=1):
        parts.append(f"<p>cell {number} ({escape(str(cell.get('id', 'no id')))})</p>")
        parts.append(_text(cell.cell_type, cell.source))
        parts.extend(_output(output) for output in cell.get("outputs", []))
    path = Path(folder) / f"{Path(result.path).stem}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*parts, "</body></html>\n"]), encoding="utf-8")
    return path


def _output(output):
    if output.output_type == "stream":
        return _text(output.name, output.text)
    if output.output_type == "error":
        return _text("error", "\n".join(output.traceback) or f"{output.ename}: {output.evalue}")
    for kind in ("image/png", "image/jpeg"):
        if kind in output.data:
            return _figure(kind, output.data[kind])
    kinds = ", ".join(output.data)
    return _text("data", output.data.get("text/plain", f"[not shown here: {kinds}]"))


def _text(kind, text):
    return f'<pre class="{escape(kind)}">{escape(shorten(plain(text), SHOWN))}</pre>'


def _figure(kind, content):
    try:
        content = base64.b64encode(base64.b64decode(content)).decode()
    except (binascii.Error, ValueError):
        return _text("data", f"[{kind} that cannot be read]")
    return f'<img alt="a figure" src="data:{kind};base64,{content}">'
