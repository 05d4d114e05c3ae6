"""JupyterLab in a real browser: a student's notebook run from the
menu shows ✓, ✗ and ○ in the page.

Needs the extra `browser` and a Chromium: `pip install -e '.[browser]'`, then `playwright install
chromium` where the system has none. Skipped where either is missing. With
DLCOURSE_SCREENSHOT=path the page is kept as a PNG.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import nbformat
import pytest

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.executes

ROOT = Path(__file__).parents[2]
NOTEBOOK = (
    ROOT / "Day01-Intro_DL_FFNs_and_Colab" / "Day01_Intro_Colab_and_FFNs_afternoon_exercises.ipynb"
)
BLANK = 'raise NotImplementedError("your code here")'
RIGHT = "e = np.exp(z - z.max(-1, keepdims=True))\n    return e / e.sum(-1, keepdims=True)"
WRONG = "return float(-logits[np.arange(len(y)), y].mean())"  # takes logits for log-probabilities
ANSWERS = {
    "# Exercise 3.1 · softmax\n": RIGHT,
    "# Exercise 3.3 · cross_entropy\n": WRONG,
}  # the one between stays blank


@pytest.fixture
def folder(tmp_path):
    """A folder with the student's notebook: one answer right, one wrong, the others blank."""
    nb = nbformat.read(NOTEBOOK, 4)
    for anchor, answer in ANSWERS.items():
        cell = next(cell for cell in nb.cells if cell.source.startswith(anchor))
        assert BLANK in cell.source
        cell.source = cell.source.replace(BLANK, answer)
    (tmp_path / "notebooks").mkdir()
    nbformat.write(nb, tmp_path / "notebooks" / NOTEBOOK.name)
    return tmp_path


@pytest.fixture
def server(folder):
    """The address of a JupyterLab of its own in that folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # all cells in the page, not only those in view
    _set(folder, "notebook-extension/tracker", windowingMode="none")
    _set(folder, "apputils-extension/notification", fetchNews="false", checkForUpdates=False)
    options = [
        f"--port={port}",
        "--no-browser",
        "--allow-root",
        "--IdentityProvider.token=",
        f"--notebook-dir={folder / 'notebooks'}",
    ]
    options += [f"--LabApp.user_settings_dir={folder / 'settings'}"]
    env = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "DLCOURSE_SMOKE": "1",
        "OMP_NUM_THREADS": "1",
    }
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options], env=env, stdout=log, stderr=log
        )
        try:
            yield _wait_for(f"http://127.0.0.1:{port}/lab", folder / "server.log")
        finally:
            process.terminate()
            process.wait(30)


def _set(folder, plugin, **settings):
    path = folder / "settings" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(settings))


def _wait_for(address, log, seconds=60):
    for _ in range(2 * seconds):
        try:
            urlopen(address).close()
            return address
        except URLError:
            time.sleep(0.5)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")


@pytest.fixture
def page():
    with sync_api.sync_playwright() as playwright:
        own = shutil.which("chromium") or shutil.which("google-chrome")
        try:
            browser = playwright.chromium.launch(executable_path=own, args=["--no-sandbox"])
        except sync_api.Error as error:
            pytest.skip(f"no browser: {error.message.splitlines()[0]}")
        page = browser.new_page(viewport={"width": 1180, "height": 1040})
        yield page
        if os.environ.get("DLCOURSE_SCREENSHOT"):
            page.screenshot(path=os.environ["DLCOURSE_SCREENSHOT"])
        browser.close()


def test_marks_in_the_page(server, page):
    page.goto(f"{server}/tree/{NOTEBOOK.name}")
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=120_000)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=120_000)  # in the status bar
    page.locator(".lm-MenuBar-itemLabel", has_text="Run").first.click()
    page.locator(".lm-Menu-itemLabel", has_text="Run All Cells").first.click()
    outputs = page.locator(".jp-OutputArea-output")
    for mark in (
        "✓ softmax · ",
        "○ one_hot: not attempted yet",
        "✗ cross_entropy · case",
    ):
        outputs.filter(has_text=mark).first.wait_for(timeout=120_000)
    # in view together: the first mark at the top
    outputs.filter(has_text="✓ softmax · ").first.evaluate(
        "mark => mark.scrollIntoView({block: 'start'})"
    )
