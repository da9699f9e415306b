"""The images that a report shows, and previews small enough to be part of it."""

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
from nst.video import EXTENSIONS

SIDE = 512  # longest side of a preview, in pixels
_TOTAL = 18_000_000  # bytes of all previews as base64: a browser reads them in about a second
_QUALITIES = (82, 65, 45, 30)


class Preview(NamedTuple):
    """A WebP image as base64, with its width and height in pixels."""

    width: int
    height: int
    data: str


class ImageFiles:
    """The images of several runs: `paths` has each input once, and every result."""

    def __init__(self, runs: Sequence[Run]):
        self.paths: list[str] = []
        self._inputs: dict[tuple[str, str], int] = {}
        for run in runs:
            for name in run.inputs:
                preview = run.modality.file(name).preview
                path = run.folder / preview
                if preview and path.exists() and run.input(name) not in self._inputs:
                    self._inputs[run.input(name)] = self._add(path)

    def of(self, run: Run) -> dict[str, Any]:
        """Return the indices in `paths` of a run's `result` and `inputs`; `frame` names an intermediate result.

        Of a video the sheet is an image, too, as `sheet`.
        """
        result, latest = run.modality.result, run.latest
        file = latest if Path(latest).suffix == Path(result.preview).suffix else result.preview
        sheet = run.folder / "sheet.png"
        has_sheet = Path(result.name).suffix in EXTENSIONS and sheet.exists()
        exists = bool(file) and (run.folder / file).exists()
        return {
            "inputs": {name: self._inputs.get(run.input(name)) for name in run.inputs},
            "result": self._add(run.folder / file) if exists else None,
            "sheet": self._add(sheet) if has_sheet else None,
            "frame": latest if latest != result.name else "",
        }

    def _add(self, path: Path) -> int:
        self.paths.append(str(path))
        return len(self.paths) - 1


def previews(paths: Sequence[str]) -> list[Preview | None]:
    """Return previews that take at most 18 MB together; None for an image that can't be read."""
    limit = _TOTAL * 3 // 4 // max(1, len(paths))  # base64 makes four bytes of three
    with quiet(), ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda path: preview(path, limit), paths))


def preview(path: str, limit: int) -> Preview | None:
    """Return a preview of at most `limit` bytes before base64; None if the image can't be read or made small enough."""
    try:
        whole = opened(path)
        content = _fitting(whole, limit)
        while content is None and min(whole.size) > 8:
            whole = whole.resize((whole.width // 2, whole.height // 2))
            content = _fitting(whole, limit)
    except (OSError, ValueError, SyntaxError):  # raised by Pillow for damaged files
        return None
    if content is None:
        return None
    return Preview(*whole.size, base64.b64encode(content).decode())


def _fitting(image: PIL.Image.Image, limit: int) -> bytes | None:
    """Encode an image in the best quality that takes at most `limit` bytes; return None if none does."""
    return next((content for q in _QUALITIES if len(content := _webp(image, q)) <= limit), None)


def opened(path: str, side: int = SIDE) -> PIL.Image.Image:
    """Return an image, RGB or RGBA, reduced so that its longest side has at most `side` pixels."""
    with PIL.Image.open(path) as file:
        image = file.convert("RGBA" if file.has_transparency_data else "RGB")
    image.thumbnail((side, side), PIL.Image.Resampling.LANCZOS)
    return image


def _webp(image: PIL.Image.Image, quality: int) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "WEBP", quality=quality, method=2)
    return stream.getvalue()
