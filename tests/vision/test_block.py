"""A block against linear algebra: what it learns awake and asleep, and what it subtracts."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from plasticish.core import ConfigError, DataError, ShapeError, make_generator
from plasticish.vision import NeuromodulatedBlock
from plasticish.vision.settling import noise_edge, open_gates, settle, settle_and_grow

WIDTH = 24
STRONG = 5  # directions that stand out


def covariance(strong: int = STRONG, width: int = WIDTH, seed: int = 0) -> tuple[Tensor, Tensor]:
    """A covariance with some strong directions above a flat floor, and those directions."""
    generator = make_generator(seed)
    basis = torch.linalg.qr(torch.randn(width, width, generator=generator, dtype=torch.float64)).Q
    variance = torch.full((width,), 0.2, dtype=torch.float64)
    variance[:strong] = torch.linspace(12.0, 4.0, strong)
    return ((basis * variance) @ basis.T).float(), basis[:, :strong].T.float()


def samples(count: int, seed: int = 1, strong: int = STRONG) -> Tensor:
    root = torch.linalg.cholesky(covariance(strong)[0].double()).float()
    return torch.randn(count, WIDTH, generator=make_generator(seed)) @ root.T


def worst_angle(units: Tensor, subspace: Tensor) -> float:
    """Largest angle, in degrees, between directions of ``subspace`` and the span of ``units``."""
    span = torch.linalg.qr(units.double().T).Q
    wanted = torch.linalg.qr(subspace.double().T).Q
    cosines = torch.linalg.svdvals(span.T @ wanted)
    return math.degrees(math.acos(min(1.0, float(cosines.min()))))


def block(**options: Any) -> NeuromodulatedBlock:
    return NeuromodulatedBlock(WIDTH, **{"hidden_dim": 64, "sparsity_k": 8, **options})


def snapshot(one: NeuromodulatedBlock) -> dict[str, Any]:
    state = one.export_state()
    return {**state.values, **{k: v.clone() for k, v in state.tensors.items()}}


def unchanged(one: NeuromodulatedBlock, before: dict[str, Any]) -> bool:
    after = snapshot(one)
    return before.keys() == after.keys() and all(
        torch.equal(v, after[k]) if isinstance(v, Tensor) else v == after[k]
        for k, v in before.items()
    )


# --------------------------------------------------------------------------- asleep


@pytest.mark.parametrize("trained", [False, True])
def test_asleep_units_span_the_principal_subspace(trained: bool) -> None:
    wide, principal = covariance()
    values, vectors = torch.linalg.eigh(wide.double())
    assert worst_angle(vectors[:, -STRONG:].T, principal) < 0.1
    one = block()
    if trained:
        for part in samples(400).split(40):
            one.train_step(part)
    one.consolidate(wide, 5000)
    ripe = one.units[one.gate > 0]
    # Three sweeps over a gap of 20 in variance: measured 0.03 degrees.
    assert worst_angle(ripe, principal) < 0.1
    assert len(ripe) == STRONG
    torch.testing.assert_close(
        one.units @ one.units.T, torch.eye(len(one.units)), atol=1e-5, rtol=0
    )
    explained = (one.units.double() @ wide.double() * one.units.double()).sum(dim=1)
    torch.testing.assert_close(explained[:STRONG], values.flip(0)[:STRONG], atol=1e-3, rtol=1e-4)


def test_gates_are_their_equation() -> None:
    wide, _ = covariance()
    count = 3000.0
    one = block()
    one.consolidate(wide, count)
    values = torch.linalg.eigvalsh(wide.double()).flip(0)
    rest = float(values[len(one.units) :].mean())
    shrinkage = (1 + 5 * WIDTH / count) * float(values.sum()) / WIDTH
    expected = 1 - ((rest + shrinkage) / (values[:STRONG] + shrinkage)).sqrt()
    torch.testing.assert_close(one.gate[:STRONG].double(), expected, atol=2e-3, rtol=0)
    assert bool((one.gate[STRONG:] == 0).all())
    assert bool((one.gate < 1).all())


def test_gates_open_with_experience() -> None:
    wide, _ = covariance()
    gates = []
    for count in (100, 1000, 100_000):
        one = block()
        one.consolidate(wide, count)
        gates.append(float(one.gate.sum()))
    assert gates[0] < gates[1] < gates[2]


@pytest.mark.parametrize("count", [40, 200, 2000])
def test_pure_noise_matures_next_to_nothing(count: int) -> None:
    matured = 0
    for seed in range(8):
        x = torch.randn(count, WIDTH, generator=make_generator(seed))
        x -= x.mean(dim=0)
        one = block(seed=seed)
        one.consolidate(x.T @ x / count, count)
        matured += one.mature
    assert matured <= 4  # of 8 x 8 units; measured 3, 1 and 0


def test_the_noise_edge_is_the_largest_variance_of_noise() -> None:
    generator = make_generator(0)
    for width, count in ((50, 200), (100, 1000)):
        x = torch.randn(count, width, generator=generator, dtype=torch.float64)
        largest = float(torch.linalg.eigvalsh(x.T @ x / count)[-1])
        assert abs(largest / noise_edge(width, count) - 1) < 0.1


def test_explain_away_and_passed_on_are_what_forward_does() -> None:
    wide, _ = covariance()
    one = block()
    passed_on, report = one.consolidate(wide, 5000)
    x = samples(40)
    matrix = one.explain_away(torch.eye(WIDTH))
    torch.testing.assert_close(one(x), x @ matrix.T, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(passed_on, matrix @ wide @ matrix.T, atol=1e-4, rtol=1e-4)
    assert report["mature"] == STRONG
    # A strong component is reduced, the rest is left alone.
    assert float(torch.linalg.eigvalsh(passed_on)[-1]) < 0.5 * float(
        torch.linalg.eigvalsh(wide)[-1]
    )
    floor = torch.linalg.eigh(wide).eigenvectors[:, 0][None]
    torch.testing.assert_close(one(floor), floor, atol=1e-2, rtol=0)


def test_without_maturity_the_input_passes_unchanged() -> None:
    one, x = block(), samples(5)
    assert torch.equal(one(x), x)
    assert one(x).data_ptr() != x.data_ptr()


def test_neurogenesis_grows_where_there_is_more_to_explain() -> None:
    wide, _ = covariance(strong=20)
    grown = NeuromodulatedBlock(WIDTH, 64, 22, enable_neurogenesis=True)
    grown.units = grown.units[:4]  # as if it had been born small
    still = NeuromodulatedBlock(WIDTH, 64, 22, enable_neurogenesis=False)
    still.units = still.units[:4]
    assert grown.consolidate(wide, 5000)[1]["born"] > 0
    assert still.consolidate(wide, 5000)[1]["born"] == 0
    assert grown.mature == 20
    assert still.mature <= 4


def test_awake_neurogenesis_takes_up_what_no_unit_explains() -> None:
    for enabled in (True, False):
        one = NeuromodulatedBlock(64, 128, 48, enable_neurogenesis=enabled)
        before = len(one.units)
        novel = torch.zeros(1, 64)
        novel[0, 3] = 5.0
        one.units = one.units - one.units * (novel / 5.0)  # no unit responds to it at all
        one.train_step(novel)
        assert (len(one.units) > before) is enabled
        if enabled:
            torch.testing.assert_close(one.units[-1], novel[0] / 5)


def test_growth_stops_at_its_limits() -> None:
    one = NeuromodulatedBlock(64, 50, 40, enable_neurogenesis=True)
    for i in range(40):
        one.train_step(torch.randn(16, 64, generator=make_generator(i)))
    assert 32 < len(one.units) <= 50
    one.consolidate(covariance(strong=60, width=64)[0], 5000)
    assert len(one.units) == 40
    assert one.maturity.shape == one.usage.shape == (50,)


def test_units_that_found_nothing_are_recycled() -> None:
    one = block()
    for part in samples(200).split(20):
        one.train_step(part)
    _, report = one.consolidate(covariance()[0], 5000)
    assert report["recycled"] == len(one.units) - STRONG
    assert bool((one.usage[STRONG:] == 0).all())
    assert bool((one.usage[:STRONG] > 0).all())


def test_a_second_sleep_on_the_same_changes_nothing() -> None:
    wide, _ = covariance(strong=12)
    one = block()
    first, _ = one.consolidate(wide, 500)
    before = snapshot(one)
    second, report = one.consolidate(wide, 500)
    assert unchanged(one, before)
    assert torch.equal(first, second)
    assert (report["born"], report["recycled"]) == (0, 0)
    one.consolidate(wide * 1.1, 550)
    assert not unchanged(one, before)


@pytest.mark.parametrize("wide", [torch.zeros(WIDTH, WIDTH), 1e-20 * torch.eye(WIDTH)])
def test_nothing_that_varies_is_no_failure(wide: Tensor) -> None:
    one = block()
    passed_on, _ = one.consolidate(wide, 50)
    assert one.mature == 0
    assert bool(passed_on.isfinite().all())
    assert bool(one(samples(3)).isfinite().all())


def test_a_block_wider_than_its_input_settles() -> None:
    one = NeuromodulatedBlock(4, hidden_dim=64, sparsity_k=16)
    one.consolidate(torch.diag(torch.tensor([9.0, 1.0, 0.1, 0.1])), 1000)
    assert one.units.shape[0] <= 4
    assert one.mature >= 1


# --------------------------------------------------------------------------- awake


def test_awake_learning_alone_approaches_the_principal_subspace() -> None:
    one = block(enable_neurogenesis=False)
    principal = covariance()[1]
    before = worst_angle(one.units, principal)
    for part in samples(4000).split(20):
        one.train_step(part)
    # Measured: 80 degrees at first, 14 after 400, 7 after 1,000, 2.4 after one pass of 4,000.
    assert before > 30
    assert worst_angle(one.units, principal) < 8


def test_one_step_is_the_rule() -> None:
    x = samples(6)
    reward = torch.linspace(0.5, 2.0, 6)
    one = block(enable_neurogenesis=False, lr=0.3)
    units, energy = one.units.double(), torch.full((len(one.units),), 0.0).double()
    code = x.double() @ units.T
    winners = code.abs().topk(8, dim=1).indices
    code = torch.zeros_like(code).scatter(1, winners, code.gather(1, winners))
    residual = x.double() - code @ units
    energy += code.square().sum(dim=0)
    step = (reward[:, None].double() * code).T @ residual * (0.3 / energy.clamp(min=1e-12))[:, None]
    expected = torch.nn.functional.normalize(units + step, dim=1)
    given = one.train_step(x, reward)
    torch.testing.assert_close(given.double(), residual, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(one.units.double(), expected, atol=1e-5, rtol=1e-5)
    assert torch.equal(one.usage[: len(code[0])], (code != 0).sum(dim=0))


def test_at_most_k_units_win() -> None:
    one = block(sparsity_k=3)
    code = one.encode(samples(50))
    active = (code != 0).sum(dim=1)
    assert bool((active <= 3).all())
    dense = samples(50) @ one.units.T
    kept = code.abs().amin(dim=1, keepdim=True).where(code != 0, dense.abs().amax())
    strongest = dense.abs().topk(3, dim=1).values
    torch.testing.assert_close(code.abs().topk(3, dim=1).values, strongest)
    assert kept.shape == code.shape


def moved(mode: str, reward: float | None = None, mature: bool = False, lr: float = 0.1) -> float:
    one = block(enable_neurogenesis=False, lr=lr)
    if mature:
        one.consolidate(covariance()[0], 5000)
    before = one.units.clone()
    one.train_step(samples(10), None if reward is None else torch.full((10,), reward), mode)
    ripe = one.gate > 0 if mature else slice(None)
    return float((one.units - before)[ripe].norm())


def test_panic_moves_more_and_inference_nothing() -> None:
    for mature in (False, True):
        assert moved("panic", mature=mature) > 2 * moved("plastic", mature=mature) > 0
        assert moved("inference", mature=mature) == 0


def test_mature_units_are_protected() -> None:
    # The same units, the same deviations: what maturity alone changes.
    def step(mature: bool, mode: str = "plastic") -> float:
        one = block(enable_neurogenesis=False, lr=10.0)
        one.consolidate(covariance()[0], 5000)
        if not mature:
            one._gain = torch.zeros_like(one._gain)
        before = one.units.clone()
        one.train_step(samples(10), mode=mode)
        return float((one.units - before)[:STRONG].norm())

    assert step(mature=True) == pytest.approx(0.1 * step(mature=False), rel=0.02)
    assert step(mature=True, mode="panic") == pytest.approx(
        0.5 * step(mature=False, mode="panic"), rel=0.02
    )


def test_reward_scales_the_step() -> None:
    small = 1e-3  # where normalising the rows is still linear
    plain = moved("plastic", lr=small)
    assert moved("plastic", 1.0, lr=small) == plain
    assert moved("plastic", 2.0, lr=small) == pytest.approx(2 * plain, rel=0.01)
    assert moved("plastic", 0.0, lr=small) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("how", ["frozen", "lr", "inference"])
def test_what_must_not_learn_does_not(how: str) -> None:
    one = block(lr=0.0 if how == "lr" else 1.0)
    one.frozen = how == "frozen"
    before = snapshot(one)
    residual = one.train_step(samples(10), mode="inference" if how == "inference" else "plastic")
    assert residual.shape == (10, WIDTH)
    assert unchanged(one, before)
    if how == "frozen":
        passed_on, _ = one.consolidate(covariance()[0], 5000)
        assert unchanged(one, before)
        torch.testing.assert_close(passed_on, covariance()[0])


def test_bad_input_is_refused_and_nothing_changes() -> None:
    one = block()
    before = snapshot(one)
    x = samples(4)
    bad: list[tuple[tuple[Any, ...], type[Exception], str]] = [
        ((x[:, :3],), ShapeError, r"wrong shape: got \(4, 3\)"),
        ((x * math.nan,), DataError, "NaN"),
        ((x, torch.ones(3)), ShapeError, r"reward does not match the batch: got \(3,\)"),
        ((x, torch.tensor([1.0, -1.0, 1.0, 1.0])), DataError, "reward is out of range"),
        ((x, torch.tensor([1.0, math.inf, 1.0, 1.0])), DataError, "reward is out of range"),
        (
            (x, None, "dreaming"),
            ConfigError,
            r"unknown mode: got 'dreaming', expected one of \['inf",
        ),
    ]
    for arguments, error, text in bad:
        with pytest.raises(error, match=text):
            one.train_step(*arguments)
    assert unchanged(one, before)
    for options, text in (
        ({"sparsity_k": 100}, "more winners than units"),
        ({"lr": -1.0}, "lr is out of range"),
        ({"hidden_dim": 0}, "hidden_dim is out of range"),
    ):
        with pytest.raises(ConfigError, match=text):
            block(**options)


# --------------------------------------------------------------------------- pure functions, state


def test_settling_alone() -> None:
    wide, principal = covariance()
    start = torch.randn(8, WIDTH, generator=make_generator(3))
    units, variance = settle(start, wide, 6)
    assert units.shape == (6, WIDTH)
    assert worst_angle(units, principal) < 0.1
    assert torch.equal(variance, variance.sort(descending=True).values)
    few, _ = settle_and_grow(start[:2], wide, 5000, 10, None)
    assert len(few) == 2
    many, _ = settle_and_grow(
        start[:2], wide, 5000, 10, lambda n: torch.randn(n, WIDTH, generator=make_generator(n))
    )
    assert len(many) in (8, 10)
    gates = open_gates(torch.tensor([5.0, 0.2]), wide, 5000)
    assert float(gates[0]) > 0
    assert float(gates[1]) == 0


def test_state_goes_on_bit_for_bit() -> None:
    one = block()
    for part in samples(200).split(20):
        one.train_step(part)
    one.consolidate(covariance()[0], 500)
    two = NeuromodulatedBlock(**one.config())
    two.import_state(one.export_state())
    for twin in (one, two):
        for part in samples(100, seed=9).split(10):
            twin.train_step(part, mode="panic")
        twin.consolidate(1.1 * covariance()[0], 600)
    assert unchanged(two, snapshot(one))
    with pytest.raises(ShapeError, match="another width"):
        NeuromodulatedBlock(5).import_state(one.export_state())
