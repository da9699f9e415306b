"""The server of the live page: files of a directory, and events when its runs change. It answers GET and HEAD only."""

import asyncio
import contextlib
import json
import logging
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
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
from nst.live.rows import KINDS, Row, detail, rows, runs_in
from nst.report import collect, page
from nst.report.runs import Run

_ASSETS = Path(__file__).parent / "assets"
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

    Attributes:
      runs: The runs by folder, at the last look.
      rows: Their rows.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.runs: dict[str, Run] = {}
        self.rows: dict[str, Row] = {}
        self.closed = False
        self._listeners: set[asyncio.Event] = set()
        self._task: asyncio.Task[None] | None = None

    @property
    def listeners(self) -> int:
        """The number of viewers."""
        return len(self._listeners)

    @contextlib.contextmanager
    def listening(self) -> Iterator[asyncio.Event]:
        """Yield an event that is set after the first look and when rows have changed.

        The directory is looked at until the last listener leaves.
        """
        event = asyncio.Event()
        self._listeners.add(event)
        if self._task is None:
            self._task = asyncio.create_task(self._watch())
        else:
            event.set()
        try:
            yield event
        finally:
            self._listeners.discard(event)
            if not self._listeners and self._task is not None:
                self._task.cancel()
                self._task = None

    async def run(self, key: str) -> Run | None:
        """Return the run of a folder; None if there is none."""
        if key not in self.runs:
            await self._look()
        return self.runs.get(key)

    def close(self) -> None:
        """Let all listeners go."""
        self.closed = True
        self._tell()

    def _tell(self) -> None:
        for event in self._listeners:
            event.set()

    async def _watch(self) -> None:
        is_first = True
        while True:
            began = time.monotonic()
            if await self._look() or is_first:
                self._tell()
            is_first = False
            await asyncio.sleep(max(_INTERVAL, _SHARE * (time.monotonic() - began)))

    async def _look(self) -> bool:
        """Read the directory, and return whether rows have changed."""
        try:
            runs = await asyncio.to_thread(runs_in, self.folder)
            latest = await asyncio.to_thread(rows, runs, self.rows)
        except Exception:  # whatever a directory holds, the page goes on with the next state that can be read
            logging.getLogger(__name__).exception("%s can't be read", self.folder)
            return False
        changed = latest != self.rows
        self.runs, self.rows = runs, latest
        return changed


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
        key = request.query_params.get("folder", "")
        chosen = await watch.run(key)
        if chosen is None:
            return PlainTextResponse("there is no such run", status_code=404, headers=_HEADERS)
        return JSONResponse(await asyncio.to_thread(detail, chosen, key), headers=_HEADERS)

    async def file(request: Request) -> Response:
        path = inside(folder, request.path_params["path"])
        if path is None:
            return PlainTextResponse("there is no such file", status_code=404, headers=_HEADERS)
        return FileResponse(path, media_type=_TYPES[KINDS[path.suffix]], headers=_HEADERS)

    async def report(request: Request) -> Response:
        try:
            text = await asyncio.to_thread(_report, folder, request.query_params.get("folder", "."))
        except InputError as error:
            return PlainTextResponse(str(error), status_code=404, headers=_HEADERS)
        own = {name: value for name, value in _HEADERS.items() if name != "Content-Security-Policy"}
        return HTMLResponse(text, headers=own)  # the report has its own policy

    routes = {
        "/": _fixed(_page, "text/html"),
        "/live.js": _fixed(_script, "text/javascript"),
        "/live.css": _fixed(_style, "text/css"),
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
    with watch.listening() as changed:
        sent: dict[str, Row] | None = None
        yield _event({"folder": str(watch.folder)}, "directory")
        while not watch.closed:
            try:
                await asyncio.wait_for(changed.wait(), timeout=_HEARTBEAT)
            except TimeoutError:
                yield ": nothing new\n\n"
                continue
            changed.clear()
            now, before = watch.rows, sent or {}
            news = [row for key, row in now.items() if before.get(key) is not row]
            gone = [key for key in before if key not in now]
            if news or gone or sent is None:
                yield _event({"rows": news, "gone": gone, "now": time.time()}, "rows")
            sent = now


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


def _report(folder: Path, name: str) -> str:
    """Return the report on the directory or on a sweep in it, as HTML.

    Raises:
      InputError: There is no such directory, it has no run, or links lead out of it.
    """
    root = (folder / name).resolve()
    if not root.is_relative_to(folder) or not root.is_dir():
        raise InputError(f"{name}: there is no such directory")
    data = collect(root)
    paths = [root / trial["folder"] for trial in data["trials"]]
    paths += [Path(path) for kind in ("images", "audio", "video") for path in data[kind]]
    for path in paths:
        if not path.resolve().is_relative_to(folder):
            raise InputError(f"{path} leads out of the directory: make the report by nst report {root}")
    return page.render(data, Path("files", root.relative_to(folder)).as_posix())


def _fixed(text: Callable[[], str], media_type: str) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint of a part of the page."""

    async def endpoint(_: Request) -> Response:
        return Response(text(), media_type=media_type, headers=_HEADERS)

    return endpoint


def _page() -> str:
    return (_ASSETS / "live.html").read_text("utf-8")


def _script() -> str:
    paths = [page.ASSETS / "dom.js", page.ASSETS / "plot.js", _ASSETS / "run.js", _ASSETS / "live.js"]
    text = "\n".join(path.read_text("utf-8") for path in paths)
    return f'"use strict";\n(() => {{\n{text}\n}})();\n'


def _style() -> str:
    parts = [(page.ASSETS / name).read_text("utf-8") for name in page.STYLES]
    return "\n".join([*parts, (_ASSETS / "live.css").read_text("utf-8")])


class Server(uvicorn.Server):
    """The server of an application: viewers do not keep it from stopping.

    Args:
      app: The application.
    """

    def __init__(self, app: Starlette):
        # Without web sockets, which uvicorn would look for among the installed packages.
        settings: dict[str, Any] = {"ws": "none", "lifespan": "off", "timeout_graceful_shutdown": 1}
        super().__init__(uvicorn.Config(app, log_level="warning", **settings))
        self._watch = app.state.watch

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let the viewers go, and stop."""
        self._watch.close()
        await super().shutdown(sockets)


def serve(folder: Path, host: str, port: int) -> None:
    """Serve until the process is interrupted.

    Raises:
      InputError: The address can't be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    name = f"[{host}]" if ":" in host else host
    hosts = ["*"] if host in ("0.0.0.0", "::") else ["127.0.0.1", "localhost", name]
    try:
        listening = socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise InputError(f"{host}:{port} can't be listened on: give another --port or --host") from error
    address = "127.0.0.1" if host == "0.0.0.0" else name
    print(f"http://{address}:{port} shows {folder}; stop it with Ctrl-C", flush=True)
    with listening:
        Server(application(folder, hosts)).run(sockets=[listening])
