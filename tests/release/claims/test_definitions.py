"""What is taken from a notebook: definitions with all that they need, and no experiment."""

import pytest
import release_fixtures as small

from dlcourse.release.claims.definitions import Definitions, of_notebook, of_text

EXPERIMENT = 'raise SystemExit("an experiment ran")'


def defined(*cells):
    return of_notebook(small.notebook(*(small.code(cell) for cell in cells)), "day.ipynb")


def test_a_function_comes_with_imports_constants_and_helpers():
    nb = defined(
        "import math",
        "from math import tau as TAU\nSIDES = 2",
        "def turn(x):\n    return x + TAU",
        "def double(x):\n    return SIDES * turn(x) - math.pi",
    )
    assert nb.double(0.0) == pytest.approx(2 * 2 * 3.14159265 - 3.14159265)


def test_no_experiment_runs():
    loop, listed = f"for seed in range(3):\n    {EXPERIMENT}", "runs = [1 / 0 for _ in range(3)]"
    nb = defined("def f():\n    return 1", EXPERIMENT, loop, listed, "%matplotlib inline\n!ls")
    assert nb.f() == 1
    with pytest.raises(ZeroDivisionError):
        _ = nb.runs  # only where it is asked for


def test_functions_may_be_used_before_they_are_written():
    assert defined("def a():\n    return b()", "def b():\n    return 3").a() == 3


def test_of_two_functions_of_one_name_the_last_counts():
    assert defined("def f():\n    return 1", "one = f()", "def f():\n    return 2").f() == 2


def test_the_check_of_an_exercise_is_left_out():
    nb = defined(small.ANSWER, small.CHECK, "def four():\n    return double(2)")
    assert nb.four() == 4


def test_a_local_name_is_no_global_one():
    nb = defined("loss = 1 / 0", "def f(x):\n    loss = x + 1\n    return loss")
    assert nb.f(1) == 2


def test_names_inside_nested_functions_classes_and_comprehensions_are_found():
    nb = defined(
        "A, B, C = 1, 2, 3",
        "class Net:\n    a = A\n    def f(self):\n        return [b + C for b in range(B)]",
        "def make():\n    return (lambda: Net())()",
    )
    assert nb.make().f() == [3, 4] and nb.make().a == 1


def test_a_method_that_is_hung_on_later_belongs_to_its_class():
    nb = defined("class Value:\n    pass", "def add(self):\n    return 7", "Value.add = add")
    assert nb.Value().add() == 7


@pytest.mark.parametrize(
    "again", ["x = 2", "x += 1", "for x in range(3):\n    pass", "with open('f') as x:\n    pass"]
)
def test_a_name_that_is_set_anew_cannot_be_had(again):
    nb = defined("x = 1", again, "def f():\n    return x")
    for name in ("x", "f"):
        with pytest.raises(AttributeError, match="day.ipynb sets 'x' more than once: give each"):
            getattr(nb, name)


def test_a_name_that_is_not_there_is_told():
    with pytest.raises(AttributeError, match=r"day\.ipynb defines no 'fit': imports, functions"):
        _ = defined("x = 1").fit


def test_the_set_up_cell_installs_nothing():
    nb = small.notebook(small.code("def f():\n    return device"))
    nb.cells[1].source = f"if True:\n    {EXPERIMENT}\ndevice = 'cpu'"
    nb.cells[1].id = "set-up"
    assert of_notebook(nb, "day").f() == "cpu"


CODE = "K = 2\ndef f(x):\n    return K * x\ndef g(x):\n    return x\n"


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ("return K * x", "return K * x + 1", True),
        ("K = 2", "K = 3", True),
        ("K = 2", "K = 2  # two", False),
        ("def f(x):\n", 'def f(x):\n    """Told."""\n\n', False),
        ("    return x\n", "    return 9\n", False),  # g: not needed
        ("K = 2", "K = 2\nL = 5\nprint(L)", False),
    ],
)
def test_the_code_changes_with_what_is_needed_only(old, new, changes):
    before, after = of_text(CODE, "a").code(["f"]), of_text(CODE.replace(old, new), "a").code(["f"])
    assert (before != after) == changes


def test_no_statements_define_nothing():
    assert Definitions([]).code(["f"]) == ""
