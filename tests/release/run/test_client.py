"""Cells that show more than anyone reads: each ends within a strict time, with what was left out
said, and what is shown in the ordinary way is as a terminal shows it."""

import time

import pytest
import release_fixtures as small

from dlcourse.release.run import client
from dlcourse.release.run.client import show_returns
from dlcourse.release.run.runner import environment, run_notebook

LIMIT = 8  # seconds for a cell
SPARE = 12  # for a kernel to start and to end, on a busy machine
HTML = "from IPython.display import HTML\n"
FINITE = {
    "many long lines": "for _ in range(500):\n    print('x' * 60_000)",
    "fifty million characters": "print('x' * 50_000_000)",
    "a long line to stderr": "import sys\nprint('x' * 30_000_000, file=sys.stderr)",
    "past Python": "import os\nfor _ in range(500):\n    os.write(1, b'x' * 60_000)",
    "returns": "print('abc\\r' * 5_000_000)",
    "backspaces": "print('ab\\b' * 5_000_000)",
    "a large value": "'x' * 30_000_000",
    "a label": "display({'text/plain': 'x'}, raw=True, metadata={'k': 'y' * 6_000_000})",
    "a large page": HTML + "display(HTML('<b>' * 5_000_000))",
}
ENDLESS = {
    "long lines": "while True:\n    print('x' * 60_000)",
    "flushed": "while True:\n    print('x', flush=True)",
    "a child": "import subprocess\nsubprocess.run(['yes'])",
    "values": "while True:\n    display(1)",
    "one value, shown again": "while True:\n    display(1, display_id='a')",
    "one value, renewed": "h = display(1, display_id='a')\nwhile True:\n    h.update('x' * 10_000)",
    "errors": "while True:\n    get_ipython().showtraceback((E, E('x' * 9999), None))",
}


def timed(tmp_path, *sources, limit=LIMIT):
    small.store(tmp_path, "a.ipynb", *sources)
    started = time.perf_counter()
    env = environment()
    # ipykernel leaves the streams below Python alone where it sees this variable
    env.pop("PYTEST_CURRENT_TEST")
    result = run_notebook("a.ipynb", tmp_path, env=env, cell_limit=limit)
    assert time.perf_counter() - started < limit + SPARE
    for cell in result.notebook.cells:
        assert sum(len(str(output)) for output in cell.outputs) < 3 * client.KEPT
    assert len(result.problem) < 1000 and len(result.details) < 50_000
    return result


@pytest.mark.slow
@pytest.mark.parametrize("kind", FINITE)
def test_a_cell_that_shows_too_much_is_cut(tmp_path, kind):
    result = timed(tmp_path, FINITE[kind], "print('the end')", limit=60)
    assert "characters of its outputs were left out: show less" in result.problem
    texts = [output.get("text", "") for output in result.notebook.cells[0].outputs]
    assert any("more characters are left out here]\n" in text for text in texts)
    assert result.notebook.cells[1].outputs[0].text == "the end\n"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ENDLESS)
def test_a_cell_that_never_stops_showing_is_ended(tmp_path, kind, capfd):
    first = "E = RuntimeError"
    result = timed(tmp_path, first, ENDLESS[kind])
    assert result.problem.startswith(
        (f"cell 2 (b): still running after {LIMIT} s", "cell 2 (b): stopped when it had shown ")
    )
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_a_cell_that_would_fill_the_memory_is_stopped_before_its_time(tmp_path, monkeypatch):
    monkeypatch.setattr(client, "MOST", 2 * client.KEPT)
    result = timed(tmp_path, "while True:\n    print('x' * 60_000, flush=True)", limit=30)
    assert result.problem.startswith("cell 1 (a): stopped when it had shown ")


def test_there_are_not_too_many_outputs(tmp_path, monkeypatch):
    monkeypatch.setattr(client, "KEPT", 10_000)
    result = timed(tmp_path, "for _ in range(100):\n    display(1)")
    assert len(result.notebook.cells[0].outputs) <= 10_000 / client.FRAME + 1
    assert "characters of its outputs were left out" in result.problem


@pytest.mark.slow
def test_an_error_is_kept_after_too_much_and_a_long_one_is_shortened(tmp_path):
    result = timed(tmp_path, "print('x' * 9_000_000)\n1 / 0", limit=30)
    assert result.problem == "cell 1 (a): ZeroDivisionError: division by zero"
    assert "----> 2 1 / 0" in result.details
    result = timed(tmp_path, "raise ValueError('x' * 5_000_000)", limit=30)
    assert "ValueError: xxx" in result.problem and "characters] xxx" in result.problem


def test_outputs_that_arrive_late_count_as_time(tmp_path, monkeypatch):
    slow = client.Client.process_message

    def process_message(self, *message):
        time.sleep(0.1)
        return slow(self, *message)

    monkeypatch.setattr(client.Client, "process_message", process_message)
    result = timed(tmp_path, "for i in range(200):\n    print(i, flush=True)", limit=3)
    assert result.problem.startswith("cell 1 (a): still running after 3 s")


def test_streams_become_one_output_each(tmp_path):
    lines = (
        "import sys\nprint('a', flush=True)\nprint('b', file=sys.stderr, flush=True)\nprint('c')"
    )
    small.store(tmp_path, "a.ipynb", f"{lines}\ndisplay(1)\nprint('d')")
    outputs = run_notebook("a.ipynb", tmp_path).notebook.cells[0].outputs
    assert [output.output_type for output in outputs] == ["stream", "stream", "display_data"]
    assert [output.text for output in outputs[:2]] == ["a\nc\nd\n", "b\n"]


@pytest.mark.parametrize(
    "wait, kept", [("", ["c\n"]), ("wait=True", ["c\n"]), (None, ["a\nb\nc\n"])]
)
def test_what_is_cleared_is_gone_and_room_for_more(tmp_path, monkeypatch, wait, kept):
    monkeypatch.setattr(client, "KEPT", 2000)
    clear = "" if wait is None else f"clear_output({wait})"
    lines = ["from IPython.display import clear_output", "print('a')", "print('b')", clear]
    small.store(tmp_path, "a.ipynb", "\n".join([*lines, "print('c')"]))
    result = run_notebook("a.ipynb", tmp_path)
    assert result.ok and [output.text for output in result.notebook.cells[0].outputs] == kept


def test_clearing_before_an_output_that_never_comes_clears_nothing(tmp_path):
    source = "from IPython.display import clear_output\nprint('a')\nclear_output(wait=True)"
    small.store(tmp_path, "a.ipynb", source)
    assert run_notebook("a.ipynb", tmp_path).notebook.cells[0].outputs[0].text == "a\n"


@pytest.mark.parametrize(
    "text, shown",
    [
        ("a\nb\n", "a\nb\n"),
        ("10 %\r20 %\rdone\n", "done\n"),
        ("a\r\nb\r\n", "a\nb\n"),
        ("10 %\r", "10 %"),
        ("a\n10 %\r\r20 %\nb", "a\n20 %\nb"),
        ("\r\r", ""),
    ],
)
def test_a_line_shows_what_follows_its_last_return(text, shown):
    assert show_returns(text) == shown


def test_returns_cost_linear_time():
    started = time.perf_counter()
    show_returns("x" * 5_000_000 + "\r" + "x\r" * 2_000_000)
    assert time.perf_counter() - started < 2
