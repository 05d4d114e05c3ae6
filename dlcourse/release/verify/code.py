"""What `dlcourse verify` demands of code: who imports whom, short files
and functions, ruff, spelling."""

import ast
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from dlcourse.release.notebook.source import SETUP_ID

# Floor → what its files may import at once, and which floors of dlcourse they may use. Files import
# downwards only; what judges answers (checks) never sees what gives them (models, methods).
FLOORS = {
    "__init__": ((), ()),
    "device": (("torch", "numpy"), ("__init__",)),
    "data": (("torch", "numpy"), ("device",)),
    "checkpoint": (("torch",), ("device",)),
    "train": (("torch", "tqdm"), ("device",)),
    "schedule": (("torch",), ()),
    "metrics": (("torch", "numpy"), ("device",)),
    "report": (("torch", "numpy"), ()),
    "plot": (("torch", "numpy", "matplotlib"), ("report",)),
    "pictures": (("torch", "numpy", "matplotlib"), ("plot", "report")),
    # None: not even one another, so that a file can be pasted into a notebook
    "models": (("torch",), None),
    "methods": (("torch", "gymnasium"), ("device", "train", "metrics")),
    "checks": (("torch", "numpy"), ()),
}
INSTRUCTORS = ("release", "__main__")  # may import everything, and nothing imports them
IN_FUNCTIONS = (
    "torchvision",
    "sklearn",
    "scipy",
    "matplotlib",
    "gymnasium",
)  # slow to import: only when needed
FILE_LINES, FUNCTION_LINES = 250, 40


def check_library(root):
    """Findings about the files of root/dlcourse, as `path: line N: what; cure`."""
    for path in sorted((Path(root) / "dlcourse").rglob("*.py")):
        shown, text = path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")
        try:
            tree = ast.parse(text)
        except SyntaxError as error:
            yield f"{shown}: line {error.lineno}: {error.msg}; correct it"
            continue
        lines = len(text.splitlines())
        if lines > FILE_LINES:
            yield f"{shown}: {lines} lines; split it by concept, {FILE_LINES} are the limit"
        yield from _check_functions(shown, tree)
        yield from _check_imports(shown, tree)


def _check_functions(shown, tree):
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lines = node.end_lineno - node.lineno + 1
            if lines > FUNCTION_LINES:
                limit = f"{FUNCTION_LINES} are the limit"
                yield (
                    f"{shown}: line {node.lineno}: {node.name} has {lines} lines; take a part of "
                    f"it out, {limit}"
                )


def _check_imports(shown, tree):
    parts = Path(shown).with_suffix("").parts[1:]  # below dlcourse
    floor = parts[0]
    if floor not in (*FLOORS, *INSTRUCTORS):
        yield f"{shown}: stands on no floor; add it to FLOORS in dlcourse/release/verify/code.py"
        return
    inside = {inner for node in ast.walk(tree) if _is_function(node) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        for module in _imported(node, parts):
            if module.endswith(".*"):
                yield (
                    f"{shown}: line {node.lineno}: star import of {module[:-2]}; name what is used"
                )
            elif floor not in INSTRUCTORS:
                fault = _fault(floor, module, node in inside)
                if fault:
                    yield f"{shown}: line {node.lineno}: {fault}"


def _is_function(node):
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))


def _imported(node, parts):
    """Dotted names that an import statement fetches: a name from
    dlcourse itself counts with the name."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = ["dlcourse", *parts][: -node.level] if node.level else []
    module = ".".join([*base, node.module] if node.module else base)
    if [alias.name for alias in node.names] == ["*"]:
        return [f"{module}.*"]
    return [f"{module}.{alias.name}" for alias in node.names] if module == "dlcourse" else [module]


def _fault(floor, module, inside):
    """Why `floor` may not import `module` there; "" where it may."""
    top, *rest = module.split(".")
    packages, floors = FLOORS[floor]
    if top != "dlcourse":
        if top in sys.stdlib_module_names or top in packages or (inside and top in IN_FUNCTIONS):
            return ""
        if top in IN_FUNCTIONS:
            return f"imports {top} on import; move it into the function that uses it"
        return (
            f"imports {top}; {floor} may use {', '.join(packages) or 'the standard library'} only"
        )
    other = rest[0] if rest else "__init__"
    if other not in (*FLOORS, *INSTRUCTORS):  # a name of dlcourse/__init__.py, such as __version__
        other = "__init__"
    if floors is None:
        return (
            f"imports {module}; {floor} may import nothing of dlcourse, so that a file can be "
            "pasted and runs"
        )
    if other == floor or other in floors:
        return ""
    return f"imports {module}; {floor} may use {', '.join((*floors, floor))} of dlcourse only"


def run_ruff(root, notebooks, folders=("dlcourse", "tests")):
    """Ruff's findings on the folders and on the given notebooks (path → NotebookNode)."""
    if importlib.util.find_spec("ruff") is None:
        yield (
            "ruff is not installed, so nothing was linted; run `make test` once, or pip install "
            "ruff"
        )
        return
    places = [place for place in folders if (root / place).is_dir()] + list(notebooks)
    if not places:
        return
    command = [sys.executable, "-m", "ruff", "check", "--quiet", "--output-format=json", *places]
    done = subprocess.run(command, cwd=root, capture_output=True, encoding="utf-8")
    if done.returncode > 1:
        yield (
            f"ruff did not run: {' '.join(done.stderr.split())[-300:]}; correct its settings in "
            "pyproject.toml"
        )
        return
    for found in json.loads(done.stdout):
        path = Path(found["filename"]).relative_to(Path(root).resolve()).as_posix()
        row = f"line {found['location']['row']}"
        if found["cell"]:
            cell = notebooks[path].cells[found["cell"] - 1]
            # generated, and one cell of a notebook may be denser than a file
            if cell.id == SETUP_ID:
                continue
            row = f"cell {found['cell']} ({cell.id}): {row}"
        yield f"{path}: {row}: {found['code']} {found['message']}; correct it"


def run_codespell(root, texts):
    """Codespell's findings in texts: list of (path, place, text), where place
    is such as "cell 3 (id)" or ""."""
    if importlib.util.find_spec("codespell_lib") is None:
        return
    with tempfile.TemporaryDirectory(prefix="dlcourse-") as folder:
        # One file each: the base64 of a figure, in a raw notebook, is full of "misspelt words".
        for number, (_, _, text) in enumerate(texts):
            Path(folder, f"{number}.txt").write_text(text, encoding="utf-8")
        # its own output must take every sign, whatever this terminal does
        command = [sys.executable, "-X", "utf8", "-m", "codespell_lib", folder]
        env = os.environ | {"PYTHONIOENCODING": "utf-8"}
        done = subprocess.run(command, cwd=root, env=env, capture_output=True, encoding="utf-8")
    for line in done.stdout.splitlines():
        match = re.match(r".*?(\d+)\.txt:(\d+): (.*)", line)
        if match:
            path, place, _ = texts[int(match[1])]
            where = f"{place}: line {match[2]}" if place else f"line {match[2]}"
            yield (
                f"{path}: {where}: spelling: {match[3]}; correct it, or list the word in "
                "pyproject.toml"
            )
