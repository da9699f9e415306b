"""The page as text: its content, and protection against markup in names, paths and configs."""

import base64
import hashlib
import html.parser
import io
import json
import re

import pytest
from PIL import Image

from nst import report
from nst.errors import InputError
from nst.report import page


class Elements(html.parser.HTMLParser):
    """The elements of a page and their text, as a browser parses them."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self.inside = [], {}, None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.inside = len(self.tags)
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text[self.inside] = self.text.get(self.inside, "") + data

    def handle_endtag(self, tag):
        self.inside = None

    def of(self, tag, **attrs):
        return [
            self.text.get(number, "")
            for number, (name, attributes) in enumerate(self.tags)
            if name == tag and attrs.items() <= attributes.items()
        ]


def test_a_name_of_another_format_is_refused(sweep, tmp_path):
    with pytest.raises(InputError, match=r"x.pdf: a report is one HTML file: give a name that ends in .html"):
        report.write(sweep, output=tmp_path / "x.pdf")
    assert not (tmp_path / "x.pdf").exists()


def test_it_holds_the_data_and_previews(sweep):
    (path,) = report.write(sweep)
    assert path == sweep / "report.html"
    elements = Elements(path.read_text("utf-8"))
    (data,) = elements.of("script", id="data")
    assert [trial["name"] for trial in json.loads(data)["trials"]] == [
        trial["name"] for trial in report.collect(sweep)["trials"]
    ]
    pictures = elements.of("script", type="text/plain")
    assert len(pictures) == 9
    for picture in pictures:
        assert Image.open(io.BytesIO(base64.b64decode(picture))).format == "WEBP"


def test_only_its_own_style_and_script_are_allowed(sweep):
    elements = Elements(report.write(sweep)[0].read_text("utf-8"))
    (policy,) = [attributes["content"] for _, attributes in elements.tags if attributes.get("http-equiv")]
    (style,), scripts = elements.of("style"), [text for text in elements.of("script") if "use strict" in text]
    assert len(scripts) == 1
    for kind, text in (("style", style), ("script", scripts[0])):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_untrusted_text_makes_no_element(sweep, hostile):
    usual, strange = (Elements(report.write(folder)[0].read_text("utf-8")) for folder in (sweep, hostile))
    shape = [(tag, sorted(x)) for tag, x in usual.tags if x.get("type") != "text/plain"]
    assert [(tag, sorted(x)) for tag, x in strange.tags if x.get("type") != "text/plain"] == shape
    (data,) = strange.of("script", id="data")
    assert not set(data) & set("<>&\u2028\u2029")
    assert json.loads(data)["trials"][0]["name"] == "<script>"


def test_the_script_makes_no_markup():
    for path in page.ASSETS.glob("*.js"):
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", path.read_text()
        )


def test_it_refers_to_nothing_elsewhere(sweep):
    text = report.write(sweep)[0].read_text("utf-8")
    assert set(re.findall(r"https?://[^\s\"'<]+", text)) == {
        "http://www.w3.org/2000/svg"
    }  # a name, not an address


def test_the_same_runs_give_the_same_bytes(sweep):
    assert report.write(sweep)[0].read_bytes() == report.write(sweep)[0].read_bytes()


def test_elsewhere_it_links_to_where_the_runs_are(sweep, tmp_path):
    (path,) = report.write(sweep, output=tmp_path / "other" / "page.html")
    (data,) = Elements(path.read_text("utf-8")).of("script", id="data")
    assert json.loads(data)["base"] == "./../a%20sweep"
