"""The page of a failed notebook: readable, and harmless whatever the notebook holds."""

import base64
import time

import nbformat
import pytest
from bs4 import BeautifulSoup  # comes with nbconvert

from dlcourse.release.run.page import POLICY, SHOWN, write_page
from dlcourse.release.run.runner import Result

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
ATTACK = '"\'></pre></style><script>alert(1)</script><img src=x onerror="alert(1)">'
LINK = '<a href="javascript:alert(1)">a</a><iframe srcdoc="<script>alert(1)</script>"></iframe>'
KINDS = [
    "text/html",
    "text/markdown",
    "text/latex",
    "text/plain",
    "text/vnd.mermaid",
    "image/svg+xml",
    "image/png",
    "image/jpeg",
    "application/javascript",
    "application/vnd.jupyter.widget-view+json",
    ATTACK,
]


def write(folder, *cells, path="Day01_a.ipynb", problem="cell 1: wrong"):
    notebook = nbformat.from_dict({"cells": list(cells), "metadata": {}})
    result = Result(path, problem=problem, notebook=notebook)
    started = time.perf_counter()
    text = write_page(folder, result).read_text(encoding="utf-8")
    assert time.perf_counter() - started < 5
    return text


def code(*outputs, source="1"):
    return nbformat.v4.new_code_cell(source, outputs=list(outputs))


def assert_harmless(page):
    soup = BeautifulSoup(page, "html.parser")
    names = {one.name for one in soup.find_all(True)}
    assert names <= {"html", "head", "meta", "title", "style", "body", "p", "pre", "img"}
    for one in soup.find_all(True):
        assert not [name for name in one.attrs if name.startswith("on")]
        assert one.name != "img" or one["src"].startswith("data:image/")
    assert soup.find("meta", {"http-equiv": "Content-Security-Policy"})["content"] == POLICY
    assert "script-src" not in POLICY and POLICY.startswith("default-src 'none'")
    assert page.index("Content-Security-Policy") < page.index("<title>")


@pytest.mark.parametrize("attack", [ATTACK, LINK])
@pytest.mark.parametrize("kind", KINDS)
def test_no_output_runs_in_the_browser(tmp_path, kind, attack):
    metadata = {kind: {"width": "1 onerror=alert(1)"}, "filenames": {kind: attack}}
    data = {"data": {kind: attack}, "metadata": metadata}
    assert_harmless(write(tmp_path, code(nbformat.v4.new_output("display_data", **data))))


@pytest.mark.parametrize("attack", [ATTACK, LINK])
def test_nothing_else_runs_either(tmp_path, attack):
    stream = nbformat.v4.new_output("stream", name="stderr", text=attack)
    error = nbformat.v4.new_output("error", ename=attack, evalue=attack, traceback=[attack])
    cells = [code(stream, error, source=attack), nbformat.v4.new_markdown_cell(attack)]
    cells += [nbformat.v4.new_raw_cell(attack, metadata={"raw_mimetype": "text/html"})]
    cells[0].metadata["tags"] = [attack]
    cells[1].id = attack
    stream.name = attack
    page = write(tmp_path, *cells, problem=attack)
    assert_harmless(page)
    assert "alert(1)" in page  # it is there to be read
    assert_harmless(write(tmp_path, code(), path=f"{attack.replace('/', '')}.ipynb"))


def test_what_one_needs_is_on_the_page(tmp_path):
    figure = {"image/png": PNG, "text/plain": "<Figure>"}
    value = {"text/html": "<b>3</b>", "text/plain": "three"}
    new = nbformat.v4.new_output
    page = write(
        tmp_path,
        nbformat.v4.new_markdown_cell("# Title\n\n$x^2$"),
        code(new("stream", text="\x1b[31mred\x1b[0m"), new("display_data", data=figure)),
        code(new("display_data", data=value), new("error", ename="E", traceback=["1 / 0"])),
        code(new("display_data", data={"application/pdf": "x"})),
    )
    for part in ["cell 1: wrong", "# Title\n\n$x^2$", ">red<", "three", "1 / 0", PNG]:
        assert part in page
    assert "[not shown here: application/pdf]" in page and "Figure" not in page


def test_long_texts_are_shortened_and_broken_figures_named(tmp_path):
    long = nbformat.v4.new_output("stream", text="<" * 5_000_000)
    broken = nbformat.v4.new_output("display_data", data={"image/png": "é"})
    page = write(tmp_path, *(code(long, broken) for _ in range(20)))
    assert f"[{5_000_000 - SHOWN:,} characters]" in page and len(page) < 3_000_000
    assert "[image/png that cannot be read]" in page


def test_what_is_no_text_can_be_written(tmp_path):
    page = write(tmp_path, code(nbformat.v4.new_output("stream", text="a\ud800\x00\x1b]0;b\x07c")))
    assert ">ac<" in page
