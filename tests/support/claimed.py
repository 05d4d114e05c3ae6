"""A small course with one claim of each kind: true, false, and too noisy to tell."""

import release_fixtures as small

FIT = '''from random import Random

SCALE = 2.0


def draw(seed, shift=0.0, noise=1.0):
    """A number around `shift`."""
    return shift + noise * Random(f"{seed}{shift}").gauss(0, 1)


runs = [exit("an experiment ran") for _ in range(3)]'''
SAID = """Shifting by three lowers the *loss*
on all eight seeds. Noise is as good."""

CLAIMS = '''"""Claims of the first day."""

from dlcourse.release.claims.registry import claim

NOTEBOOK = "Day01"


@claim(NOTEBOOK, "Shifting by three lowers the loss on all eight seeds.", trivial="nothing")
def true(nb, seed):
    sides = {"shifted": nb.draw(seed, -3 * nb.SCALE), "as it is": nb.draw(seed)}
    return sides | {"nothing": 1.0}


@claim(NOTEBOOK, "Noise is as good.", better="higher")
def false(nb, seed):
    return {"noise": nb.draw(seed, -5.0), "as it is": nb.draw(seed)}


@claim(NOTEBOOK, "Shifting by three lowers the loss on all eight seeds.")
def undecidable(nb, seed):
    return {"one": nb.draw(seed), "the other": nb.draw(seed + 100)}
'''


def make(root):
    """The small course, its first day's solutions with definitions, an experiment and a text."""
    course = small.make_course(root, small.code(FIT), small.markdown(SAID))
    store(course, CLAIMS)
    return course


def store(course, text):
    path = course.root / "tests" / "claims" / "day01.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
