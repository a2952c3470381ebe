"""The reference pages of rules and neuromodulators: none is missing, none drifts from the code."""

import ast
import importlib
import inspect
import re
from dataclasses import is_dataclass
from math import isclose
from pathlib import Path

import pytest

import plasticish.modulation
import plasticish.rules
from plasticish.core import Persistent

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "rules"
INDEX = FOLDER / "index.md"
PAGES = sorted(set(FOLDER.glob("*.md")) - {INDEX})
SECTIONS = [
    "Description",
    "Equation",
    "Parameters",
    "Coincident spikes",
    "Example",
    "References",
    "See also",
]
COLUMNS = ["name", "symbol", "unit", "default", "meaning"]

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def sections(page: Path) -> dict[str, str]:
    parts = re.split(r"^## (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def named_classes(page: Path) -> list[type]:
    """The classes that the sentence above the table of parameters names by their full path."""
    intro = sections(page)["Parameters"].split("\n|")[0]
    paths = re.findall(r"`(plasticish\.[\w.]+)`", intro)
    assert paths, f"{page.name} does not say whose parameters these are"
    homes = (path.rpartition(".") for path in paths)
    return [getattr(importlib.import_module(home), name) for home, _, name in homes]


def arguments(kind: type) -> dict[str, object]:
    """Names and defaults of what a class is made with; ``parameters`` are a table of their own."""
    given = inspect.signature(kind).parameters.values()
    return {one.name: one.default for one in given if one.name != "parameters"}


def rows(page: Path) -> list[list[str]]:
    lines = [line for line in sections(page)["Parameters"].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def value(cell: str) -> object:
    text = cell.strip("`")
    try:
        return ast.literal_eval(text)
    except ValueError:
        return float(text)  # inf and -inf


def same(shown: object, default: object) -> bool:
    if isinstance(default, float) and isinstance(shown, float):
        return shown == default or isclose(shown, default, rel_tol=1e-12)
    return type(shown) is type(default) and shown == default


def documented() -> set[type]:
    """Every rule's parameters, and every neuromodulator that can be switched off."""
    rules = [getattr(plasticish.rules, name) for name in plasticish.rules.__all__]
    parameters = {one for one in rules if is_dataclass(one) and one.__name__.endswith("Parameters")}
    modulation = [getattr(plasticish.modulation, name) for name in plasticish.modulation.__all__]
    modulators = {
        one
        for one in modulation
        if inspect.isclass(one) and issubclass(one, Persistent) and "enabled" in arguments(one)
    }
    return parameters - {plasticish.rules.RuleParameters} | modulators


def test_every_rule_and_modulator_has_a_page():
    have = {kind for page in PAGES for kind in named_classes(page)}
    assert len(documented()) == 14
    assert documented() <= have


def test_the_index_leads_to_every_page_once():
    cells = re.findall(r"\]\((\w+\.md)\) \|$", INDEX.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(cells) == [page.name for page in PAGES]


@every_page
def test_a_page_has_the_fixed_sections_in_order_and_none_is_empty(page):
    headings = re.findall(r"^(#+) (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert headings[0][0] == "#"
    assert headings[1:] == [("##", title) for title in SECTIONS]
    assert all(text.strip() for text in sections(page).values())


@every_page
def test_the_table_names_the_fields_of_the_class_with_their_defaults(page):
    heading, rule, *table = rows(page)
    assert heading == COLUMNS
    assert set("".join(rule)) <= set("-: ")
    assert all(len(row) == len(COLUMNS) and all(row) for row in table)
    expected: dict[str, object] = {}
    for kind in named_classes(page):
        expected |= arguments(kind)
    names = [row[0].strip("`") for row in table]
    assert sorted(names) == sorted(expected)
    for name, row in zip(names, table, strict=True):
        shown, default = value(row[3]), expected[name]
        assert same(shown, default), f"{name}: the page says {shown!r}, the class {default!r}"


@pytest.mark.parametrize(
    "page", [page for page in PAGES if "plasticish.rules" in sections(page)["Parameters"]]
)
def test_units_of_time_are_those_of_the_names(page):
    for name, _, unit, *_ in rows(page)[2:]:
        if name.startswith("`tau_"):
            assert unit == ("s" if name.endswith("_s`") else "ms")


@every_page
def test_a_page_has_an_equation_an_example_and_references(page):
    parts = sections(page)
    assert parts["Equation"].count("$$") >= 2
    assert parts["Equation"].count("$$") % 2 == 0
    assert ">>> " in parts["Example"]
    references = [line for line in parts["References"].splitlines() if line.startswith("- ")]
    assert references
    assert all(re.search(r"\((1[89]|20)\d\d\)", line) for line in references)


@every_page
def test_a_rule_without_spike_times_says_so(page):
    text = sections(page)["Coincident spikes"]
    timed = "coincidence" in {row[0].strip("`") for row in rows(page)}
    sees_spikes = timed or page.stem == "short_term"
    assert ("coincidence=" in text or "triplet_stdp.md" in text) == timed
    assert ("has no spike times" in " ".join(text.split())) == (not sees_spikes)


@pytest.mark.parametrize("page", [*PAGES, INDEX], ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    assert targets
    for target in targets:
        path, _, anchor = target.partition("#")
        if match := re.fullmatch(r"\.\./api/(\w+)\.md", path):
            # Made with the site, from the public names of the package: they are the anchors.
            home, _, name = anchor.rpartition(".")
            assert home == f"plasticish.{match[1]}"
            assert name in importlib.import_module(home).__all__
        else:
            assert (page.parent / path).is_file(), target
            if anchor:
                assert f"## {anchor.replace('-', ' ')}" in (
                    (page.parent / path).read_text(encoding="utf-8").lower()
                )
