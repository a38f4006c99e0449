"""The local server: the page and its files, and a WebSocket behind which each page has a process of its own.

It listens on 127.0.0.1, answers only what names it so, and only who knows the token in the address. It runs
nothing that is sent to it, but code to be checked, which :func:`deltarule.check` runs behind its wall.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import secrets
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from importlib import resources
from typing import Any

from deltarule.errors import InputError
from deltarule.registry import import_extra

#: Connections, sessions with a process, bytes of one message, and of one reply.
MOST_SOCKETS, MOST_SESSIONS, MOST_BYTES, MOST_REPLY = 512, 12, 40 << 20, 256 << 20

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".woff2": "font/woff2",
}
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: "
        "blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action "
        "'none'; frame-ancestors {ancestors}"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_NOTEBOOKS = "'self' http://localhost:* http://127.0.0.1:* https://*.vscode-cdn.net vscode-webview:"

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class PlaygroundServer:
    """Serves the playground.

    Parameters
    ----------
    source : str
        What each session begins with, as :func:`~deltarule.playground.opening.session_of` takes it.
    host : str
    port : int
        0 takes a free one.
    in_notebook : bool
        Whether a notebook on this machine may show the page in a frame.
    """

    def __init__(
        self, source: str = "", host: str = "127.0.0.1", port: int = 0, in_notebook: bool = False
    ) -> None:
        self.source, self.token = source, secrets.token_urlsafe(24)
        self.socket = _bound(host, port)
        self.host, self.port = host, self.socket.getsockname()[1]
        self.ancestors = _NOTEBOOKS if in_notebook else "'none'"
        self.processes: dict[int, SessionProcess] = {}
        self.sockets = 0
        self.files = page_files()

    @property
    def address(self) -> str:
        """Where the page is."""
        host = self.host if self.host not in ("0.0.0.0", "::") else socket.gethostname()
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/{self.token}/"

    def run(self, ready: Callable[[], object] = lambda: None) -> None:
        """Serve until interrupted."""
        uvicorn = import_extra("uvicorn", "play")
        server = uvicorn.Server(self._config(uvicorn, ready))
        server.run(sockets=[self.socket])

    def _config(self, uvicorn: Any, ready: Callable[[], object]) -> Any:
        starlette = import_extra("starlette.applications", "play")
        routing = import_extra("starlette.routing", "play")

        @contextlib.asynccontextmanager
        async def lifespan(app: Any) -> Any:
            ready()
            yield
            for process in list(self.processes.values()):
                process.end()

        base = "/{token}"
        routes = [
            routing.Route(f"{base}/", self.serve_file, methods=["GET"]),
            routing.Route(base + "/{name}", self.serve_file, methods=["GET"]),
            routing.WebSocketRoute(f"{base}/session", self.serve_session),
        ]
        app = self.guarded(starlette.Starlette(routes=routes, lifespan=lifespan))
        return uvicorn.Config(
            app, log_level="critical", access_log=False, ws="websockets-sansio", ws_max_size=MOST_BYTES,
            ws_ping_interval=None, server_header=False, date_header=False, timeout_graceful_shutdown=1,
            limit_concurrency=MOST_SOCKETS + 64,
        )  # fmt: skip

    # ---------------------------------------------------------------- the gate

    def guarded(self, app: Any) -> Any:
        """Put the gate before an application: right host, right origin, token, headers on every reply."""
        headers = {name: value.format(ancestors=self.ancestors) for name, value in _HEADERS.items()}
        extra = [(name.encode(), value.encode()) for name, value in headers.items()]

        async def gate(scope: Any, receive: Receive, send: Send) -> None:
            if scope["type"] not in ("http", "websocket"):
                await app(scope, receive, send)
                return

            async def with_headers(message: Any) -> None:
                if message["type"] in ("http.response.start", "websocket.http.response.start"):
                    message = {**message, "headers": [*message.get("headers", ()), *extra]}
                await send(message)

            reason = self.refusal(scope)
            if reason:
                await _refuse(scope, receive, with_headers, reason)
            else:
                await app(scope, receive, with_headers)

        return gate

    def refusal(self, scope: Any) -> str:
        """Return why a request is not answered; empty where it is."""
        given = [
            (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]
        ]
        hosts = [value for name, value in given if name == "host"]
        origins = [value for name, value in given if name == "origin"]
        names = {"127.0.0.1", "localhost", self.host}
        known = {f"{f'[{name}]' if ':' in name else name}:{self.port}" for name in names}
        if self.host in ("0.0.0.0", "::") and len(hosts) == 1:
            known.add(hosts[0])  # the flag that opened it to a network said so
        if len(hosts) != 1 or hosts[0].lower() not in known:
            return "this server answers only under its own address"
        if any(origin.lower() != f"http://{hosts[0].lower()}" for origin in origins):
            return "this server answers only its own page"
        if scope["type"] == "websocket" and len(origins) != 1:
            return "this server answers only its own page"
        token = scope["path"].split("/")[1] if scope["path"].startswith("/") else ""
        if not hmac.compare_digest(token.encode("utf-8", "surrogateescape"), self.token.encode()):
            return "the address lacks the token: open the one that the command printed"
        return ""

    # ---------------------------------------------------------------- files and sessions

    async def serve_file(self, request: Any) -> Any:
        """Reply with one of the page's files; there are no others."""
        responses = import_extra("starlette.responses", "play")
        name = request.path_params.get("name", "index.html")
        if name not in self.files:
            return responses.PlainTextResponse("no such file", 404)
        kind = _TYPES.get(name[name.rfind(".") :], "application/octet-stream")
        return responses.Response(self.files[name], media_type=kind)

    async def serve_session(self, websocket: Any) -> None:
        """Answer a page's messages one by one, by a process that ends with the connection."""
        if self.sockets >= MOST_SOCKETS:
            await websocket.close(1013)
            return
        self.sockets += 1
        process = SessionProcess(self.source)
        key = id(process)
        try:
            await websocket.accept()
            while True:
                text = await websocket.receive_text()
                if not process.started:
                    self._make_room()
                    await process.start()
                    self.processes[key] = process
                await websocket.send_text(await self._answered(process, text, websocket))
        except Exception:
            with contextlib.suppress(Exception):
                await websocket.close(1011)
        finally:
            self.sockets -= 1
            self.processes.pop(key, None)
            process.end()

    async def _answered(self, process: SessionProcess, text: str, websocket: Any) -> str:
        """The reply; a page that goes while it is made ends what makes it."""
        answer = asyncio.ensure_future(process.answer(text))
        gone = asyncio.ensure_future(websocket.receive())
        done, _ = await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
        if answer not in done:  # the page waits for each reply: what comes first is its leaving
            answer.cancel()
            raise ConnectionError
        gone.cancel()
        return await answer

    def _make_room(self) -> None:
        """Where there are too many sessions, end the one that has been idle longest."""
        if len(self.processes) >= MOST_SESSIONS:
            key = min(self.processes, key=lambda key: self.processes[key].used)
            self.processes.pop(key).end()


class SessionProcess:
    """One page's session, in a process that can be ended."""

    def __init__(self, source: str) -> None:
        self.source, self.used = source, time.monotonic()
        self.process: asyncio.subprocess.Process | None = None

    @property
    def started(self) -> bool:
        """Whether there is a process."""
        return self.process is not None

    async def start(self) -> None:
        """Start the process."""
        pipe = asyncio.subprocess.PIPE
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "deltarule.playground.worker", self.source, stdin=pipe, stdout=pipe,
            stderr=asyncio.subprocess.DEVNULL, limit=MOST_REPLY,
        )  # fmt: skip

    async def answer(self, text: str) -> str:
        """Send a message and wait for its reply."""
        assert self.process is not None
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.used = time.monotonic()
        self.process.stdin.write(" ".join(text.splitlines()).encode() + b"\n")
        await self.process.stdin.drain()
        line = await self.process.stdout.readline()
        self.used = time.monotonic()
        if not line:
            raise ConnectionError
        return line.decode().rstrip("\n")

    def end(self) -> None:
        """End it at once, whatever it does."""
        if self.process is not None and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()


def page_files() -> dict[str, bytes]:
    """Return the files of the page, by name."""
    folder = resources.files("deltarule.playground").joinpath("page")
    files = {entry.name: entry.read_bytes() for entry in folder.iterdir() if entry.is_file()}
    font = resources.files("deltarule.documents").joinpath("assets", "stix-two-math.woff2")
    return files | {
        "stix-two-math.woff2": font.read_bytes(),
        "site.json": json.dumps({"socket": "session"}).encode(),
    }


async def _refuse(scope: Any, receive: Receive, send: Send, reason: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": f"{reason}\n".encode()})


def _bound(host: str, port: int) -> socket.socket:
    """Return a socket that listens, or refuse in words."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        bound = socket.socket(family, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen()  # whoever comes before the server is ready waits
    except (OSError, OverflowError) as error:
        raise InputError(f"cannot listen on {host}, port {port}: {error}") from None
    return bound
