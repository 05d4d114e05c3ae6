"""Claims: sentences of a notebook, each with the experiment that it must survive on more seeds."""

import importlib.util
from dataclasses import dataclass, replace
from pathlib import Path

from dlcourse.release.course.tables import CourseError
from dlcourse.release.notebook.text import words

FOLDER = "tests/claims"
LEAST_SEEDS = 8
ENDINGS = ("_solutions", "_Solution", "_solution")


@dataclass(frozen=True)
class Claim:
    """A sentence and how it is tested."""

    notebook: str  # file name without _solutions and .ipynb
    sentence: str  # as it stands there; line breaks and emphasis do not count
    measure: object  # measure(nb, seed) → {side: number}; the first is what the sentence favours
    better: str = "lower"  # or "higher": which numbers win
    by: float = 0.0  # by more than this; below 0: it may lose by no more than that
    trivial: str | None = None  # the side that is the trivial answer
    every_seed: bool = False  # it must win on each single seed, too
    seeds: int = LEAST_SEEDS
    file: str = ""  # relative to the course's folder

    @property
    def name(self):
        return self.measure.__name__


def claim(notebook, sentence, **options):
    """Decorator that makes a Claim of a function measure(nb, seed) → {side: number}.

    The first side is what the sentence favours, all others are its rivals; nb holds the notebook's
    definitions. options: `better`, `by`, `trivial`, `every_seed`, `seeds`, as in Claim. Raises
    ValueError for one that cannot be meant.
    """
    made = Claim(notebook, " ".join(sentence.split()), measure=None, **options)
    if made.better not in ("lower", "higher"):
        raise ValueError(f'better={made.better!r}: say "lower" or "higher"')
    if made.seeds < LEAST_SEEDS:
        raise ValueError(f"seeds={made.seeds}: a claim needs at least {LEAST_SEEDS}")
    if not words(sentence):
        raise ValueError("no sentence: write what the notebook says")
    return lambda measure: replace(made, measure=measure)


def collect(root, folder=FOLDER):
    """All claims of the Python files in root/folder, tests left out. Raises CourseError for a
    file that cannot be imported, and for two claims of one name."""
    found = {}
    for path in sorted(Path(root, folder).rglob("*.py")):
        if path.name.startswith("test_"):
            continue
        shown = path.relative_to(root).as_posix()
        for one in load(path, shown):
            if one.name in found:
                first = found[one.name].file
                raise CourseError(
                    f"{shown}: {one.name} is in {first} too: give one a name of its own"
                )
            found[one.name] = one
    return list(found.values())


def load(path, shown=""):
    """The claims of one Python file, in its order."""
    spec = importlib.util.spec_from_file_location(f"claims_{Path(path).stem}", path)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        told = f"{type(error).__name__}: {error}"
        raise CourseError(f"{shown or path}: cannot be imported: {told}") from error
    return [replace(one, file=shown) for one in vars(module).values() if isinstance(one, Claim)]


def find_notebook(course, one):
    """The Notebook that a claim is about. Raises CourseError where there is none."""
    for notebook in course.notebooks():
        if one.notebook == stem(notebook):
            return notebook
    raise CourseError(
        f"{one.file}: {one.name}: course.toml has no notebook {one.notebook!r}: name it by its "
        f"file, without {ENDINGS[0]} and .ipynb"
    )


def stem(notebook):
    """How claims name a notebook: its source's file name without _solutions and .ipynb."""
    name = Path(notebook.source).stem
    for ending in ENDINGS:
        name = name.removesuffix(ending)
    return name
