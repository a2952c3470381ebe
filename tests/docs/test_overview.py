"""PROJECT_OVERVIEW.md describes the house that stands here."""

import re
import tomllib
from pathlib import Path

import plasticish
from plasticish.core import LEARNERS, Learner

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "PROJECT_OVERVIEW.md").read_text(encoding="utf-8")
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def section(title: str) -> str:
    return re.split(r"^## ", TEXT, flags=re.MULTILINE)[titles().index(title) + 1]


def titles() -> list[str]:
    return re.findall(r"^## (.+)$", TEXT, flags=re.MULTILINE)


def rooms() -> list[tuple[int, str, str]]:
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \| (.+) \|$", section("The house"), re.MULTILINE)
    return [(int(layer), package, line) for layer, package, line in rows]


def test_every_package_has_one_line_and_no_other_has():
    folders = {path.parent.name for path in (ROOT / "src/plasticish").glob("*/__init__.py")}
    named = [package for _, package, _ in rooms()]
    assert sorted(named) == sorted(folders)
    assert all(line.strip() for _, _, line in rooms())


def test_the_layers_are_those_that_the_import_linter_holds():
    (contract,) = SETTINGS["tool"]["importlinter"]["contracts"]
    folders = {package for _, package, _ in rooms()}
    held = [set(re.findall(r"plasticish\.(\w+)", layer)) for layer in contract["layers"]]
    held = [layer & folders for layer in reversed(held)]  # a layer may name a package to come
    written: dict[int, set[str]] = {}
    for layer, package, _ in rooms():
        written.setdefault(layer, set()).add(package)
    assert list(written) == list(range(1, len(held) + 1))
    assert list(written.values()) == held


def test_every_learner_of_the_habitats_is_one():
    (row,) = re.findall(r"^\| learner \|(.+)$", section("The idea"), flags=re.MULTILINE)
    named = [getattr(plasticish, name) for name in re.findall(r"`(\w+)`", row)]
    registered = [LEARNERS[name] for name in LEARNERS]
    assert len(named) == 6
    assert all(kind in registered for kind in named)
    calls = re.findall(r"`(\w+)\(", section("The idea"))
    assert calls
    assert all(hasattr(Learner, call) for call in calls)


def test_every_place_is_there():
    text = section("Where things are") + section("How to add something")
    named = set(re.findall(r"`([\w./-]+/[\w./-]*|\w+\.(?:toml|txt|md))`", text))
    real = {place for place in named if not {"NAME", "AREA"} & set(re.split(r"[/.]", place))}
    assert len(real) > 10
    for place in real:
        inside = ROOT / ("src/plasticish" if place == "__init__.py" else "") / place
        assert inside.exists(), place


def test_every_target_of_make_is_there():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"`make (\w+)`", TEXT)):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_links_lead_somewhere():
    targets = re.findall(r"\]\(([^)\s]+)\)", TEXT)
    assert targets
    assert all((ROOT / target).is_file() for target in targets)
