"""The site builds without a warning and without a network, and shows what it should."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder],
        cwd=ROOT,
        env={"NO_MKDOCS_2_WARNING": "1", "PATH": "", "HOME": str(folder)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


class Fetched(HTMLParser):
    """Collects what a page makes a browser fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        if tag in {"script", "img", "iframe"}:
            self.addresses.append(named.get("src") or "")
        if tag == "link" and named.get("rel") != "canonical":
            self.addresses.append(named.get("href") or "")


def test_nothing_is_fetched_from_elsewhere(site):
    for page in site.rglob("*.html"):
        parser = Fetched()
        parser.feed(page.read_text(encoding="utf-8"))
        assert not [one for one in parser.addresses if re.match(r"(https?:)?//", one)], page


def test_every_public_name_has_its_entry(site):
    import plasticish

    for name, home in plasticish._HOME.items():
        page = (site / "api" / f"{home}.html").read_text(encoding="utf-8")
        assert f'id="plasticish.{home}.{name}"' in page


def test_every_result_is_shown_with_its_picture(site):
    results = ROOT / "benchmarks" / "results"
    for result in results.rglob("*.json"):
        id = result.relative_to(results).with_suffix("").as_posix()
        page = (site / "benchmarks" / f"{id.split('/')[0]}.html").read_text(encoding="utf-8")
        assert f"{id}:" in page
        assert (site / "benchmarks" / f"{id}.png").exists()


def test_every_notebook_is_a_page_with_its_code(site):
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        page = (site / "notebooks" / f"{notebook.stem}.html").read_text(encoding="utf-8")
        assert page.count("<code") >= 8, notebook.stem
        index = (site / "notebooks" / "index.html").read_text(encoding="utf-8")
        assert f"{notebook.stem}.html" in index


def test_formulas_are_drawn_and_roles_are_none(site):
    page = (site / "api" / "rules.html").read_text(encoding="utf-8")
    assert page.count("<math") > 50
    for page in (site / "api").glob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.search(r":(class|func|meth|mod|math|data|attr):", text), page.name
        assert ".. math::" not in text


def test_directives_become_formulas():
    place = ROOT / "docs" / "_site" / "docstrings.py"
    spec = importlib.util.spec_from_file_location("docstrings", place)
    docstrings = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(docstrings)
    written = "One.\n\n    .. math::\n\n       a = b \\\\\n       c\n\n    Two :math:`d`."
    assert docstrings.markdown(written) == (
        "One.\n\n\n    $$\n    a = b \\\\\n    c\n    $$\n\n    Two $d$."
    )
