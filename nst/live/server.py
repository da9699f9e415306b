"""The server of the live page: files of a directory, and events when its runs change. It answers GET only."""

import asyncio
import contextlib
import json
import logging
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route

from nst.errors import InputError
from nst.live.rows import KINDS, Row, detail, rows
from nst.report import collect, page

_ASSETS = Path(__file__).parent / "assets"
_SCRIPTS = ("dom", "plot")  # of the report
_SHARE = 20  # the directory is looked at for at most a twentieth of the time
_INTERVAL = 0.5  # seconds between two looks, at least
_HEARTBEAT = 10.0  # seconds after which something is sent, so that a viewer who has left is noticed
_TYPES = {"image": "image/png", "audio": "audio/wav", "video": "video/mp4"}
_POLICY = (
    "default-src 'none'; img-src 'self' data:; media-src 'self'; connect-src 'self'; style-src 'self'; "
    "script-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


class Watch:
    """The rows of a directory, read while somebody listens.

    Args:
      folder: The directory.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.rows: dict[str, Row] = {}
        self._listeners: set[asyncio.Event] = set()
        self._task: asyncio.Task[None] | None = None

    @property
    def listeners(self) -> int:
        """The number of viewers."""
        return len(self._listeners)

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[asyncio.Event]:
        """Yield an event that is set when rows have changed; the directory is looked at until the last one leaves."""
        event = asyncio.Event()
        self._listeners.add(event)
        if self._task is None:
            await self._look()
            self._task = asyncio.create_task(self._watch())
        try:
            yield event
        finally:
            self._listeners.discard(event)
            if not self._listeners and self._task is not None:
                self._task.cancel()
                self._task = None

    async def _watch(self) -> None:
        while True:
            began = time.monotonic()
            await self._look()
            await asyncio.sleep(max(_INTERVAL, _SHARE * (time.monotonic() - began)))

    async def _look(self) -> None:
        try:
            latest = await asyncio.to_thread(rows, self.folder, self.rows)
        except (
            Exception
        ):  # whatever a directory holds, the page goes on, and shows the next state that can be read
            logging.getLogger(__name__).exception("%s can't be read", self.folder)
            return
        if latest != self.rows:
            self.rows = latest
            for event in self._listeners:
                event.set()


def application(folder: Path, hosts: list[str]) -> Starlette:
    """Return the ASGI application.

    Args:
      folder: The directory; nothing outside it is served.
      hosts: The names by which browsers may call this machine: other names are a page's attempt to read it.
    """
    folder = folder.resolve()
    watch = Watch(folder)

    async def events(_: Request) -> Response:
        return StreamingResponse(_events(watch), media_type="text/event-stream", headers=_HEADERS)

    async def run(request: Request) -> Response:
        value = await asyncio.to_thread(detail, folder, request.query_params.get("folder", ""))
        return JSONResponse(value, status_code=200 if value else 404, headers=_HEADERS)

    async def file(request: Request) -> Response:
        path = inside(folder, request.path_params["path"])
        if path is None:
            return PlainTextResponse("there is no such file", status_code=404, headers=_HEADERS)
        return FileResponse(path, media_type=_TYPES[KINDS[path.suffix]], headers=_HEADERS)

    async def report(_: Request) -> Response:
        try:
            text = await asyncio.to_thread(lambda: page.render(collect(folder), "files"))
        except InputError as error:
            return PlainTextResponse(str(error), status_code=404, headers=_HEADERS)
        own = {name: value for name, value in _HEADERS.items() if name != "Content-Security-Policy"}
        return HTMLResponse(text, headers=own)  # the report has its own policy

    async def index(_: Request) -> Response:
        return HTMLResponse((_ASSETS / "live.html").read_text("utf-8"), headers=_HEADERS)

    async def script(_: Request) -> Response:
        return Response(_script(), media_type="text/javascript", headers=_HEADERS)

    async def style(_: Request) -> Response:
        return Response(_style(), media_type="text/css", headers=_HEADERS)

    routes = {
        "/": index,
        "/live.js": script,
        "/live.css": style,
        "/events": events,
        "/run": run,
        "/report": report,
        "/files/{path:path}": file,
    }
    app = Starlette(
        routes=[Route(path, endpoint, methods=["GET"]) for path, endpoint in routes.items()],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=hosts)],
    )
    app.state.watch = watch
    return app


async def _events(watch: Watch) -> AsyncIterator[str]:
    """Yield all rows, and then the rows that changed and the folders of runs that are gone, as they change."""
    async with watch.listening() as changed:
        sent: dict[str, Row] = {}
        yield _event({"folder": str(watch.folder)}, "directory")
        while True:
            changed.clear()
            now = watch.rows
            news = [row for key, row in now.items() if sent.get(key) is not row]
            gone = [key for key in sent if key not in now]
            yield _event({"rows": news, "gone": gone, "now": time.time()}, "rows")
            sent = now
            while not changed.is_set():
                try:
                    await asyncio.wait_for(changed.wait(), timeout=_HEARTBEAT)
                except TimeoutError:
                    yield ": nothing new\n\n"


def _event(value: Any, name: str) -> str:
    return f"event: {name}\ndata: {json.dumps(value)}\n\n"


def inside(folder: Path, name: str) -> Path | None:
    """Return the path of a file of a kind that is shown, if it is in the folder also behind links; else None."""
    try:
        path = (folder / name).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        return None
    is_served = path.is_file() and path.suffix in KINDS and path.is_relative_to(folder)
    return path if is_served else None


def _script() -> str:
    parts = [(page.ASSETS / f"{name}.js").read_text("utf-8") for name in _SCRIPTS]
    text = "\n".join([*parts, (_ASSETS / "live.js").read_text("utf-8")])
    return f'"use strict";\n(() => {{\n{text}\n}})();\n'


def _style() -> str:
    parts = [(page.ASSETS / name).read_text("utf-8") for name in page.STYLES]
    return "\n".join([*parts, (_ASSETS / "live.css").read_text("utf-8")])


def configured(app: Starlette) -> uvicorn.Config:
    """Return the settings of the server: a viewer does not keep it from stopping."""
    return uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)


def serve(folder: Path, host: str, port: int) -> None:
    """Serve until the process is interrupted.

    Raises:
      InputError: The address can't be listened on.
    """
    hosts = ["127.0.0.1", "localhost", host] if host not in ("0.0.0.0", "::") else ["*"]
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise InputError(f"{host}:{port} can't be listened on: give another --port or --host") from error
    name = {"0.0.0.0": "127.0.0.1"}.get(host, f"[{host}]" if ":" in host else host)
    print(f"http://{name}:{port} shows {folder}; stop it with Ctrl-C", flush=True)
    with listening:
        uvicorn.Server(configured(application(folder, hosts))).run(sockets=[listening])
