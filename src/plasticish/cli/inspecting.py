"""What a folder holds, as plain values and as a tree."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from plasticish.conversation.memory_folder import CHECKPOINT, LOG, inspect_memory
from plasticish.core import CheckpointError, inspect_checkpoint
from plasticish.training import inspect_run

from . import train_report
from .opening import BRAIN
from .output import Output, percent
from .report import load_report
from .run_config import FILE, RunConfig
from .train_config import TrainConfig, is_training

__all__ = ["look_into", "print_inspection"]

RUN = "checkpoint"


def look_into(path: Path) -> dict[str, Any]:
    """Return what a run folder, the folder of a talker or a checkpoint holds, reading no array.

    Raises
    ------
    CheckpointError
        If it is neither, or is damaged.
    """
    if is_training(path):
        return _training(path)
    if (path / FILE).is_file():
        return _run(path)
    if (path / LOG).is_file():
        return {"what": "talker", "path": str(path), **inspect_memory(path)}
    if (path / RUN / "checkpoint.json").is_file():  # a trainer's own, not made by `learn`
        return {"what": "run", "path": str(path), "config": {}, "report": None, **_trainer(path)}
    if not path.exists():
        raise CheckpointError(f"there is no {path}", expected="a run folder or a checkpoint")
    return {"what": "checkpoint", "path": str(path), **inspect_checkpoint(path)}


def _run(path: Path) -> dict[str, Any]:
    config, report = RunConfig.load(path), load_report(path)
    state: dict[str, Any] = {"finished": report is not None}
    if report is not None:
        state["phases"] = [phase["name"] for phase in report["phases"] if phase["new"]]
        state["position"] = {"phase": len(state["phases"]), "epoch": 0, "batch": 0}
    elif (path / RUN / "checkpoint.json").is_file():
        state = _trainer(path)
    brain = inspect_checkpoint(path / BRAIN) if (path / BRAIN).is_dir() else None
    return {
        "what": "run",
        "path": str(path),
        "config": vars(config),
        "report": report,
        **state,
        "brain": brain,
    }


def _training(path: Path) -> dict[str, Any]:
    report, saved = train_report.load_report(path), path / CHECKPOINT
    return {
        "what": "training",
        "path": str(path),
        "finished": report is not None,
        "config": vars(TrainConfig.load(path)),
        "report": report,
        "checkpoint": inspect_checkpoint(saved) if saved.is_dir() else None,
    }


def _trainer(path: Path) -> dict[str, Any]:
    found = inspect_run(path)
    return {
        "finished": found["finished"],
        "phases": [phase["name"] for phase in found["phases"]],
        "position": found["position"],
    }


def print_inspection(found: Mapping[str, Any], output: Output) -> None:
    """Print what :func:`look_into` returned."""
    if found["what"] == "checkpoint":
        output.say(_checkpoint_tree(found, f"[bold]{escape(found['path'])}[/]: {found['kind']}"))
    else:
        {"run": _print_run, "training": _print_training, "talker": _print_talker}[found["what"]](
            found, output
        )


def _print_talker(found: Mapping[str, Any], output: Output) -> None:
    events = f"{found['events']:,} event{'s' if found['events'] != 1 else ''} in {LOG}"
    tree = Tree(f"[bold]{escape(found['path'])}[/]: a talker, {events}", guide_style="dim")
    if found["checkpoint"] is None:
        tree.add("no checkpoint yet: it is learned again from the log")
    else:
        tree.add("checkpoint").add(_about(found["checkpoint"]))
    output.say(tree)
    output.say(f"go on with it: plasticish chat --memory {found['path']}")


def _print_training(found: Mapping[str, Any], output: Output) -> None:
    state = "a finished training" if found["finished"] else "an unfinished training"
    tree = Tree(f"[bold]{escape(found['path'])}[/]: {state}", guide_style="dim")
    tree.add("asked for").add(_values(found["config"]))
    if found["checkpoint"] is not None:
        tree.add("checkpoint").add(_about(found["checkpoint"]))
    output.say(tree)
    if found["finished"]:
        train_report.print_report(found["report"], Path(found["path"]), output)
    else:
        output.say(f"go on with it: plasticish train --resume {found['path']}")


def _print_run(found: Mapping[str, Any], output: Output) -> None:
    tree = Tree(f"[bold]{escape(found['path'])}[/]: {_state(found)}", guide_style="dim")
    if found["config"]:
        before = found["config"]["known_before"]
        shown = {"known_before": None if before is None else f"{percent(before)} %"}
        tree.add("asked for").add(_values(found["config"] | shown))
    if "phases" in found:
        phases = tree.add("phases")
        for row, name in enumerate(found["phases"]):
            phases.add(_phase(found, row, name))
    if found["report"] is not None:
        came_to = found["report"]["learners"]["brain"]
        shown = {k: None if v is None else f"{percent(v)} %" for k, v in came_to.items()}
        tree.add("came to").add(_values(shown))
    if found.get("brain") is not None:
        tree.add(_checkpoint_tree(found["brain"], "brain"))
    output.say(tree)
    if not found["finished"]:
        output.say(f"go on with it: plasticish resume {found['path']}")


def _state(found: Mapping[str, Any]) -> str:
    if found["finished"]:
        return "a finished run"
    if "position" not in found:
        return "a run that has not begun its first phase"
    position = found["position"]
    done = f"{position['phase']} of {len(found['phases'])} phases"
    return f"an unfinished run, {done} and {position['batch']} batches"


def _phase(found: Mapping[str, Any], row: int, name: str) -> Text:
    at = found["position"]["phase"]
    text = Text(name)
    if row >= at:
        return text.append("  at work" if row == at else "  to come", style="dim")
    fates = [] if found["report"] is None else found["report"]["phases"]
    for fate in fates:
        if fate["name"] == name and fate["new"]:
            learned, now = (percent(fate["brain"][key]) for key in ("as_learned", "now"))
            return text.append(f"  {learned} % as learned, {now} % now", style="green")
    return text.append("  learned", style="green")


def _checkpoint_tree(manifest: Mapping[str, Any], title: str) -> Tree:
    tree = Tree(title, guide_style="dim")
    tree.add(_about(manifest))
    if manifest["config"]:
        tree.add("configuration").add(_values(manifest["config"]))
    arrays = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, array in manifest["tensors"]["arrays"].items():
        shape = " × ".join(f"{axis:,}" for axis in array["shape"]) or "one number"
        arrays.add_row(Text(name), Text(shape), Text(array["dtype"], style="dim"))
    tree.add("arrays").add(arrays)
    return tree


def _about(manifest: Mapping[str, Any]) -> Table:
    about = {
        "kind": manifest["kind"],
        "written by": f"plasticish {manifest['package_version']}",
        "format": manifest["format_version"],
        "seed": manifest["seed"],
        "size": f"{manifest['tensors']['bytes'] / 1e6:,.1f} MB",
    }
    return _values(about)


def _values(values: Mapping[str, Any]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, value in values.items():
        if value is not None:
            table.add_row(Text(name.replace("_", " "), style="cyan"), Text(_text(value)))
    return table


def _text(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{k} {v}" for k, v in value.items() if v is not None)
    return f"{value:.4g}" if isinstance(value, float) else str(value)
