"""Both writers of a document escape everything, and the HTML needs nothing beside itself."""

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plasticish.bench.document import (
    Bullets,
    Code,
    Heading,
    Link,
    Mark,
    Paragraph,
    Picture,
    Table,
    to_html,
    to_markdown,
)

NASTY = "<script>alert('x')</script> & \"quoted\" | *bold* _under_ `code` [link](http://x)"


class Reader(HTMLParser):
    """Collects tags, attributes and text, and refuses tags that are not closed in order."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text.append(data)


def read(page):
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def everywhere(text, picture):
    return [
        Heading(2, text, "here"),
        Paragraph.of(text, Mark(text, "bad"), Link(text, "here")),
        Bullets((text, Mark(text, "good"))),
        Code(text),
        Table((text, text), ((text, Mark(text, "quiet")),)),
        Picture(picture, text),
    ]


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp("document") / "figures" / "one.png"
    path.parent.mkdir()
    path.write_bytes(b"not really a picture")
    return path


def test_html_says_the_text_itself_and_nothing_of_it_is_markup(picture):
    page = read(to_html(everywhere(NASTY, picture), NASTY))
    assert "script" not in page.tags
    assert page.text.count(NASTY) == 12
    assert ("alt", NASTY) in page.attributes


@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_html_is_well_formed_whatever_the_text(text, picture):
    page = read(to_html(everywhere(text, picture), text))
    assert set(page.tags) <= {
        *("html", "head", "meta", "title", "style", "body", "main", "h2", "p", "span", "a", "ul"),
        *("li", "pre", "div", "table", "thead", "tbody", "tr", "th", "td", "img"),
    }


def test_html_holds_its_pictures_and_asks_for_nothing(picture):
    page = read(to_html(everywhere("text", picture), "title"))
    source = dict(page.attributes)["src"]
    assert base64.b64decode(source.removeprefix("data:image/png;base64,")) == picture.read_bytes()
    links = [value for name, value in page.attributes if name in ("href", "src")]
    assert all(link.startswith(("#", "data:")) for link in links)


def test_markdown_escapes_and_names_its_pictures(picture):
    text = to_markdown(everywhere(NASTY, picture), picture.parents[1])
    outside = "\n".join(line for line in text.splitlines() if not line.startswith("    "))
    assert not re.search(r"(?<!\\)<script", outside)
    assert "\\<script\\>" in outside
    assert "](figures/one.png)" in outside
    (row,) = [line for line in outside.splitlines() if line.startswith("| \\<script")][1:]
    assert row.replace("\\|", "").count("|") == 3


def test_numbers_stand_to_the_right():
    table = Table(("row", "ACC"), (("brain", "90.0"),))
    assert to_markdown([table], Path()).splitlines()[1] == "| --- | ---: |"
    assert '<td class="n">90.0</td>' in to_html([table], "")
