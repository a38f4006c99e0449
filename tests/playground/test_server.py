"""The local server: who is answered, what is not served, and what stays alive when pages misbehave."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import time

import pytest

import deltarule
from deltarule.playground.server import PlaygroundServer, page_files

connect = pytest.importorskip("websockets.sync.client").connect
ConnectionClosedError = pytest.importorskip("websockets").exceptions.ConnectionClosedError
pytest.importorskip("uvicorn")
pytest.importorskip("starlette")

HEADERS = {
    "content-security-policy": "default-src 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


@pytest.fixture(scope="module")
def server():
    """(port, token) of a server in a process of its own."""
    command = [sys.executable, "-m", "deltarule", "play", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        address = process.stdout.readline().strip()
        port, token = int(address.split(":")[2].split("/")[0]), address.split("/")[3]
        for _ in range(500):
            if raw(port, f"GET /{token}/ HTTP/1.1", [f"Host: 127.0.0.1:{port}"]):
                break
            time.sleep(0.02)
        yield port, token
        process.kill()


def test_whoever_comes_before_the_server_is_ready_waits():
    waiting = PlaygroundServer()
    with waiting.socket, socket.create_connection(("127.0.0.1", waiting.port), timeout=5):
        assert str(waiting.port) in waiting.address


def raw(port, line, headers=(), body=b"", wait=5):
    """The reply's bytes to a request that is sent as it stands; empty where there is none."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=wait) as one:
            close = [] if "Connection: Upgrade" in headers else ["Connection: close"]
            one.sendall("\r\n".join([line, *headers, *close, "", ""]).encode("latin-1") + body)
            parts = []
            while part := one.recv(65536):
                parts.append(part)
    except OSError:
        return b""
    return b"".join(parts)


def status(reply):
    return int(reply.split(b" ", 2)[1]) if reply else 0


def page(server, **headers):
    port, token = server
    return connect(f"ws://127.0.0.1:{port}/{token}/session", origin=f"http://127.0.0.1:{port}", **headers)


def ask(one, **message):
    one.send(json.dumps(message))
    return json.loads(one.recv(timeout=30))


ROUTES = ["", "main.js", "style.css", "session", "nothing", "site.json"]
HANDSHAKE = [
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost", "", "[::1]:{port}"]
)
def test_only_its_own_host_is_answered(server, route, host):
    port, token = server
    for more in ([], HANDSHAKE):
        reply = raw(port, f"GET /{token}/{route} HTTP/1.1", [f"Host: {host.format(port=port)}", *more])
        assert status(reply) in (400, 403)


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://127.0.0.1:{port}", None]
)
def test_only_its_own_page_may_open_a_session(server, origin):
    port, token = server
    headers = [f"Host: 127.0.0.1:{port}", *HANDSHAKE]
    headers += [] if origin is None else [f"Origin: {origin.format(port=port)}"]
    assert status(raw(port, f"GET /{token}/session HTTP/1.1", headers)) == 403


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("token", ["", "x", "{token}x", "{TOKEN}", "%2e%2e"])
def test_no_route_is_served_without_the_token(server, route, token):
    port, right = server
    token = token.format(token=right, TOKEN=right.swapcase())
    for more in ([], [f"Origin: http://127.0.0.1:{port}", *HANDSHAKE]):
        reply = raw(port, f"GET /{token}/{route} HTTP/1.1", [f"Host: 127.0.0.1:{port}", *more])
        assert status(reply) == 403
        assert right.encode() not in reply


@pytest.mark.parametrize(
    "path", ["../server.py", "..%2fserver.py", "%2e%2e/server.py", "..%5cserver.py", "//etc/passwd", "%00"]
)
def test_nothing_but_the_pages_files_is_served(server, path):
    port, token = server
    reply = raw(port, f"GET /{token}/{path} HTTP/1.1", [f"Host: 127.0.0.1:{port}"])
    assert status(reply) in (403, 404)
    assert b"import" not in reply


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "TRACE"])
def test_nothing_is_taken_but_by_the_socket(server, method):
    port, token = server
    body = ["Content-Type: text/html", "Content-Length: 2"]
    assert status(raw(port, f"{method} /{token}/ HTTP/1.1", [f"Host: 127.0.0.1:{port}", *body], b"{}")) == 405


@pytest.mark.parametrize("name", [*sorted(page_files()), "", "nothing"])
def test_all_replies_have_their_headers(server, name):
    port, token = server
    reply = raw(port, f"GET /{token}/{name} HTTP/1.1", [f"Host: 127.0.0.1:{port}"])
    head = reply.split(b"\r\n\r\n")[0].decode().lower()
    assert status(reply) == (404 if name == "nothing" else 200)
    for header, value in HEADERS.items():
        assert f"{header}: {value}" in head
    assert "frame-ancestors 'none'" in head
    assert "access-control" not in head


def test_a_session_answers(server):
    with page(server) as one:
        assert ask(one, do="train", unit="batch", count=2)["state"]["position"]["update"] == 2
        assert not ask(one, do="open", set="/etc/passwd")["ok"]
        for text in ("[" * 100_000, "9" * 100_000, "no json", "two\nlines"):
            one.send(text)
            assert not json.loads(one.recv(timeout=30))["ok"]
        assert ask(one, do="rewind")["ok"]


def test_it_listens_on_this_machine_alone(server):
    port, _ = server
    others = {item[4][0] for item in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in others - {"127.0.0.1", "127.0.1.1"}:
        with pytest.raises((ConnectionError, TimeoutError)):
            socket.create_connection((address, port), timeout=2)


def test_a_page_that_leaves_ends_what_it_runs(server):
    """A program without an end, and its page gone: the next page is served at once."""
    code = "while True:\n    pass\n"
    with page(server) as one:
        one.send(json.dumps({"do": "check", "code": code}))
        time.sleep(0.5)
    with page(server) as two:
        assert ask(two, do="view", parts=[])["ok"]


@pytest.mark.slow
def test_idle_sockets_and_many_trainings_leave_a_normal_page_served(server):
    port, _ = server
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(page(server))
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        for _ in range(50):
            busy = stack.enter_context(page(server))
            busy.send(json.dumps({"do": "train", "unit": "updates", "count": 1_000_000}))
        time.sleep(1)
        with page(server) as normal:
            assert ask(normal, do="train", unit="batch", count=1)["ok"]
        count = ["pgrep", "-fc", "deltarule.playground.worker"]
        workers = subprocess.run(count, capture_output=True, text=True, check=False)
        assert int(workers.stdout) <= 14


@pytest.mark.slow
def test_a_message_that_is_too_large_ends_only_its_own_page(server):
    with page(server) as other:
        with page(server) as one:
            with contextlib.suppress(ConnectionClosedError):  # it may be closed while it is sent
                one.send("x" * (41 << 20))
            with pytest.raises(ConnectionClosedError):
                one.recv(timeout=30)
        assert ask(other, do="view", parts=[])["ok"]


def test_another_program_on_the_port_is_said(server):
    port, _ = server
    command = [sys.executable, "-m", "deltarule", "play", "--no-browser", "--port", str(port)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "cannot listen on 127.0.0.1" in done.stderr


def test_a_source_that_cannot_be_opened_is_refused_before_anything_is_served():
    command = [sys.executable, "-m", "deltarule", "play", "--no-browser", "nothing.csv"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert deltarule.__name__ in done.stderr or "nothing.csv" in done.stderr
