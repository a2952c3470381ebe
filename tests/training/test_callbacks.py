"""Every number of a run reaches whoever draws the curves, once, at its step."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from plasticish.core import ConfigError, MissingExtraError
from plasticish.training import (
    PhaseConfig,
    PlasticTrainer,
    ScalarCallback,
    TensorBoardCallback,
    TrainingHistory,
    WandbCallback,
    resume,
)

from .fake import FakeBrain, batched, clusters


def trained(*callbacks: Any, **options: Any) -> tuple[PlasticTrainer, TrainingHistory]:
    """Two phases of four steps, evaluated after every third step and at the end of each."""
    loader = batched(*clusters([0, 1], 32), 8)
    phases = [PhaseConfig("A", 1, loader), PhaseConfig("B", 1, loader)]
    trainer = PlasticTrainer(
        FakeBrain(), phases, loader, callbacks=callbacks, eval_every=3, **options
    )
    return trainer, trainer.train()


class Recorded(ScalarCallback):
    def __init__(self, every: int = 1) -> None:
        super().__init__(every)
        self.rows: list[tuple[int, dict[str, float]]] = []

    def write(self, values: Any, step: int) -> None:
        self.rows.append((step, dict(values)))

    def column(self, name: str) -> dict[int, float]:
        return {step: values[name] for step, values in self.rows if name in values}


def test_steps_and_evaluations_are_handed_on_once_each() -> None:
    recorded = Recorded()
    _, history = trained(recorded)
    assert list(recorded.column("step/memory_fill")) == history.steps
    assert list(recorded.column("step/memory_fill").values()) == history.memory_fill
    by_step = {one.step: one.accuracy["test"] for one in history.evaluations}
    assert set(by_step) == {3, 4, 6, 8}
    assert recorded.column("eval/test") == by_step
    assert "step/accuracy" not in recorded.rows[0][1]  # nothing was known, so nothing was measured


def test_one_step_in_so_many_and_every_evaluation() -> None:
    recorded = Recorded(every=4)
    trained(recorded)
    assert list(recorded.column("step/memory_fill")) == [4, 8]
    assert list(recorded.column("eval/test")) == [3, 4, 6, 8]


def test_a_count_is_needed() -> None:
    with pytest.raises(ConfigError, match="every is out of range: got 0"):
        Recorded(every=0)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard_gets_every_number(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    _, history = trained(TensorBoardCallback(tmp_path))
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert [e.step for e in events.Scalars("step/memory_fill")] == history.steps
    found = {e.step: e.value for e in events.Scalars("eval/test")}
    wanted = {one.step: one.accuracy["test"] for one in history.evaluations}
    assert found == pytest.approx(wanted)


class FakeRun:
    """As much of a run of W&B as is used; a step that lies behind is dropped, as there."""

    def __init__(self, **options: Any) -> None:
        self.options, self.summary, self.finished = options, {}, False
        self.rows: dict[int, dict[str, Any]] = {}

    def log(self, values: dict[str, Any], step: int) -> None:
        if step >= max(self.rows, default=0):
            self.rows.setdefault(step, {}).update(values)

    def finish(self) -> None:
        self.finished = True


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> dict[str, FakeRun]:
    """Stand in for the service: runs by id, the same one for the same id."""
    begun: dict[str, FakeRun] = {}

    def init(**options: Any) -> FakeRun:
        return begun.setdefault(options.get("id", "new"), FakeRun(**options))

    module = ModuleType("wandb")
    module.init = init  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "wandb", module)
    return begun


def test_wandb_gets_numbers_config_and_summary(runs: dict[str, FakeRun]) -> None:
    watched = WandbCallback("digits", config={"note": "first"}, mode="offline", tags=["a"])
    trainer, history = trained(watched)
    run = runs["new"]
    assert run.options["project"] == "digits"
    assert (run.options["mode"], run.options["tags"]) == ("offline", ["a"])
    config = run.options["config"]
    assert (config["note"], config["seed"], config["brain"]) == ("first", 0, "FakeBrain")
    assert config["brain_config"] == FakeBrain().config()
    assert [phase["name"] for phase in config["phases"]] == ["A", "B"]
    assert {step: row["step/memory_fill"] for step, row in run.rows.items()} == dict(
        zip(history.steps, history.memory_fill, strict=True)
    )
    assert run.rows[8]["eval/test"] == history.evaluations[-1].accuracy["test"]
    summary = trainer.get_summary()
    assert run.summary["summary/phases/1/now"] == summary["phases"][1]["now"]
    assert run.summary["summary/steps"] == 8
    assert run.finished


def test_wandb_continues_a_run_that_was_cut_off(runs: dict[str, FakeRun], tmp_path: Path) -> None:
    class CutOff(WandbCallback):
        def on_step(self, trainer: Any, report: Any) -> None:
            super().on_step(trainer, report)
            if len(trainer.history) == 6:
                raise RuntimeError("power cut")

    options = {"id": "same", "resume": "allow"}
    with pytest.raises(RuntimeError, match="power cut"):
        trained(CutOff("p", **options), run_folder=tmp_path, checkpoint_every_s=1e9)
    loader = batched(*clusters([0, 1], 32), 8)
    phases = [PhaseConfig("A", 1, loader), PhaseConfig("B", 1, loader)]
    again = resume(
        tmp_path, phases, loader, callbacks=[WandbCallback("p", **options)], brain=FakeBrain()
    )
    assert len(again.history) < 6  # steps come a second time
    history = again.train()
    fills = [row["step/memory_fill"] for _, row in sorted(runs["same"].rows.items())]
    assert fills == history.memory_fill
    assert runs["same"].finished


def test_without_the_extra_it_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(MissingExtraError, match=r"plasticish\[wandb\]"):
        WandbCallback("digits")


def written(file: Path) -> list[Any]:
    """Read W&B's log of a run: records in the blocks of LevelDB's log, each a protocol buffer."""
    from wandb.proto.wandb_internal_pb2 import Record

    content, place, record, found = file.read_bytes(), 7, b"", []
    while place < len(content):
        if 32768 - place % 32768 < 7:  # no room for a head: the rest of the block is empty
            place += 32768 - place % 32768
            continue
        length, kind = int.from_bytes(content[place + 4 : place + 6], "little"), content[place + 6]
        record += content[place + 7 : place + 7 + length]
        place += 7 + length
        if place > len(content):  # still being written
            break
        if kind in (1, 4):  # whole, or the last piece
            found.append(Record.FromString(record))
            record = b""
    return found


def test_wandb_writes_a_run_without_an_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package itself, with no account and no network: what is in the file that is synced."""
    pytest.importorskip("wandb", reason="the extra `wandb` is not installed")
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.setenv("WANDB_CONSOLE", "off")
    _, history = trained(WandbCallback("digits", mode="offline", dir=str(tmp_path)))
    (file,) = tmp_path.glob("wandb/offline-run-*/*.wandb")
    for _ in range(200):  # it is another process that writes
        records = written(file)
        if any(record.HasField("exit") for record in records):
            break
        time.sleep(0.05)
    rows = [
        {item.key or item.nested_key[0]: item.value_json for item in record.history.item}
        for record in records
        if record.HasField("history")
    ]
    assert [int(row["_step"]) for row in rows] == history.steps
    assert [float(row["step/memory_fill"]) for row in rows] == pytest.approx(history.memory_fill)
    assert float(rows[-1]["eval/test"]) == pytest.approx(history.evaluations[-1].accuracy["test"])
    summary = {
        item.key or item.nested_key[0]: item.value_json
        for record in records
        for item in record.summary.update
    }
    assert summary["summary/steps"] == "8"
    assert any(record.HasField("exit") for record in records)
