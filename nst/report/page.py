"""The HTML file of a report: a template, its style and script, and the data of `collect`.

Names, paths and configs are untrusted text. They are JSON in an element that is not executed, the script inserts them
as text and never as markup, and the security policy allows only this style and this script, by their hashes.
"""

import base64
import hashlib
import html
import json
import os
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote

from nst import files
from nst.report import audio, video
from nst.report.images import previews
from nst.types import Values

ASSETS = Path(__file__).parent / "assets"
STYLES = ("base.css", "parts.css")
_SCRIPTS = (
    "dom",
    "data",
    "images",
    "audio",
    "video",
    "plot",
    "frames",
    "view",
    "grid",
    "curves",
    "tradeoff",
    "table",
    "rest",
    "main",
)


def write(report: Values, folder: Path, output: Path) -> Path:
    """Write the page of a report on `folder` to `output`, and return that path."""
    base = os.path.relpath(folder.absolute(), output.absolute().parent)
    files.write_bytes(output, render(report, base).encode("utf-8", "xmlcharrefreplace"))
    return output


def render(report: Values, base: str = ".") -> str:
    """Return the page as HTML.

    Args:
      report: The data that `collect` returned.
      base: Relative path from the page to the directory that is reported on.
    """
    images, (sounds, cut) = previews(report["images"]), audio.excerpts(report["audio"])
    clips, cut_clips = video.excerpts(report["video"])
    trials = [trial | {"folder": _address(trial["folder"])} for trial in report["trials"]]
    data = dict(report) | {
        "trials": trials,
        "base": f"./{_address(Path(base).as_posix())}",
        "images": [image and image[:2] for image in images],
        "audio": [each and each.seconds for each in sounds],
        "video": [each and {"seconds": each.seconds, "rate": each.rate} for each in clips],
        "cut": {"audio": cut, "video": cut_clips},
    }
    style = "\n".join((ASSETS / name).read_text("utf-8") for name in STYLES)
    script = "\n".join((ASSETS / f"{name}.js").read_text("utf-8") for name in _SCRIPTS)
    script = f'"use strict";\n(() => {{\n{script}\n}})();\n'
    # Placed after the script, so that the page is shown before they are read.
    held = [
        f'<script type="text/plain" id="{letter}{number}">{each.data}</script>'
        for letter, items in (("p", images), ("s", sounds), ("v", clips))
        for number, each in enumerate(items)
        if each
    ]
    return Template((ASSETS / "page.html").read_text("utf-8")).substitute(
        policy=_policy(style, script, media=bool(sounds or clips)),
        title=html.escape(f"{report['title']} · {report['folder']}"),
        style=style,
        data=escaped(data),
        script=script,
        held="\n".join(held),
    )


def escaped(data: Any) -> str:
    """Return data as JSON in ASCII, without characters that could begin or end an element."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _policy(style: str, script: str, *, media: bool) -> str:
    """Return a content security policy: nothing is loaded, and no other style or script runs."""
    source = "media-src blob:; " if media else ""
    return (
        f"default-src 'none'; img-src blob: data:; {source}style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _address(path: str) -> str:
    return quote(os.fsencode(path))
