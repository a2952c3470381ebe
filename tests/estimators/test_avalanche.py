"""Our plugins do in Avalanche's loop what their equations say: in a model of it, and in itself."""

from __future__ import annotations

import importlib
import io
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from plasticish import PlasticBrain
from plasticish.bench.peers import avalanche
from plasticish.core import ConfigError, MissingExtraError
from plasticish.data import LabelledSet, Task

from . import fake_avalanche

OURS = [f"plasticish.estimators.{name}" for name in ("avalanche_plugins", "avalanche_strategy")]
PAGE = Path(__file__).resolve().parents[2] / "docs/how-to/avalanche.md"
WIDTH, CLASSES = 8, 4


def clusters(classes: Sequence[int], rows: int = 48, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Noisy points around one corner a class, and what all of them have in common."""
    draw = torch.Generator().manual_seed(seed)
    labels = torch.tensor(classes)[torch.arange(rows) % len(classes)]
    return 1.0 + torch.eye(WIDTH)[labels] + 0.2 * torch.randn(rows, WIDTH, generator=draw), labels


PARTS = [clusters((0, 1)), clusters((2, 3), seed=1)]


class Library(SimpleNamespace):
    """Our plugins, and the Avalanche that they were made for."""

    naive: Callable[..., Any]
    experiences: Callable[..., list[Any]]

    def live(self, model: nn.Module, *plugins: Any, parts: Any = PARTS, epochs: int = 2) -> Any:
        """Take a model through the parts."""
        made = self.naive(model, list(plugins), epochs)
        for number, experience in enumerate(self.experiences(parts)):
            shuffled(made, experience, number)
        return made


def shuffled(strategy: Any, experience: Any, seed: int) -> None:
    """Train on an experience; the order of its rows comes from the global generator."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        avalanche.train(strategy, experience)


def _fake(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    for name, module in fake_avalanche.modules().items():
        monkeypatch.setitem(sys.modules, name, module)

    def naive(model: nn.Module, plugins: list[Any], epochs: int) -> Any:
        return fake_avalanche.Naive(
            model=model,
            optimizer=torch.optim.SGD(model.parameters(), lr=0.1),
            train_mb_size=8,
            train_epochs=epochs,
            plugins=plugins,
        )

    return {"naive": naive, "experiences": fake_avalanche.experiences, "options": {}}


def _real() -> dict[str, Any]:
    from plasticish.bench.peers import avalanche_continual

    for module in ("training.plugins", "training.templates", "models"):
        avalanche.load(module)

    def naive(model: nn.Module, plugins: list[Any], epochs: int) -> Any:
        return avalanche_continual.strategy(
            "Naive", model, lr=0.1, batch_size=8, epochs=epochs, memory=0, strength=0,
            extra=plugins,
        )  # fmt: skip

    def experiences(parts: Sequence[tuple[Tensor, Tensor]]) -> list[Any]:
        names = tuple(map(str, range(CLASSES)))
        sets = [LabelledSet(x, y, names, "part") for x, y in parts]
        tasks = [Task("part", tuple(set(one.labels.tolist())), one, one) for one in sets]
        return avalanche_continual.experiences(tasks, [one.labels for one in sets])

    return {
        "naive": naive,
        "experiences": experiences,
        "options": {"evaluator": avalanche.silent()},
    }


@pytest.fixture(params=["model of it", "itself"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    if request.param == "itself" and (reason := avalanche.available()):
        pytest.skip(reason)
    for name in OURS:
        monkeypatch.delitem(sys.modules, name, raising=False)
    made = _fake(monkeypatch) if request.param != "itself" else _real()
    plugins, strategy = (importlib.import_module(name) for name in OURS)
    yield Library(**made, **{name: getattr(plugins, name) for name in plugins.__all__},
                  PlasticBrainStrategy=strategy.PlasticBrainStrategy)  # fmt: skip
    for name in OURS:
        sys.modules.pop(name, None)


def network() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Linear(WIDTH, CLASSES)


@torch.no_grad()
def accuracy(model: nn.Module, part: tuple[Tensor, Tensor]) -> float:
    return float((model(part[0]).argmax(dim=1) == part[1]).float().mean())


def test_replay_keeps_what_naive_descent_forgets(library: Library) -> None:
    naive, ours = network(), network()
    library.live(naive, epochs=5)
    plugin = library.DarkReplayPlugin(20)
    library.live(ours, plugin, epochs=5)
    assert accuracy(naive, PARTS[0]) < 0.2
    assert all(accuracy(ours, part) > 0.9 for part in PARTS)
    counts = plugin.buffer.counts()
    assert {label: count for (_, label), count in counts.items()} == dict.fromkeys(range(4), 5)


@pytest.mark.parametrize("replay", ["der++", "er"])
@pytest.mark.parametrize("asymmetric", [True, False])
def test_the_loss_is_that_of_the_paper(library: Library, replay: str, asymmetric: bool) -> None:
    plugin = library.DarkReplayPlugin(
        8, replay=replay, asymmetric=asymmetric, dark_weight=0.25, replay_weight=2.0
    )
    model, held, checked = network(), [], []
    sample = plugin.buffer.sample
    plugin.buffer.sample = lambda count: held.append(sample(count)) or held[-1]

    def check(strategy: Any) -> None:
        y, outputs = strategy.mb_y, strategy.mb_output
        others = [c for c in range(CLASSES) if c not in y.tolist()] if asymmetric else []
        wanted = functional.cross_entropy(outputs.index_fill(1, torch.tensor(others).long(),
                                                             -torch.inf), y)  # fmt: skip
        if len(held) > 0:  # of the second and later batches
            past = held[-1]
            answers = model(past.inputs)
            seen = sorted({int(c) for one in [*held, past] for c in one.labels} | set(y.tolist()))
            known = torch.full((CLASSES,), -torch.inf)
            known[seen] = 0.0
            wanted = wanted + 2.0 * functional.cross_entropy(answers + known, past.labels)
            if replay == "der++":
                wanted = wanted + 0.25 * functional.mse_loss(answers, past.logits)
        torch.testing.assert_close(strategy.loss.squeeze(), wanted)
        checked.append(len(held))

    class Checker(type(plugin).__mro__[1]):
        def before_backward(self, strategy: Any, **_: Any) -> None:
            check(strategy)

    library.live(model, plugin, Checker(), epochs=1)
    assert len(checked) == 12
    assert checked[-1] > 0


def test_strong_springs_hold_and_weak_ones_do_not(library: Library) -> None:
    first, held, free, naive = network(), network(), network(), network()
    library.live(first, parts=PARTS[:1])
    library.live(held, library.ConsolidationPlugin(1e12))
    library.live(free, library.ConsolidationPlugin(0.0))
    library.live(naive)
    # Classes that had not come have no importance, and are free.
    assert torch.allclose(held.weight[:2], first.weight[:2], atol=1e-4)
    assert not torch.allclose(naive.weight[:2], first.weight[:2], atol=1e-2)
    assert torch.equal(free.weight, naive.weight)


def test_importance_is_the_fisher_information_of_the_experience(library: Library) -> None:
    plugin, model = library.ConsolidationPlugin(1.0, num_samples=10_000), network()
    library.live(model, plugin, parts=[clusters((0, 1), rows=2000)], epochs=1)
    x = clusters((0, 1), rows=2000)[0]
    p = model(x)[:, :2].softmax(dim=1)  # of the classes that there are
    closed = ((p * (1 - p)).T @ x.square() / len(x)).detach()
    torch.testing.assert_close(
        plugin.elastic.importance["weight"][:2], closed.double(), rtol=0.3, atol=5e-3
    )
    assert not plugin.elastic.importance["weight"][2:].any()


def test_sleep_rehearses_with_nothing_new(library: Library) -> None:
    awake, rested = network(), network()
    plugins = [library.DarkReplayPlugin(20, sleep_steps=steps) for steps in (0, 50)]
    library.live(awake, plugins[0], parts=PARTS[:1])
    library.live(rested, plugins[1], parts=PARTS[:1])
    # Both heard the same; what was kept is the same, and better known after sleep.
    mine, other = (plugin.buffer.everything() for plugin in plugins)
    assert torch.equal(mine.inputs, other.inputs)
    losses = [functional.cross_entropy(net(mine.inputs), mine.labels) for net in (awake, rested)]
    assert losses[1] < losses[0]


class Growing(nn.Module):
    """A head that grows to the largest label that it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.width = network(), 2

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)[:, : self.width]


def test_a_head_may_grow_where_labels_alone_are_replayed(library: Library) -> None:
    def grown(replay: str) -> nn.Module:
        model = Growing()
        plugin = library.DarkReplayPlugin(20, replay=replay)
        made = library.naive(model, [plugin], 10)
        for experience, model.width in zip(library.experiences(PARTS), (2, 4), strict=True):
            shuffled(made, experience, 0)
        return model

    model = grown("er")
    assert all(accuracy(model, part) > 0.8 for part in PARTS)
    with pytest.raises(ConfigError, match=r"another width.*got 4 outputs, 2 before.*replay=.er"):
        grown("der++")


def test_settings_are_checked(library: Library) -> None:
    with pytest.raises(ConfigError, match="unknown replay"):
        library.DarkReplayPlugin(10, replay="gem")
    with pytest.raises(ConfigError, match="capacity"):
        library.DarkReplayPlugin(0)
    with pytest.raises(ConfigError, match="sleep_steps"):
        library.DarkReplayPlugin(10, sleep_steps=-1)
    with pytest.raises(ConfigError, match="strength is out of range"):
        library.ConsolidationPlugin(-1.0)
    with pytest.raises(ConfigError, match="num_samples"):
        library.ConsolidationPlugin(num_samples=0)


def test_a_brain_learns_in_their_loop_what_it_learns_alone(library: Library) -> None:
    brain, alone = (PlasticBrain(in_dim=WIDTH, hidden_dim=32, sparsity_k=4) for _ in range(2))
    seen: list[tuple[Tensor, Tensor]] = []
    learn, rows = brain.learn, clusters((0, 1, 2, 3))[0]
    brain.learn = lambda batch: seen.append(batch) or learn(batch)
    made = library.PlasticBrainStrategy(brain=brain, train_mb_size=16, **library.options)
    for experience in library.experiences(PARTS):
        shuffled(made, experience, 0)
        for batch in seen[-3:]:
            alone.learn(batch)
        alone.sleep()
    assert sum(len(y) for _, y in seen) == 96
    assert torch.equal(brain.predict_proba(rows), alone.predict_proba(rows))
    assert float((brain.predict(rows) == clusters((0, 1, 2, 3))[1]).float().mean()) > 0.9


@pytest.mark.skipif(avalanche.available() is not None, reason="avalanche-lib is not installed")
def test_their_evaluator_sees_what_the_brain_knows() -> None:
    made = _real()
    metrics = avalanche.load("evaluation.metrics")
    evaluator = avalanche.load("training.plugins").EvaluationPlugin(
        metrics.accuracy_metrics(stream=True, epoch=True),
        metrics.loss_metrics(stream=True),
        loggers=[avalanche.load("logging").TextLogger(io.StringIO())],
    )
    strategy = importlib.import_module(OURS[1]).PlasticBrainStrategy
    brain = PlasticBrain(in_dim=WIDTH, hidden_dim=32, sparsity_k=4)
    strategy = strategy(brain=brain, train_mb_size=16, evaluator=evaluator)
    streams = made["experiences"](PARTS)
    for experience in streams:
        shuffled(strategy, experience, 0)
    x, y = (torch.cat(part) for part in zip(*PARTS, strict=True))
    found = strategy.eval(streams)
    (measured,) = [value for name, value in found.items() if name.startswith("Top1_Acc_Stream")]
    assert measured == pytest.approx(float((brain.predict(x) == y).float().mean()))


@pytest.mark.skipif(avalanche.available() is not None, reason="avalanche-lib is not installed")
@pytest.mark.filterwarnings("ignore")  # Avalanche's own
def test_the_example_of_the_documentation_runs(capsys: pytest.CaptureFixture[str]) -> None:
    for module in ("benchmarks", "training", "models"):
        avalanche.load(module)
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    left: dict[str, Any] = {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        exec(example, left)
    (kept,) = [value for name, value in left["results"].items() if "Acc_Stream" in name]
    assert kept > 0.8


def test_without_avalanche_it_says_which_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in OURS:
        monkeypatch.delitem(sys.modules, name, raising=False)
    for name in ("avalanche", "avalanche.training.plugins", "avalanche.training.templates"):
        monkeypatch.setitem(sys.modules, name, None)
    for name in OURS:
        with pytest.raises(MissingExtraError, match=r"plasticish\[bench\]"):
            importlib.import_module(name)
