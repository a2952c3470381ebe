"""The cortex against its equations: sums, discriminant, order, merging and forgetting."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from torch import Tensor

from plasticish.core import (
    ConfigError,
    DataError,
    LabelError,
    NotReadyError,
    ShapeError,
    make_generator,
)
from plasticish.memory import AssociativeCortex
from plasticish.memory.coactivity import PENDING
from plasticish.memory.expansion import RandomExpansion

WIDTH, CLASSES = 10, 4
# The products are float32: moments agree to some 1e-6 of the largest entry (worst seen 1.2e-6),
# and the evidence, into which they go through an inverse, to 1.2e-5.
SUMS = 3e-6
EVIDENCE = 4e-5


def blobs(count: int, seed: int = 0, width: int = WIDTH) -> tuple[Tensor, Tensor]:
    generator = make_generator(seed)
    centres = 1.5 * torch.randn(CLASSES, width, generator=make_generator(99))
    y = torch.arange(count) % CLASSES
    return centres[y] + torch.randn(count, width, generator=generator), y


def taught(batches: Any, expansion: int = 16, **options: Any) -> AssociativeCortex:
    cortex = AssociativeCortex(WIDTH, expansion, **options)
    for batch in batches:
        cortex.learn(batch)
    return cortex


def code(cortex: AssociativeCortex, x: Tensor) -> np.ndarray[Any, Any]:
    """The expansion in float64, by its equation."""
    rows = x.double().numpy()
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    unit = rows / np.where(norms > 0, norms, 1) * math.sqrt(rows.shape[1])
    projection = cortex._encode._projection.double().numpy()
    return np.concatenate([unit, np.maximum(unit @ projection, 0)], axis=1)


def by_hand(
    phi: np.ndarray[Any, Any], y: np.ndarray[Any, Any], e: float
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The discriminant by its definition, from the examples themselves, in float64."""
    labels = np.unique(y)
    means = np.stack([phi[y == c].mean(axis=0) for c in labels])
    off = phi - means[np.searchsorted(labels, y)]
    within = off.T @ off / len(phi)
    width = phi.shape[1]
    # The floor that keeps one example a class solvable is part of the definition.
    ridge = e * np.trace(within) / width + 1e-4 * (means**2).mean()
    weights = np.linalg.solve(within + ridge * np.eye(width), means.T)
    return weights, -0.5 * (means.T * weights).sum(axis=0)


def gap(one: Tensor, other: Any) -> float:
    """Largest difference, as a share of the largest value."""
    expected = torch.as_tensor(other).double()
    return float((one.double() - expected).abs().max() / expected.abs().max())


# --------------------------------------------------------------------------- sums and readout


@pytest.mark.parametrize("batch", [1, 7, PENDING - 1, PENDING + 5, 3 * PENDING])
def test_sums_are_those_of_the_examples(batch: int) -> None:
    x, y = blobs(2 * PENDING + 40)
    cortex = taught(zip(x.split(batch), y.split(batch), strict=True))
    phi = code(cortex, x)
    moments = cortex._sums.moments()
    means = np.stack([phi[y == c].mean(axis=0) for c in range(CLASSES)])
    within = sum((phi[y == c] - means[c]).T @ (phi[y == c] - means[c]) for c in range(CLASSES))
    assert gap(moments.means, means) < SUMS
    assert gap(moments.within, within / len(x)) < SUMS
    assert moments.counts.tolist() == torch.bincount(y).tolist()
    assert gap(moments.within, moments.within.T) < 1e-14
    # The features alone are a corner of the whole, and expectations never lag behind.
    assert gap(cortex.moments().within, within[:WIDTH, :WIDTH] / len(x)) < SUMS
    assert gap(cortex.expectations(), means[:, :WIDTH]) < SUMS


def test_columns_that_hardly_vary_do_not_round_the_same_way_for_ever() -> None:
    noise, y = blobs(20 * PENDING)
    steady = torch.arange(1.0, WIDTH + 1) * 0.1 + 1e-4 * noise
    cortex = taught(zip(steady.split(PENDING), y.split(PENDING), strict=True))
    phi = cortex._encode(steady).double()
    assert gap(cortex._sums._coactivity.tril(), (phi.T @ phi).tril()) < 1e-9


@pytest.mark.parametrize("expansion", [0, 16])
@pytest.mark.parametrize("e", [0.05, 1.0, 30.0])
def test_readout_is_the_shrunken_discriminant(expansion: int, e: float) -> None:
    (x, y), (queries, _) = blobs(300), blobs(50, seed=1)
    cortex = taught([(x, y)], expansion, shrinkage=e)
    cortex.sleep()
    weights, bias = by_hand(code(cortex, x), y.numpy(), e)
    assert gap(cortex.evidence(queries), code(cortex, queries) @ weights + bias) < EVIDENCE


@pytest.mark.parametrize("e", [0.1, 1.0])
def test_it_agrees_with_scikit_learn(e: float) -> None:
    # (1 - s) S + s mu I = (1 - s)(S + e mu I) with s = e / (1 + e): the same up to a factor.
    (x, y), (queries, _) = blobs(400), blobs(60, seed=1)
    cortex = taught([(x, y)], expansion=0, shrinkage=e)
    share = e / (1 + e)
    equal = np.full(CLASSES, 1 / CLASSES)
    peer = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=share, priors=equal)
    peer.fit(code(cortex, x), y)
    theirs = (peer.decision_function(code(cortex, queries)) - math.log(1 / CLASSES)) * (1 - share)
    # Ours has a floor of 1e-4 of the mean square beside the shrinkage: hence not to rounding.
    assert gap(cortex.evidence(queries), theirs) < 2e-3
    assert np.array_equal(cortex.predict(queries).numpy(), theirs.argmax(axis=1))


def test_posterior_is_the_softmax_of_the_evidence() -> None:
    x, y = blobs(100)
    cortex = taught([(x, 2 * y)])  # labels 1, 3, 5 do not exist
    proba = cortex.predict_proba(x)
    assert proba.shape == (100, 7)
    assert cortex.known_classes.tolist() == [0, 2, 4, 6]
    assert bool((proba[:, 1::2] == 0).all())
    torch.testing.assert_close(proba[:, ::2], torch.softmax(cortex.evidence(x), dim=1))
    assert torch.equal(proba.argmax(dim=1), cortex.predict(x))


# --------------------------------------------------------------------------- order


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_order_and_any_cut_gives_the_same_readout(data: st.DataObject) -> None:
    count = data.draw(st.sampled_from([12, 60, PENDING + 60]))
    (x, y), (queries, _) = blobs(count), blobs(30, seed=1)
    straight = taught([(x, y)])
    straight.sleep()
    order = torch.randperm(count, generator=make_generator(data.draw(st.integers(0, 2**31))))
    cuts = sorted(data.draw(st.sets(st.integers(1, count - 1), max_size=8)))
    sizes = [b - a for a, b in zip([0, *cuts], [*cuts, count], strict=True)]
    other = AssociativeCortex(WIDTH, 16)
    for xs, ys in zip(x[order].split(sizes), y[order].split(sizes), strict=True):
        other.learn((xs, ys))
        if data.draw(st.booleans()):
            other.sleep()  # when it sleeps on the way does not matter either
    other.sleep()
    assert other.stats()["shrinkage"] == straight.stats()["shrinkage"]
    assert gap(other.evidence(queries), straight.evidence(queries)) < EVIDENCE


@settings(max_examples=15, deadline=None)
@given(cut=st.integers(1, 2 * PENDING - 1), seed=st.integers(0, 1000))
def test_merging_equals_having_seen_both(cut: int, seed: int) -> None:
    (x, y), (queries, _) = blobs(2 * PENDING, seed), blobs(30, seed=1)
    whole, one, two = (AssociativeCortex(WIDTH, 16) for _ in range(3))
    whole.learn((x, y))
    one.learn((x[:cut], y[:cut]))
    two.learn((x[cut:], y[cut:]))
    before = two.export_state().tensors["coactivity"].clone()
    assert one.merge(two) == {"seen": len(x), "classes": CLASSES}
    assert gap(one.evidence(queries), whole.evidence(queries)) < EVIDENCE
    assert torch.equal(two.export_state().tensors["coactivity"], before)


@settings(max_examples=15, deadline=None)
@given(gone=st.integers(1, PENDING + 100), slept=st.booleans())
def test_forgetting_equals_never_having_learned(gone: int, slept: bool) -> None:
    (x, y), (queries, _) = blobs(PENDING + 200), blobs(30, seed=1)
    never = taught([(x[gone:], y[gone:])])
    forgot = taught([(x, y)])
    if slept:
        forgot.sleep()
    assert forgot.forget(x[:gone], y[:gone])["seen"] == len(x) - gone
    for cortex in (never, forgot):
        cortex.sleep()
    assert gap(forgot.evidence(queries), never.evidence(queries)) < 2 * EVIDENCE


def test_a_class_can_be_forgotten_whole() -> None:
    x, y = blobs(100)
    cortex = taught([(x, y)])
    cortex.forget(x[y == 2], y[y == 2])
    cortex.sleep()
    assert cortex.known_classes.tolist() == [0, 1, 3]
    assert cortex.class_counts.tolist() == [25, 25, 0, 25]
    assert 2 not in cortex.predict(x).tolist()


def test_everything_can_be_forgotten_and_something_learned_anew() -> None:
    x, y = blobs(PENDING + 8)
    cortex = taught([(x, y)])
    cortex.forget(x, y)
    assert cortex.seen == 0
    with pytest.raises(NotReadyError, match="seen nothing yet"):
        cortex.sleep()
    cortex.learn((x[:CLASSES], y[:CLASSES]))
    fresh = taught([(x[:CLASSES], y[:CLASSES])])
    assert torch.equal(cortex.predict(x), fresh.predict(x))


@pytest.mark.parametrize(
    ("label", "count", "text"),
    [(1, 26, "got 26 of class 1, expected at most 25"), (9, 1, "got 1 of class 9, .* at most 0")],
)
def test_forgetting_too_much_is_refused(label: int, count: int, text: str) -> None:
    cortex = taught([blobs(100)])
    before = {k: v.clone() for k, v in cortex.export_state().tensors.items()}
    with pytest.raises(DataError, match=f"more examples would be forgotten.*{text}"):
        cortex.forget(torch.ones(count, WIDTH), torch.full((count,), label))
    assert all(torch.equal(v, before[k]) for k, v in cortex.export_state().tensors.items())
    assert cortex.num_classes == CLASSES


# --------------------------------------------------------------------------- few, odd, unequal


@pytest.mark.parametrize("expansion", [0, 64])
def test_one_example_a_class_is_the_nearest_mean(expansion: int) -> None:
    (x, y), (queries, _) = blobs(CLASSES), blobs(200, seed=3)
    cortex = taught([(x, y)], expansion)
    cortex.sleep()
    means, codes = code(cortex, x), code(cortex, queries)
    distance = ((codes[:, None] - means) ** 2).sum(axis=2)
    assert np.array_equal(cortex.predict(queries).numpy(), distance.argmin(axis=1))


def test_constant_duplicated_and_zero_features_do_no_harm() -> None:
    (x, y), (queries, answer) = blobs(400), blobs(200, seed=1)

    def odd(rows: Tensor) -> Tensor:
        zeros, ones = torch.zeros(len(rows), 4), torch.ones(len(rows), 2)
        return torch.cat([rows, rows[:, :3], zeros, ones], dim=1)

    cortex = AssociativeCortex(WIDTH + 9, 16)
    cortex.learn((odd(x), y))
    cortex.sleep()
    plain = taught([(x, y)])
    plain.sleep()
    right = float((cortex.predict(odd(queries)) == answer).float().mean())
    assert right > float((plain.predict(queries) == answer).float().mean()) - 0.03
    # A row of nothing but zeros is answered too, and every magnitude is the same direction.
    zero = cortex.predict_proba(torch.zeros(1, WIDTH + 9))
    assert bool(zero.isfinite().all())
    rows = odd(queries)
    for scale in (1e-30, 1e30):
        assert gap(cortex.evidence(rows * scale), cortex.evidence(rows)) < 1e-5


def test_rows_that_are_all_alike_are_learned() -> None:
    cortex = taught([(torch.ones(20, WIDTH), torch.arange(20) % 2)])
    cortex.sleep()
    torch.testing.assert_close(cortex.predict_proba(torch.ones(1, WIDTH)), torch.full((1, 2), 0.5))


@pytest.mark.parametrize("times", [3, 40])
def test_showing_a_class_more_often_does_not_favour_it(times: int) -> None:
    x, y = blobs(200)
    more = torch.cat([torch.arange(200), (y == 1).nonzero().flatten().repeat(times - 1)])
    cortex = taught([(x[more], y[more])], expansion=0, shrinkage=0.5)
    cortex.sleep()
    # Midway between two means neither is favoured, exactly when their priors are equal.
    tensors = cortex.export_state().tensors
    weights, bias = tensors["weights"].double(), tensors["bias"].double()
    means = cortex._sums.moments().means
    for other in (0, 2, 3):
        middle = (means[1] + means[other]) / 2
        evidence = middle @ weights + bias
        assert abs(float(evidence[1] - evidence[other])) < 1e-5 * float(evidence.abs().max())


def test_shrinkage_falls_with_experience() -> None:
    x, y = blobs(4000)
    chosen = []
    for count in (8, 40, 4000):
        cortex = taught([(x[:count], y[:count])])
        chosen.append(cortex.sleep()["shrinkage"])
    assert chosen[0] > chosen[2]
    assert chosen == sorted(chosen, reverse=True)


# --------------------------------------------------------------------------- sleep and refusals


def test_the_readout_in_force_holds_until_the_next_sleep() -> None:
    (x, y), (queries, _) = blobs(100), blobs(20, seed=1)
    cortex = taught([(x[:50], y[:50])])
    assert not cortex.slept
    before = cortex.evidence(queries)
    cortex.learn((x[50:80], y[50:80]))
    assert not torch.equal(cortex.evidence(queries), before)  # awake: from the sums as they stand
    cortex.sleep()
    settled = cortex.evidence(queries)
    cortex.learn((x[80:], y[80:] + CLASSES))
    assert torch.equal(cortex.evidence(queries), settled)
    assert cortex.known_classes.tolist() == [0, 1, 2, 3]
    cortex.sleep()
    assert cortex.known_classes.tolist() == list(range(8))


def test_merging_refuses_what_means_something_else() -> None:
    cortex = taught([blobs(20)])
    for other in (
        AssociativeCortex(WIDTH + 1, 16),
        AssociativeCortex(WIDTH, 8),
        AssociativeCortex(WIDTH, 16, seed=1),
    ):
        with pytest.raises(ConfigError, match=r"cannot be merged: got \(in_dim, expansion, seed\)"):
            cortex.merge(other)
    with pytest.raises(ConfigError, match="got itself"):
        cortex.merge(cortex)
    narrow = AssociativeCortex(WIDTH, 16, num_classes=2)
    with pytest.raises(LabelError, match="unknown here: got 4 classes, expected at most 2"):
        narrow.merge(cortex)
    assert narrow.seen == 0
    assert cortex.seen == 20


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"in_dim": 0}, "in_dim is out of range"),
        ({"expansion": -1}, "expansion is out of range"),
        ({"num_classes": 0}, "num_classes is out of range"),
        ({"shrinkage": 0.0}, "shrinkage is out of range"),
        ({"shrinkage": math.nan}, "shrinkage is out of range"),
    ],
)
def test_settings_without_a_meaning_are_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        AssociativeCortex(**{"in_dim": WIDTH, **options})


def test_moments_of_another_width_are_refused() -> None:
    with pytest.raises((ShapeError, DataError), match="another width"):
        AssociativeCortex(WIDTH, 4).import_state(taught([blobs(9)]).export_state())


# --------------------------------------------------------------------------- the expansion


def test_expansion_is_its_equation_and_depends_on_the_seed_alone() -> None:
    x = blobs(30)[0]
    one = AssociativeCortex(WIDTH, 40, seed=5)
    assert gap(one._encode(x), code(one, x)) < 1e-6
    assert torch.equal(RandomExpansion(WIDTH, 40, 5)(x), one._encode(x))
    assert not torch.equal(RandomExpansion(WIDTH, 40, 6)(x), one._encode(x))
    drawn = RandomExpansion(400, 400, 0)._projection * math.sqrt(400)
    assert abs(float(drawn.mean())) < 0.01
    assert abs(float(drawn.std()) - 1) < 0.01
