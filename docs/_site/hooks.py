"""Pages that are made and not written: from README and its like, results, and public names."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import json
import re
import runpy
from pathlib import Path
from types import ModuleType
from typing import Any

from latex2mathml.converter import convert
from mkdocs.structure.files import File, Files

from plasticish.bench.readme import block
from plasticish.bench.results import load_results

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks/results"
NOTEBOOKS = runpy.run_path(str(ROOT / "notebooks/build.py"))
WRITTEN = {
    "README.md": "index.md",
    "QUICKSTART.md": "quickstart.md",
    "PROJECT_OVERVIEW.md": "overview.md",
    "MIGRATION.md": "migration.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
}
PACKAGES = (
    "core", "rules", "modulation", "memory", "vision", "spiking", "sequence", "conversation",
    "training", "data", "metrics", "visualization", "evaluation", "estimators", "bench",
)  # fmt: skip
AREAS = {
    "see": "Images",
    "spike": "Spikes",
    "continual": "Continual learning of modules",
    "sequence": "Sequences",
    "talk": "Conversation",
    "product": "The product as a whole",
}

_LINK = re.compile(r"\]\((?P<target>[^)#\s]+)(?P<anchor>#[^)\s]*)?\)")
_FORMULA = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">\s*\\(?P<open>[(\[])(?P<tex>.*?)\\[)\]]\s*</(?P=tag)>',
    re.DOTALL,
)


def on_config(config: Any) -> Any:
    """Put the pages of a folder where the navigation names the folder (``rules/``)."""
    made = {
        "api/": [f"api/{package}.md" for package in PACKAGES],
        "benchmarks/": [f"benchmarks/{area}.md" for area in AREAS],
        "notebooks/": [f"notebooks/{script.stem}.md" for script in NOTEBOOKS["scripts"]()],
    }
    config.nav = [_expanded(entry, Path(config.docs_dir), made) for entry in config.nav]
    return config


def _expanded(entry: dict[str, Any], docs: Path, made: dict[str, list[str]]) -> dict[str, Any]:
    ((title, value),) = entry.items()
    if not isinstance(value, str) or not value.endswith("/"):
        return entry
    written = sorted(str(page.relative_to(docs)) for page in (docs / value).glob("*.md"))
    index = f"{value}index.md"
    pages = made.get(value, written)
    first = [index] if value in made or index in written else []
    return {title: first + [page for page in pages if page != index]}


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are made."""
    for source, page in WRITTEN.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=_linked(text)))
    for package in PACKAGES:
        files.append(File.generated(config, f"api/{package}.md", content=api(package)))
    files.append(File.generated(config, "api/index.md", content=_contents("api", PACKAGES)))
    for page, content in benchmarks().items():
        files.append(File.generated(config, f"benchmarks/{page}", content=content))
    for page, content in notebooks().items():
        files.append(File.generated(config, f"notebooks/{page}", content=content))
    for picture in sorted(RESULTS.rglob("*.png")):
        place = f"benchmarks/{picture.relative_to(RESULTS)}"
        files.append(File.generated(config, place, abs_src_path=str(picture)))
    return files


def on_page_content(html: str, **_: Any) -> str:
    """Write formulas as MathML, which browsers draw without any script."""
    return _FORMULA.sub(
        lambda m: convert(_unescaped(m["tex"]), display="block" if m["open"] == "[" else "inline"),
        html,
    )


def _rewritten(docstring: str) -> str:
    spec = importlib.util.spec_from_file_location(
        "docstrings", Path(__file__).parent / "docstrings.py"
    )
    assert spec is not None
    assert spec.loader is not None
    docstrings = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(docstrings)
    return str(docstrings.markdown(docstring))


def _unescaped(tex: str) -> str:
    return tex.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _linked(text: str) -> str:
    """Let links that are meant from the root of the repository lead to pages of the site."""

    def moved(match: re.Match[str]) -> str:
        target = match["target"]
        if target in WRITTEN:
            target = WRITTEN[target]
        elif target == "benchmarks/README.md":
            target = "benchmarks/index.md"
        elif target.startswith("docs/"):
            target = target.removeprefix("docs/")
        elif target.startswith("notebooks/") and target.endswith(".ipynb"):
            target = target.replace(".ipynb", ".md")
        elif target == "LICENSE" or target.startswith(("notebooks/", "examples/")):
            return f"({target})"
        return f"]({target}{match['anchor'] or ''})"

    return _LINK.sub(moved, text)


def api(package: str) -> str:
    """Return the page of the public names of a package, by the file that explains them."""
    whole = importlib.import_module(f"plasticish.{package}")
    lines = [f"# {whole.__name__}", "", _rewritten(whole.__doc__ or ""), ""]
    for home, names in sorted(_homes(whole).items()):
        if home != whole.__name__:
            title = home.removeprefix(f"{whole.__name__}.").replace("_", " ")
            about = importlib.import_module(home).__doc__ or ""
            lines += [f"## {title}", "", _rewritten(about), ""]
        for name in names:
            lines += [f"::: {whole.__name__}.{name}", "    options: {heading_level: 3}", ""]
    return "\n".join(lines)


def _homes(package: ModuleType) -> dict[str, list[str]]:
    """Return the public names of a package by the module that each is from, constants last."""
    homes: dict[str, list[str]] = {}
    imported = _imports(package)
    for name in sorted(package.__all__, key=lambda name: (name.isupper(), name.lower())):
        homes.setdefault(imported.get(name, package.__name__), []).append(name)
    return homes


def _imports(package: ModuleType) -> dict[str, str]:
    # The imports are read, since a constant does not know where it is from.
    tree = ast.parse(Path(str(package.__file__)).read_text(encoding="utf-8"))
    return {
        alias.asname or alias.name: f"{package.__name__}.{node.module}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module
        for alias in node.names
    }


def _contents(folder: str, pages: tuple[str, ...]) -> str:
    lines = ["# API", ""]
    for page in pages:
        doc = (importlib.import_module(f"plasticish.{page}").__doc__ or "").strip().split("\n")[0]
        lines.append(f"- [plasticish.{page}]({page}.md): {doc}")
    return "\n".join(lines)


def notebooks() -> dict[str, str]:
    """Return a page a notebook, as it is before it is run, and one that names them."""
    pages, titles = {}, []
    for script in NOTEBOOKS["scripts"]():
        parts = []
        for cell in json.loads(NOTEBOOKS["notebook"](script))["cells"]:
            source = "".join(cell["source"])
            is_code = cell["cell_type"] == "code"
            parts.append(f"```python\n{source}\n```" if is_code else source)
        title = parts[0].splitlines()[0].removeprefix("# ")
        titles.append(f"- [{title}]({script.stem}.md): `notebooks/{script.stem}.ipynb`")
        pages[f"{script.stem}.md"] = "\n\n".join(parts) + "\n"
    told = "One a habitat; each runs in less than a minute, on data that comes with the package."
    pages["index.md"] = "\n".join(["# Notebooks", "", told, "", *titles, ""])
    return pages


def benchmarks() -> dict[str, str]:
    """Return a page of all goals, and one an area with every stored result."""
    results = load_results(RESULTS)
    pages = {
        "index.md": "# Benchmarks\n\nEvery figure is printed by `plasticish bench ID`. What was "
        f"asked for and missed is here with the rest.\n\n{block('goals', results)}\n"
    }
    for area, title in AREAS.items():
        parts = [f"# {title}"]
        for id in sorted(id for id in results if id.startswith(f"{area}/")):
            result = results[id]
            parts += [f"## {id}: {result.title}", result.question, block(id, results)]
            if (RESULTS / f"{id}.png").exists():
                parts.append(f"![{result.title}]({id}.png)")
            parts += [f"- {note}" for note in result.notes]
        pages[f"{area}.md"] = "\n\n".join(parts) + "\n"
    return pages
