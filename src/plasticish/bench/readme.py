"""Figures of the README, generated from the result files.

``python -m plasticish.bench.readme`` rewrites what stands between ``<!-- bench:see/few-shot -->``
and ``<!-- /bench -->``; with ``--check`` it changes nothing and fails if anything would change.
``<!-- bench:see/few-shot:table -->`` leaves out the goals. ``<!-- bench:headline -->`` holds the
table of headlines, ``<!-- bench:goals -->`` that of all goals, ``<!-- bench:goals:see -->`` that of
those whose scenario's id begins so. A picture such as
``![...](docs/figures/see/split-digits--ACC.png)`` shows that metric of that scenario; the file
carries the digest of the figures it was drawn from, so an old one is found out.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image

from plasticish.core import DataError, write_atomically

from .figure import digest, draw_result
from .headline import headline_table
from .results import RESULTS, Result, load_results
from .table import goal_text, markdown_goals, markdown_table

__all__ = ["main", "render"]

_PICTURE = re.compile(
    r"\((?P<path>docs/figures/(?P<id>[a-z0-9/-]+?)--(?P<metric>\w+)\.png)\)",
)
_BLOCK = re.compile(r"<!-- bench:(?P<id>[a-z0-9/:-]+) -->.*?<!-- /bench -->", re.DOTALL)


def block(id: str, results: Mapping[str, Result]) -> str:
    """Return what stands between the markers of ``id``.

    Raises
    ------
    DataError
        If there is no result of that id.
    """
    if id == "headline":
        return headline_table(results)
    if id == "goals" or id.startswith("goals:"):
        area = id.removeprefix("goals").removeprefix(":")
        return markdown_goals(result for result in results.values() if result.id.startswith(area))
    id, _, part = id.partition(":")
    if id not in results:
        raise DataError(
            f"a document shows {id}, which has no result", cure=f"run: plasticish bench {id}"
        )
    result = results[id]
    seeds = f"{len(result.seeds)} seeds" if len(result.seeds) > 1 else "one run"
    parts = [
        markdown_table(result),
        f"*{result.id}: {result.data}; {seeds}. {result.protocol}*",
    ]
    goals = [f"- {goal_text(outcome)}" for outcome in result.outcomes()]
    if goals and part != "table":
        parts.append("\n".join(goals))
    return "\n\n".join(parts)


def render(text: str, results: Mapping[str, Result]) -> str:
    """Return ``text`` with every marked block generated anew.

    Examples
    --------
    >>> print(render("<!-- bench:goals -->\\nold\\n<!-- /bench -->", {}))
    <!-- bench:goals -->
    | scenario | figure | goal | aim | measured |  |
    | --- | --- | ---: | ---: | ---: | --- |
    <!-- /bench -->
    """
    return _BLOCK.sub(
        lambda match: (
            f"<!-- bench:{match['id']} -->\n{block(match['id'], results)}\n<!-- /bench -->"
        ),
        text,
    )


def pictures(text: str) -> list[tuple[Path, str, str]]:
    """Return path, scenario and metric of every generated picture that ``text`` shows.

    Examples
    --------
    >>> pictures("![x](docs/figures/see/few-shot--50_shots.png)")
    [(PosixPath('docs/figures/see/few-shot--50_shots.png'), 'see/few-shot', '50 shots')]
    """
    found = [(match["path"], match["id"], match["metric"]) for match in _PICTURE.finditer(text)]
    return [(Path(path), id, metric.replace("_", " ")) for path, id, metric in found]


def stale(path: Path, result: Result, metric: str) -> bool:
    """Whether the picture at ``path`` is missing or shows other figures."""
    if not path.exists():
        return True
    with Image.open(path) as image:
        return image.info.get("Description") != digest(result, metric)


def main(arguments: Sequence[str] | None = None) -> int:
    """Rewrite the documents, or check them; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m plasticish.bench.readme", description=__doc__)
    parser.add_argument("documents", nargs="*", type=Path, default=[Path("README.md")])
    parser.add_argument("--check", action="store_true", help="change nothing, fail on drift")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the results")
    options = parser.parse_args(arguments)
    results = load_results(options.results)
    drifted: list[Path] = []
    for document in options.documents:
        text = document.read_text(encoding="utf-8")
        fresh = render(text, results)
        if fresh != text:
            drifted.append(document)
            if not options.check:
                write_atomically(document, fresh.encode())
        for path, id, metric in pictures(text):
            if id in results and stale(document.parent / path, results[id], metric):
                drifted.append(path)
                if not options.check:
                    draw_result(results[id], document.parent / path, metric)
    if options.check and drifted:
        names = ", ".join(str(document) for document in drifted)
        print(f"{names}: figures differ from {options.results}; run: make docs", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
