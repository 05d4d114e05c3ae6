"""Downloads that break in every way that was seen, from a real server on this machine."""

import gzip
import hashlib
import socket
import threading
from pathlib import Path

import pytest
import torch
from torchvision import datasets

from dlcourse.data import cache, fetch, images, weights

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
BREAKS = {
    "closed at once": b"",
    "no status line": b"what?\r\n\r\n",
    "a chunk that breaks off": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n50\r\nab",
    "no chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnone\r\n",
    "shorter than it says": b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc",
    "a length that is no number": b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nabc",
    "a web page": b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n<html>log in</html>",
    "forbidden": b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
    "gone": b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    "busy": b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
    "round and round": b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n",
    "a header without end": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\nabc",
}


@pytest.fixture
def serve(tmp_path, monkeypatch):
    """serve(answer, head) starts a server that gives these bytes to GET and to HEAD → its address;
    an empty cache folder."""
    monkeypatch.setenv("DLCOURSE_DATA", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(cache, "_complained", set())
    open_now = []

    def start(answer, head=HEAD):
        listening = socket.create_server(("127.0.0.1", 0))
        open_now.append(listening)
        threading.Thread(target=_answer, args=(listening, answer, head), daemon=True).start()
        return f"http://127.0.0.1:{listening.getsockname()[1]}/"

    yield start
    for listening in open_now:
        listening.close()


def _answer(listening, answer, head):
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection:
            asked = connection.recv(65536)
            connection.sendall(head if asked.startswith(b"HEAD") else answer)


def hidden(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("answer", BREAKS.values(), ids=BREAKS)
def test_a_broken_download_of_images_is_no_network(answer, serve, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(datasets.MNIST, "mirrors", [serve(answer)])
    with pytest.raises(ConnectionError, match="^MNIST is neither cached in .* connect to the net"):
        images.mnist(fallback=False)
    assert hidden(tmp_path / "cache") == [] and capfd.readouterr().err == ""


@pytest.mark.parametrize("answer", BREAKS.values(), ids=BREAKS)
def test_a_broken_download_of_weights_says_why(answer, serve, tmp_path, capfd):
    with pytest.raises(ConnectionError, match=r"^net-01234567.pth could not be fetched \(\w+"):
        weights.load_checked(serve(answer) + "net-01234567.pth")
    assert hidden(tmp_path / "cache") == [] and capfd.readouterr().err == ""


@pytest.mark.parametrize("status", [b"405 Method Not Allowed", b"501 Not Implemented"])
def test_a_server_that_refuses_head_is_there(status, serve, tmp_path):
    torch.save({"x": torch.ones(2)}, tmp_path / "file")
    content = (tmp_path / "file").read_bytes()
    name = f"net-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content) + content
    head = b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n"
    assert weights.load_checked(serve(answer, head) + name)["x"].equal(torch.ones(2))
    assert hidden(tmp_path / "cache") == [name]


@pytest.mark.parametrize("status", [b"403 Forbidden", b"404 Not Found", b"503 Busy"])
def test_a_server_without_the_file_is_not_asked_again(status, serve):
    head = b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n"
    assert not fetch._reachable([serve(b"", head)], seconds=2)


def test_a_link_where_a_file_is_to_be_unpacked_is_not_followed(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(cache.secrets, "token_hex", lambda count: "known")
    monkeypatch.setattr(cache, "_complained", set())
    path, victim = Path(tmp_path, "set"), Path(tmp_path, "victim")
    victim.write_text("mine")
    path.with_name("set.gz").write_bytes(gzip.compress(b"content"))
    path.with_name("set.known.part").symlink_to(victim)
    assert not fetch._unpack(path) and victim.read_text() == "mine"
    assert "cannot write to" in capfd.readouterr().out
    monkeypatch.undo()
    assert fetch._unpack(path) and path.read_bytes() == b"content"
