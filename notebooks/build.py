"""Write each notebook from the script of the same name beside it: ``python notebooks/build.py``.

A script is in the percent format that editors know: ``# %%`` begins a cell of code, and
``# %% [markdown]`` one of text, every line of it a comment. What stands before the first is for
readers of the script alone.
"""

from __future__ import annotations

import json
from pathlib import Path

__all__ = ["notebook", "scripts"]

FOLDER = Path(__file__).parent
MARK, TEXT = "# %%", " [markdown]"


def scripts() -> list[Path]:
    """Return the scripts that are notebooks."""
    return sorted(path for path in FOLDER.glob("*.py") if path.name != Path(__file__).name)


def notebook(script: Path) -> str:
    """Return a script as nbformat 4 JSON."""
    _, *parts = ("\n" + script.read_text(encoding="utf-8")).split("\n" + MARK)
    cells = [_cell(number, part) for number, part in enumerate(parts)]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    content = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _cell(number: int, part: str) -> dict[str, object]:
    head, _, body = part.partition("\n")
    lines = body.strip().splitlines()
    text = head == TEXT
    if text:
        lines = [line.removeprefix("#").removeprefix(" ") for line in lines]
    cell: dict[str, object] = {
        "id": f"cell-{number}",
        "cell_type": "markdown" if text else "code",
        "metadata": {},
        "source": "\n".join(lines).splitlines(keepends=True),
    }
    return cell if text else cell | {"execution_count": None, "outputs": []}


if __name__ == "__main__":
    for path in scripts():
        path.with_suffix(".ipynb").write_text(notebook(path), encoding="utf-8")
