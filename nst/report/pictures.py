"""Which pictures a report shows, and previews of them that fit into it.

Contents and styles of pictures are cut from the sheets of finished runs: where they were read from may be on another
machine.
"""

import base64
import io
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import PIL.Image

from nst.images.formats import quiet
from nst.report.kinds import INPUTS
from nst.report.runs import Run
from nst.sweep.trials import DONE

SIDE = 512  # the longest, of a preview
_TOTAL = 18_000_000  # bytes of all previews as base64: a browser reads them in about a second
_QUALITIES = (82, 65, 45, 30)
_SLACK = 2  # pixels by which the content's width in a sheet may differ from the result's


class Preview(NamedTuple):
    """A WebP picture as base64."""

    width: int
    height: int
    data: str


class Pictures:
    """The pictures of some runs, each once: `found` has a `path`, the `part` of it that is shown, and the `result`."""

    def __init__(self, runs: Sequence[Run]):
        self.found: list[dict[str, str]] = []
        self._inputs: dict[tuple[str, str], int] = {}
        for run in runs:
            for part in INPUTS if run.state == DONE else ():
                name = run.kind.inputs.get(part, "sheet.png")
                if (run.folder / name).exists() and run.input(part) not in self._inputs:
                    whole = "result" if part in run.kind.inputs else part
                    self._inputs[run.input(part)] = self._add(run, name, whole)

    def of(self, run: Run) -> dict[str, Any]:
        """Places of a run's `result`, `content` and `style` in `found`; `frame` names a result that is not the last."""
        kind = run.kind
        latest = kind.latest(run.folder)
        shown = latest if kind.preview == kind.result else kind.preview
        there = bool(shown) and (run.folder / shown).exists()
        return {part: self._inputs.get(run.input(part)) for part in INPUTS} | {
            "result": self._add(run, shown, "result") if there else None,
            "frame": latest if latest != kind.result else "",
        }

    def _add(self, run: Run, name: str, part: str) -> int:
        result = run.folder / run.kind.preview
        self.found.append({"path": str(run.folder / name), "part": part, "result": str(result)})
        return len(self.found) - 1


def previews(found: Sequence[dict[str, str]]) -> list[Preview | None]:
    """Previews that take at most 18 MB together; None for a picture that can't be read."""
    limit = _TOTAL * 3 // 4 // max(1, len(found))  # base64 makes four bytes of three
    with quiet(), ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda picture: preview(picture, limit), found))


def preview(picture: dict[str, str], limit: int) -> Preview | None:
    """A preview of at most `limit` bytes, if there can be one."""
    try:
        whole = opened(picture)
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


def opened(picture: dict[str, str], side: int = SIDE) -> PIL.Image.Image:
    """The picture itself, its longest side at most `side`."""
    with PIL.Image.open(picture["path"]) as file:
        found = _part(file.convert("RGB"), picture)
    found.thumbnail((side, side), PIL.Image.Resampling.LANCZOS)
    return found


def _part(sheet: PIL.Image.Image, picture: dict[str, str]) -> PIL.Image.Image:
    """Of a sheet, which is content, gap, style, gap and result, the one that is asked for."""
    if picture["part"] == "result":
        return sheet
    with PIL.Image.open(picture["result"]) as file:
        width = file.width
    gap = max(2, sheet.height // 64)
    left, right = width + gap + _SLACK, sheet.width - width - gap
    sides = (0, width - _SLACK) if picture["part"] == "content" else (left, right)
    return sheet.crop((sides[0], 0, max(sides[0] + 1, sides[1]), sheet.height))


def _webp(picture: PIL.Image.Image, quality: int) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "WEBP", quality=quality, method=2)
    return stream.getvalue()
