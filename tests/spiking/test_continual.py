"""The continual learner beyond the common contract: its loss, its modes, and any module."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from plasticish.core import (
    CheckpointError,
    ConfigError,
    DataError,
    LabelError,
    NotReadyError,
    ShapeError,
    make_generator,
)
from plasticish.memory import TaskBuffer
from plasticish.spiking.continual import ContinualLearningSTDP
from plasticish.spiking.integration import integrate_stdp_into_model

MLP = {"kind": "mlp", "sizes": [4, 8, 6]}


def rows(count: int, seed: int = 0, width: int = 4) -> Tensor:
    return torch.randn(count, width, generator=make_generator(seed))


def clusters(classes: tuple[int, ...], count: int = 20, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Rows far apart by class."""
    centres = 3 * rows(6, 42)
    y = torch.tensor(classes).repeat(count // len(classes))
    return centres[y] + 0.1 * rows(len(y), seed), y


def weights(learner: ContinualLearningSTDP) -> dict[str, Tensor]:
    return {name: t.detach().clone() for name, t in learner.model.state_dict().items()}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(t, other[n]) for n, t in one.items())


def sgd(learner: ContinualLearningSTDP, lr: float = 0.1) -> torch.optim.SGD:
    return torch.optim.SGD(learner.model.parameters(), lr=lr)


def teach(learner: ContinualLearningSTDP, task: Any, *batch: Tensor, steps: int = 30) -> None:
    optimizer = sgd(learner)
    for _ in range(steps):
        learner.train_step(*batch, optimizer=optimizer, task=task)
    learner.end_task(task, [batch])


# --------------------------------------------------------------------------- one step


def test_a_step_without_any_part_is_a_step_of_descent() -> None:
    learner = ContinualLearningSTDP(MLP, 0.0, replay=None)
    twin = ContinualLearningSTDP(MLP, 0.0, replay=None)
    x, y = rows(6), torch.tensor([0, 1, 2, 3, 4, 5])
    report = learner.train_step(x, y, optimizer=sgd(learner))
    loss = functional.cross_entropy(twin.model(x), y)
    loss.backward()  # type: ignore[no-untyped-call]
    sgd(twin).step()
    assert same(weights(learner), weights(twin))
    assert report["loss"] == report["new"] == loss.item()


def test_the_terms_of_dark_experience_replay() -> None:
    """With all of the buffer drawn, each term is a plain formula over what it holds."""
    learner = ContinualLearningSTDP(
        MLP, 0.0, buffer=TaskBuffer(5), asymmetric=False, dark_weight=0.3, replay_weight=0.7
    )
    x, y = rows(5), torch.tensor([0, 1, 2, 3, 4])
    logits = learner.model(x).detach().clone()
    learner.train_step(x, y, optimizer=sgd(learner, 1e-9 + 0.5))
    new, labels = rows(5, 1), torch.tensor([5, 5, 4, 4, 0])
    with torch.no_grad():
        past, now = learner.model(x), learner.model(new)
    report = learner.train_step(new, labels, optimizer=sgd(learner))
    assert report["new"] == pytest.approx(functional.cross_entropy(now, labels).item(), rel=1e-5)
    replay = functional.cross_entropy(past, y).item()
    assert report["replay"] == pytest.approx(0.7 * replay, rel=1e-5)
    assert report["dark"] == pytest.approx(0.3 * (past - logits).square().mean().item(), rel=1e-4)
    assert report["loss"] == pytest.approx(sum(report[k] for k in ("new", "replay", "dark")))


def test_new_classes_do_not_push_down_old_ones() -> None:
    """ER-ACE: the output rows of absent classes get no gradient from the new batch."""
    for asymmetric in (True, False):
        learner = ContinualLearningSTDP(
            MLP, 0.0, buffer=TaskBuffer(9), asymmetric=asymmetric, replay_weight=0, dark_weight=0
        )
        learner.train_step(rows(4), torch.tensor([0, 1, 2, 3]), optimizer=sgd(learner))
        before = learner.model.get_parameter("3.bias").detach().clone()
        learner.train_step(rows(4, 1), torch.tensor([4, 5, 4, 5]), optimizer=sgd(learner))
        moved = learner.model.get_parameter("3.bias").detach() != before
        assert bool(moved[4:].all())
        assert bool(moved[:4].any()) is not asymmetric


def test_springs_of_any_strength_hold_and_never_diverge() -> None:
    first, second = clusters((0, 1)), clusters((2, 3))
    moved = []
    for strength in (1.0, 1e3, 1e12):
        learner = ContinualLearningSTDP(MLP, strength, replay=None)
        teach(learner, 0, *first)
        before, importance = weights(learner), learner.elastic.importance["1.weight"].clone()
        teach(learner, 1, *second, steps=10)
        after = weights(learner)
        assert all(bool(torch.isfinite(t).all()) for t in after.values())
        change = (after["1.weight"] - before["1.weight"]).abs()
        moved.append(float(change[importance > importance.median()].mean()))
    assert moved[0] > moved[1] > moved[2]
    assert moved[2] < 1e-4 * moved[0]


def test_springs_yield_to_replay() -> None:
    """What holds alone holds a hundredth as much while examples are replayed."""
    learner = ContinualLearningSTDP(MLP, 500.0, buffer=TaskBuffer(20))
    plain = ContinualLearningSTDP(MLP, 5.0, buffer=TaskBuffer(20), consolidation_with_replay=1.0)
    for each in (learner, plain):
        teach(each, 0, *clusters((0, 1)))
        teach(each, 1, *clusters((2, 3)), steps=5)
    for name, value in weights(learner).items():
        torch.testing.assert_close(value, weights(plain)[name])


# --------------------------------------------------------------------------- keeping


@pytest.mark.parametrize("meta", [False, True])
def test_classes_are_kept_that_a_naive_learner_loses(meta: bool) -> None:
    kept = {}
    for name, options in (
        ("naive", {"consolidation_strength": 0.0, "replay": None}),
        ("ours", {"use_meta_plasticity": meta}),
    ):
        learner = ContinualLearningSTDP(MLP, **options)  # type: ignore[arg-type]
        for task, classes in enumerate([(0, 1), (2, 3), (4, 5)]):
            teach(learner, task, *clusters(classes), steps=60)
        x, y = clusters((0, 1), seed=9)
        kept[name] = float((learner.predict(x) == y).float().mean())
    assert kept["naive"] < 0.2
    assert kept["ours"] > 0.9


def test_task_mode_asks_among_the_classes_of_the_task() -> None:
    learner = ContinualLearningSTDP(MLP, mode="task")
    for task, classes in (("a", (0, 1)), ("b", (2, 3))):
        teach(learner, task, *clusters(classes))
    x = rows(30, 5)
    assert set(learner.predict(x, "a").tolist()) <= {0, 1}
    assert set(learner.predict(x, "b").tolist()) <= {2, 3}
    assert int(torch.isfinite(learner.scores(x, "b")).sum()) == 60
    for task, text in ((None, "this task is unknown: got None"), ("c", "one of: 'a', 'b'")):
        with pytest.raises(ConfigError, match=text):
            learner.predict(x, task)
    with pytest.raises(ConfigError, match="task mode needs a task"):
        learner.train_step(*clusters((4, 5)))


def test_domain_mode_takes_values() -> None:
    learner = ContinualLearningSTDP({"kind": "mlp", "sizes": [4, 8, 2]}, mode="domain")
    x = rows(32)
    teach(learner, "plain", x, x[:, :2] * 0.5, steps=200)
    assert float((learner.predict(x) - x[:, :2] * 0.5).square().mean().detach()) < 0.05
    with pytest.raises(ShapeError, match=r"targets do not match what the model answers: got \(32,"):
        learner.train_step(x, x)
    assert "3.weight" in learner.elastic.importance


class Reader(nn.Module):
    """Answers at every place of a line of symbols."""

    def __init__(self) -> None:
        super().__init__()
        self.symbol = nn.Embedding(6, 5)
        self.out = nn.Linear(5, 6)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.out(self.symbol(x))
        return out


def test_lines_of_symbols_are_learned_place_by_place() -> None:
    learner = ContinualLearningSTDP(Reader(), mode="domain", lr=1.0)
    x = torch.randint(6, (16, 7), generator=make_generator(0))
    for _ in range(150):
        learner.learn((x, (x + 1) % 6))
    assert bool((learner.predict(x) == (x + 1) % 6).all())
    assert learner.buffer.everything().labels.shape == (16, 7)
    learner.end_task()
    with pytest.raises(LabelError, match="unknown to this fixed-class learner"):
        learner.learn((x, x + 1))


def test_images_stay_bytes_in_the_buffer() -> None:
    learner = ContinualLearningSTDP({"kind": "mlp", "sizes": [16, 8, 3]})
    x = torch.randint(256, (6, 1, 4, 4), dtype=torch.uint8, generator=make_generator(0))
    learner.learn((x, torch.tensor([0, 1, 2, 0, 1, 2])))
    assert learner.buffer.everything().inputs.dtype == torch.uint8
    assert torch.equal(learner.scores(x), learner.model(x.float() / 255).detach())


def test_batch_norm_and_dropout_live_through_it() -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.2), nn.Linear(8, 6))
    learner = ContinualLearningSTDP(model)
    teach(learner, 0, *clusters((0, 1)))
    before = weights(learner)
    learner.predict(rows(3))
    assert same(weights(learner), before)
    assert model.training


def test_layers_with_a_local_rule_make_their_step() -> None:
    plain, local = (ContinualLearningSTDP(MLP, 0.0, replay=None) for _ in range(2))
    integrate_stdp_into_model(local.model, "classical", layers_to_enhance=["1"])
    x, y = clusters((0, 1))
    for each in (plain, local):
        each.train_step(x, y, optimizer=sgd(each))
    assert not torch.equal(weights(plain)["1.weight"], weights(local)["1.weight"])
    assert torch.equal(weights(plain)["3.weight"], weights(local)["3.weight"])


# --------------------------------------------------------------------------- refusals


def test_what_cannot_be_used_is_refused_and_changes_nothing() -> None:
    learner = ContinualLearningSTDP(MLP, replay=None)
    teach(learner, "a", *clusters((0, 1)))
    x, y = clusters((2, 3))
    before, state = weights(learner), learner.export_state()
    vector = nn.CrossEntropyLoss(reduction="none")
    smooth = nn.CrossEntropyLoss(label_smoothing=0.1)
    for criterion, error, text in (
        (vector, ShapeError, r"the criterion returns no scalar: got \(20,\).*reduction='mean'"),
        (smooth, DataError, "the loss is not finite.*label smoothing"),
    ):
        with pytest.raises(error, match=text):
            learner.train_step(x, y, criterion=criterion, task="b")
    with pytest.raises(ConfigError, match="a task id was seen twice: got 'a'"):
        learner.train_step(x, y, task="a")
    with pytest.raises(ConfigError, match="a task id was seen twice: got 'a'"):
        learner.end_task("a")
    with pytest.raises(NotReadyError, match="nothing was learned of this task"):
        learner.end_task("b")
    with pytest.raises(DataError, match="nothing to compute the importance on"):
        learner.compute_parameter_importance([])
    assert same(weights(learner), before)
    assert learner.export_state().values == state.values


def test_a_learner_that_cannot_be_is_refused() -> None:
    for options, text in (
        ({"mode": "open"}, "unknown mode: got 'open', expected one of: 'class'"),
        ({"replay": "dream"}, "unknown replay: got 'dream', expected one of: None, 'er'"),
        ({"lr": 0.0}, "lr is out of range"),
        ({"dark_weight": -1.0}, "dark_weight is out of range"),
        ({"consolidation_strength": -1.0}, "strength is out of range"),
        ({"buffer": {"capacity": 0}}, "capacity is out of range"),
    ):
        with pytest.raises(ConfigError, match=text):
            ContinualLearningSTDP(MLP, **options)  # type: ignore[arg-type]
    for spec, text in (
        ({"sizes": [4, 2]}, "this model has no kind"),
        ({"kind": "brain"}, "unknown model: got 'brain', expected one of: .*mlp"),
        ({"kind": "mlp", "sizes": [4]}, "sizes of the network are not usable"),
        ({"kind": "mlp", "wheels": 4}, "the model 'mlp' cannot be made"),
    ):
        with pytest.raises(ConfigError, match=text):
            ContinualLearningSTDP(spec)
    with pytest.raises(ConfigError, match="the model has no trainable parameter"):
        ContinualLearningSTDP(nn.Linear(2, 2).requires_grad_(False))
    with pytest.raises(ConfigError, match="no Linear layer"):
        ContinualLearningSTDP(nn.Conv1d(1, 1, 1), use_meta_plasticity=True)


# --------------------------------------------------------------------------- checkpoints


def test_a_module_of_your_own_is_asked_for(tmp_path: Path) -> None:
    def module() -> nn.Sequential:
        return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 6))

    learner = ContinualLearningSTDP(module(), mode="class", seed=3)
    teach(learner, "a", *clusters((0, 1)))
    learner.save(tmp_path / "it")
    with pytest.raises(CheckpointError, match=r"module of your own.*load\(path, model=module\)"):
        ContinualLearningSTDP.load(tmp_path / "it")
    with pytest.raises(CheckpointError, match="does not fit"):
        ContinualLearningSTDP.load(tmp_path / "it", model=nn.Linear(4, 6))
    loaded = ContinualLearningSTDP.load(tmp_path / "it", model=module())
    for each in (learner, loaded):
        each.learn(clusters((2, 3)))
    assert same(weights(learner), weights(loaded))
    assert loaded.stats() == learner.stats()


def test_local_rules_and_their_estimates_are_in_the_checkpoint(tmp_path: Path) -> None:
    def made() -> ContinualLearningSTDP:
        learner = ContinualLearningSTDP(MLP)
        integrate_stdp_into_model(learner.model, "homeostatic", layers_to_enhance=["1"])
        return learner

    learner, loaded = made(), made()
    teach(learner, 0, *clusters((0, 1)), steps=5)
    loaded.import_state(learner.export_state())
    for each in (learner, loaded):
        each.learn(clusters((2, 3)))
    assert same(weights(learner), weights(loaded))


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.Adam])
def test_an_optimizer_goes_on_from_its_packed_state(optimizer: Any) -> None:
    from plasticish.spiking.optimizer_state import pack_optimizer, unpack_optimizer

    def step(model: nn.Linear, by: torch.optim.Optimizer) -> None:
        by.zero_grad()
        model(rows(5)).square().sum().backward()
        by.step()

    options = {"momentum": 0.9} if optimizer is torch.optim.SGD else {}
    one, other = nn.Linear(4, 2), nn.Linear(4, 2)
    first, second = (optimizer(m.parameters(), lr=0.01, **options) for m in (one, other))
    step(one, first)
    other.load_state_dict(one.state_dict())
    unpack_optimizer(second, pack_optimizer(first))
    for model, by in ((one, first), (other, second)):
        step(model, by)
        step(model, by)
    assert torch.equal(one.weight, other.weight)
    with pytest.raises(DataError, match="not fit"):
        unpack_optimizer(torch.optim.SGD([one.weight], lr=0.1), pack_optimizer(first))
    older = pack_optimizer(first)
    assert older.values["groups"][0].pop("maximize") is False  # as if torch had none of it then
    unpack_optimizer(second, older)
    older.values["groups"][0]["haste"] = 1.0
    with pytest.raises(DataError, match="haste"):
        unpack_optimizer(second, older)
