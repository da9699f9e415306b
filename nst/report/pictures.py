"""The pictures that a report shows, and previews of them that fit into it."""

import base64
import io
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import PIL.Image

from nst.images.formats import quiet
from nst.report.runs import Run

SIDE = 512  # the longest, of a preview
_TOTAL = 18_000_000  # bytes of all previews as base64: a browser reads them in about a second
_QUALITIES = (82, 65, 45, 30)


class Preview(NamedTuple):
    """A WebP picture as base64."""

    width: int
    height: int
    data: str


class Pictures:
    """The pictures of some runs: `paths` has each input once, and every result."""

    def __init__(self, runs: Sequence[Run]):
        self.paths: list[str] = []
        self._inputs: dict[tuple[str, str], int] = {}
        for run in runs:
            for name, file in run.modality.inputs.items():
                path = run.folder / file.preview
                if file.preview and path.exists() and run.input(name) not in self._inputs:
                    self._inputs[run.input(name)] = self._add(path)

    def of(self, run: Run) -> dict[str, Any]:
        """Return places in `paths` of a run's `result` and `inputs`; `frame` names a result that is not the last."""
        result, latest = run.modality.result, run.latest
        shown = latest if result.preview == result.name else result.preview
        there = bool(shown) and (run.folder / shown).exists()
        return {
            "inputs": {name: self._inputs.get(run.input(name)) for name in run.modality.inputs},
            "result": self._add(run.folder / shown) if there else None,
            "frame": latest if latest != result.name else "",
        }

    def _add(self, path: Path) -> int:
        self.paths.append(str(path))
        return len(self.paths) - 1


def previews(paths: Sequence[str]) -> list[Preview | None]:
    """Return previews that take at most 18 MB together; None for a picture that can't be read."""
    limit = _TOTAL * 3 // 4 // max(1, len(paths))  # base64 makes four bytes of three
    with quiet(), ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda path: preview(path, limit), paths))


def preview(path: str, limit: int) -> Preview | None:
    """Return a preview of at most `limit` bytes, if there can be one."""
    try:
        whole = opened(path)
        content = _fitting(whole, limit)
        while content is None and min(whole.size) > 8:
            whole = whole.resize((whole.width // 2, whole.height // 2))
            content = _fitting(whole, limit)
    except (OSError, ValueError, SyntaxError):  # Pillow's, of damaged files
        return None
    if content is None:
        return None
    return Preview(*whole.size, base64.b64encode(content).decode())


def _fitting(picture: PIL.Image.Image, limit: int) -> bytes | None:
    """In the best quality of which it takes at most `limit` bytes."""
    return next((found for q in _QUALITIES if len(found := _webp(picture, q)) <= limit), None)


def opened(path: str, side: int = SIDE) -> PIL.Image.Image:
    """Return the picture, its longest side at most `side`."""
    with PIL.Image.open(path) as file:
        picture = file.convert("RGB")
    picture.thumbnail((side, side), PIL.Image.Resampling.LANCZOS)
    return picture


def _webp(picture: PIL.Image.Image, quality: int) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "WEBP", quality=quality, method=2)
    return stream.getvalue()
