"""Smaller files of the product: histories, runs, configurations, vocabularies, results, caches."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from plasticish.conversation import BiologicalTokenizer
from plasticish.sequence import PlasticMemory
from plasticish.spiking.network_config import LiquidSpikingConfig
from plasticish.training import PhaseConfig, PlasticTrainer, TrainingHistory, inspect_run
from plasticish.training.resumable import load_run
from plasticish.vision import PlasticBrain
from plasticish.vision.feature_cache import FeatureCache

from ..results import load_result
from ..small_learners import WIDTH
from .mutation import join, split
from .of_learners import lay_sealed, sealed_parts
from .readers import reader

__all__: list[str] = []


def _trained(folder: Path) -> Path:
    x = torch.arange(8 * WIDTH, dtype=torch.float32).reshape(8, WIDTH) % 5
    batches = [(x, torch.arange(8) % 2)]
    brain = PlasticBrain(WIDTH, hidden_dim=12, sparsity_k=4, expansion=12, num_layers=1, seed=0)
    trainer = PlasticTrainer(
        brain, [PhaseConfig("one", 1, batches)], {"one": batches}, run_folder=folder / "run"
    )
    trainer.train().save(folder / "history.json")
    return folder


def _histories(folder: Path) -> Iterator[bytes]:
    yield (_trained(folder) / "history.json").read_bytes()


@reader("history", _histories)
def _history(data: bytes, folder: Path) -> None:
    path = folder / "history.json"
    path.write_bytes(data)
    history = TrainingHistory.load(path)
    history.save(path)


def _runs(folder: Path) -> Iterator[bytes]:
    yield sealed_parts(_trained(folder) / "run" / "checkpoint")


@reader("training run", _runs, parts=2)
def _run(data: bytes, folder: Path) -> None:
    lay_sealed(data, folder / "checkpoint")
    try:
        inspect_run(folder)
    finally:
        load_run(folder).build_brain()


def _networks(_: Path) -> Iterator[bytes]:
    yield LiquidSpikingConfig(inputs=4, outputs=2).to_json().encode()


@reader("network configuration", _networks)
def _network(data: bytes, folder: Path) -> None:
    LiquidSpikingConfig.from_json(data.decode("utf-8", "replace"))


def _vocabularies(folder: Path) -> Iterator[bytes]:
    tokenizer = BiologicalTokenizer(300)
    for count in range(2):
        for _ in range(60 * count):
            tokenizer.hear("hello mama, привет 🙂")
        yield tokenizer.save(folder / "words.json").read_bytes()


@reader("vocabulary", _vocabularies)
def _vocabulary(data: bytes, folder: Path) -> None:
    path = folder / "words.json"
    path.write_bytes(data)
    tokenizer = BiologicalTokenizer.load(path)
    text = "hello mama ¿привет? \ud800"
    assert tokenizer.decode(tokenizer.encode(text)) == text
    tokenizer.hear(text)
    tokenizer.save(path)


def _texts(_: Path) -> Iterator[bytes]:
    yield "hello mama\nпривет, 🙂 e\u0301\r\n\u2028 e\u200d".encode()
    yield b"emma\nemily\nolivia\n\nava"


@reader("tokenizer text", _texts)
def _text(data: bytes, folder: Path) -> None:
    tokenizer, text = BiologicalTokenizer(300), data[:2000].decode("utf-8", "surrogateescape")
    for _ in range(3):
        tokenizer.hear(text)
    assert tokenizer.decode(tokenizer.encode(text)) == text
    "".join(tokenizer.stream(tokenizer.encode(text)))


@reader("sequences", _texts)
def _sequences(data: bytes, folder: Path) -> None:
    memory = PlasticMemory("plain", max_synapses=1000)
    try:
        memory.learn([line for line in data[:1000].split(b"\n") if line])
    finally:
        memory = PlasticMemory("rich", max_synapses=1000)
        text = data[:1000].decode("utf-8", "surrogateescape")
        memory.learn([line for line in text.split("\n") if line])
    memory.export(folder)
    memory.infer(text[:2])


def _configurations(folder: Path) -> Iterator[bytes]:
    config: Any = importlib.import_module("plasticish.cli.run_config")
    made = config.RunConfig("digits", ("0", "1"), (0, 1), 1, 1, 64, 0, 64)
    made.save(folder)
    report = b'{"format": "plasticish-report", "phases": []}'
    yield join((folder / "config.json").read_bytes(), report)


@reader("run folder", _configurations, parts=2)
def _run_folder(data: bytes, folder: Path) -> None:
    # By name: the command line stands above this package, and these are its own files.
    config: Any = importlib.import_module("plasticish.cli.run_config")
    report: Any = importlib.import_module("plasticish.cli.report")
    (folder / "config.json").write_bytes(split(data, 2)[0])
    (folder / "report.json").write_bytes(split(data, 2)[1])
    try:
        config.RunConfig.load(folder)
    finally:
        report.load_report(folder)


def _trainings(folder: Path) -> Iterator[bytes]:
    config: Any = importlib.import_module("plasticish.cli.train_config")
    config.TrainConfig().settled().save(folder)
    yield join((folder / "config.json").read_bytes(), b'{"format": "plasticish-train-metrics"}')


@reader("training folder", _trainings, parts=2)
def _training_folder(data: bytes, folder: Path) -> None:
    config: Any = importlib.import_module("plasticish.cli.train_config")
    report: Any = importlib.import_module("plasticish.cli.train_report")
    (folder / config.FILE).write_bytes(split(data, 2)[0])
    (folder / report.FILE).write_bytes(split(data, 2)[1])
    config.is_training(folder)
    try:
        config.TrainConfig.load(folder)
    finally:
        report.load_report(folder)


def _results(folder: Path) -> Iterator[bytes]:
    from ..results import make_result, save_result
    from ..scenario import Findings, Goal, Metric, Scenario

    findings = Findings()
    findings.add("a row", ACC=[98.0, 99.0])
    asked = Scenario(
        "see/x", "x", "?", "so", "none", (Metric("ACC"),), lambda _: findings,
        goals=(Goal("a row", "ACC", ">=", 90.0),),
    )  # fmt: skip
    found = make_result(
        asked, findings, seeds=(0, 1), quick=False, seconds=1.0, cpu_seconds=1.0, environment={}
    )
    yield save_result(found, folder).read_bytes()


@reader("bench result", _results)
def _result(data: bytes, folder: Path) -> None:
    (folder / "see").mkdir()
    (folder / "see" / "x.json").write_bytes(data)
    result = load_result("see/x", folder)
    result.outcomes()


def _caches(folder: Path) -> Iterator[bytes]:
    cache = FeatureCache(folder, clock=lambda: 0.0)
    for width in (4, 8):
        cache.store([b"one%d" % width, b"two%d" % width], torch.ones(2, width))
        cache.close()
        yield cache.path.read_bytes()


@reader("feature cache", _caches)
def _cache(data: bytes, folder: Path) -> None:
    (folder / "features-1.0.sqlite").write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that it is damaged, which is so
        cache = FeatureCache(folder)
        cache.lookup([b"one4", b"two4", b"new"], width=4)
        cache.store([b"new"], torch.ones(1, 4))
        cache.lookup([b"new"], width=4)
        cache.close()
