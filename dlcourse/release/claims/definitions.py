"""The definitions of a notebook or a Python file: imports, functions, classes and constants,
found in its code without running its experiments."""

import ast
import hashlib
import symtable

from dlcourse.release.notebook.source import SETUP_ID

DEFINING = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
IMPORTING = (ast.Import, ast.ImportFrom)


class Definitions:
    """`nb.fit` is the notebook's `fit`. A name is defined, with all that it needs and nothing
    else, when it is first asked for; `results = [fit(s) for s in range(3)]` runs only for
    `nb.results`.

    A name that is defined once or by several `def`s can be had; one that the notebook sets anew
    cannot, for nobody could say which value is meant. Raises AttributeError with the cure.
    """

    def __init__(self, statements, where=""):
        """statements: a list of ast.stmt in their order, as `of_notebook` makes it."""
        self._statements, self._where = statements, where
        self._namespace, self._done = {"__name__": "notebook"}, set()
        self._by_name, self._unclear = _index(statements)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        self.demand(name)
        for number in sorted(self.reach([name]) - self._done):
            self._done.add(number)
            node = ast.Module([self._statements[number]], type_ignores=[])
            exec(compile(node, f"<{self._where}>", "exec"), self._namespace)
        return self._namespace[name]

    def demand(self, name):
        if name in self._unclear:
            cure = "give each its own name there, or hand it over as an argument"
            raise AttributeError(f"{self._where} sets {name!r} more than once: {cure}")
        if name not in self._by_name:
            cure = "imports, functions, classes and plain assignments can be had"
            raise AttributeError(f"{self._where} defines no {name!r}: {cure}")

    def reach(self, names):
        """The numbers of all statements that these names need, a set. What is not defined here,
        such as built-in functions, needs none."""
        found, waiting = set(), list(names)
        while waiting:
            for number in self._by_name.get(waiting.pop(), ()):
                if number not in found:
                    found.add(number)
                    waiting += _used(self._statements[number])
        for name in {used for number in found for used in _used(self._statements[number])}:
            if name in self._unclear:
                self.demand(name)
        return found

    def nodes(self, names):
        """The statements that these names need, in their order."""
        return [self._statements[number] for number in sorted(self.reach(names))]

    def code(self, names):
        """The text of what these names need, without comments, docstrings and layout."""
        return "\n".join(_plain(node) for node in self.nodes(names))


def of_notebook(nb, where):
    """The Definitions of a notebook as nbformat reads it."""
    statements = []
    for cell in nb.cells:
        if cell.cell_type == "code":
            tree = ast.parse(_without_magics(cell.source)).body
            generated = cell.get("id") == SETUP_ID
            statements += [node for node in tree if not (generated and isinstance(node, ast.If))]
    return Definitions(statements, where)


def of_text(source, where):
    """The Definitions of a Python file."""
    return Definitions(ast.parse(source).body, where)


def digest(*parts):
    """16 hexadecimal digits of some texts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _without_magics(source):
    return "\n".join("" if line.lstrip()[:1] in "%!" else line for line in source.split("\n"))


def _index(statements):
    """(name → numbers of the statements that define it; names that are set more than once)."""
    by_name, plainly, firmly, otherwise = {}, [], set(), set()
    for number, node in enumerate(statements):
        if isinstance(node, DEFINING):
            names = [node.name]
            firmly.update(names)
        elif isinstance(node, IMPORTING):
            names = [(one.asname or one.name).split(".")[0] for one in node.names]
            firmly.update(names)
        elif _hands_back(node):
            continue
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            names, owners = _targets(node)
            plainly += names
            names = names + owners
        else:
            otherwise |= _stored(node)
            continue
        for name in names:
            by_name.setdefault(name, []).append(number)
    again = {name for name in plainly if plainly.count(name) > 1}
    return by_name, again | (set(plainly) & firmly) | (otherwise & {*plainly, *firmly})


def _hands_back(node):
    """Whether a statement is an exercise's check, `softmax = check.softmax(softmax)`."""
    call = getattr(node, "value", None)
    owner = (
        call.func.value
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
        else None
    )
    return isinstance(node, ast.Assign) and isinstance(owner, ast.Name) and owner.id == "check"


def _targets(node):
    """The names that an assignment sets, and those of the objects that it changes."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    inner = [part for target in targets for part in ast.walk(target)]
    names = [
        part.id for part in inner if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    ]
    owners = [
        target.value.id
        for target in targets
        if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name)
    ]
    return names, owners


def _stored(node):
    """The names that any other statement at the top sets: loops, `with`, `x += 1`."""
    table = symtable.symtable(ast.unparse(node), "cell", "exec")
    return {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned()}


def _used(node):
    """The names that a statement may read from outside of itself, those of all bodies included."""
    return _read(symtable.symtable(ast.unparse(node), "cell", "exec"))


def _read(table):
    top = table.get_type() == "module"
    found = {
        symbol.get_name()
        for symbol in table.get_symbols()
        if symbol.is_referenced() and (top or symbol.is_global())
    }
    return found.union(*(_read(child) for child in table.get_children()))


def _plain(node):
    """A statement as code, without comments, layout and docstrings."""
    node = ast.parse(ast.unparse(node)).body[0]
    for part in ast.walk(node):
        if isinstance(part, DEFINING) and ast.get_docstring(part) is not None:
            part.body = part.body[1:] or [ast.Pass()]
    return ast.unparse(node)
