"""The fast search against brute force: sizes on which every shortcut is taken, ties, metrics."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from plasticish.core import DataError, MissingExtraError, ShapeError, make_generator
from plasticish.memory import EpisodicMemoryBank
from plasticish.memory import search as search_module
from plasticish.memory.search import (
    KeyView,
    _nearest_certified,
    _nearest_float32,
    _top_columns,
    class_means,
)
from plasticish.memory.similarity import inverse_norms, unit_rows

WIDTH = 24


def keys(count: int, offset: float = 0.0, seed: int = 0) -> Tensor:
    return torch.randn(count, WIDTH, generator=make_generator(seed)) + offset


def view_of(rows: Tensor) -> KeyView:
    return KeyView(rows, inverse_norms(rows), unit_rows(rows.float()).bfloat16())


def brute(queries: Tensor, rows: Tensor, k: int) -> tuple[Tensor, Tensor]:
    rows, queries = rows.double(), queries.double()
    scores = (queries / queries.norm(dim=1, keepdim=True)) @ (
        rows / rows.norm(dim=1, keepdim=True)
    ).T
    best, index = scores.sort(dim=1, descending=True, stable=True)
    return best[:, :k], index[:, :k]


@pytest.mark.parametrize("search", [_nearest_certified, _nearest_float32])
@pytest.mark.parametrize("offset", [0.0, 3.0])  # cosines around 0, and all crowded near 0.9
@pytest.mark.parametrize("k", [1, 50])
def test_the_nearest_are_those_of_brute_force(search: Any, offset: float, k: int) -> None:
    rows = keys(9000, offset).half()
    queries = unit_rows(keys(40, offset, seed=1))
    similarity, index = search(queries, view_of(rows), k)
    expected, places = brute(queries, rows, k)
    torch.testing.assert_close(similarity.double(), expected, atol=1e-6, rtol=0)
    # Where float64 sees a gap, the order is the same; closer pairs than float32 tells may swap.
    clear = (expected[:, :-1] - expected[:, 1:] > 1e-6).all(dim=1)
    assert k == 1 or clear.sum() > 5
    assert torch.equal(index[clear], places[clear])


def test_a_crude_product_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = keys(6000).half()
    queries = unit_rows(keys(20, seed=1))
    honest = search_module._scores_shifted

    def crude(*arguments: Any) -> Tensor:
        return (honest(*arguments).float() * 20).round().div(20).bfloat16()

    expected = _nearest_float32(queries, view_of(rows), 20)
    monkeypatch.setattr(search_module, "_scores_shifted", crude)
    got = _nearest_certified(queries, view_of(rows), 20)
    assert torch.equal(got[1], expected[1])
    assert torch.equal(got[0], expected[0])


@pytest.mark.parametrize("search", [_nearest_certified, _nearest_float32])
def test_many_equal_keys_go_by_their_slot(search: Any) -> None:
    rows = keys(3000)
    same = torch.arange(100, 3000, 7)
    rows[same] = rows[100].clone()
    _, index = search(unit_rows(rows[100:101]), view_of(rows.half()), 50)
    assert index[0].tolist() == same[:50].tolist()


@settings(max_examples=30, deadline=None)
@given(
    width=st.integers(1, 700), count=st.integers(1, 12), seed=st.integers(0, 99), ties=st.booleans()
)
def test_block_selection_finds_the_largest(width: int, count: int, seed: int, ties: bool) -> None:
    scores = torch.randn(3, width, generator=make_generator(seed))
    scores = scores.round() if ties else scores
    count = min(count, width)
    best, index = _top_columns(scores, count)
    assert torch.equal(best, scores.sort(dim=1, descending=True).values[:, :count])
    assert torch.equal(scores.gather(1, index), best)
    assert all(len(set(row)) == count for row in index.tolist())


@pytest.mark.parametrize("fast", [True, False])
def test_class_means_are_those_of_brute_force(monkeypatch: pytest.MonkeyPatch, fast: bool) -> None:
    monkeypatch.setattr(search_module, "half_products_are_fast", lambda unit: fast)
    rows = keys(12000, 1.0).half()
    labels = torch.randint(0, 4, (12000,), generator=make_generator(3))
    labels[:5] = 4
    members = [(labels == c).nonzero().flatten() for c in range(6)]
    queries = unit_rows(keys(9, 1.0, seed=1))
    got = class_means(queries, view_of(rows), members, 9)
    for c in range(5):
        expected = brute(queries, rows[members[c]], 9)[0].mean(dim=1)
        torch.testing.assert_close(got[:, c].double(), expected, atol=1e-4, rtol=0)
    assert (got[:, 5] == -1).all()


def test_the_bank_takes_the_fast_path_and_stays_exact() -> None:
    bank = EpisodicMemoryBank(WIDTH, k_neighbors=20)
    x = keys(5000)
    bank.store(x, torch.randint(0, 3, (5000,), generator=make_generator(0)))
    queries = keys(30, seed=1)
    expected, _ = brute(queries, bank.examples()[0], 20)
    got = bank.recall(queries)
    torch.testing.assert_close(got.similarity.double(), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("key_dtype", ["float16", "float32"])
def test_a_metric_is_the_cosine_of_projections(key_dtype: str) -> None:
    generator = make_generator(4)
    transform, mean = torch.randn(WIDTH, 7, generator=generator), keys(1)[0]
    x, queries = keys(2000, 1.0), keys(15, 1.0, seed=1)
    bank = EpisodicMemoryBank(WIDTH, k_neighbors=5, key_dtype=key_dtype)
    bank.store(x[:1500], torch.zeros(1500, dtype=torch.int64))
    bank.set_metric(transform, mean)
    bank.store(x[1500:], torch.ones(500, dtype=torch.int64))  # projected as they come in
    projected = (bank.examples()[0] - mean) @ transform
    expected, _ = brute((queries - mean) @ transform, projected, 5)
    tolerance = {"float16": 4e-3, "float32": 1e-6}[key_dtype]  # unit rows are rounded to bfloat16
    got = bank.recall(queries).similarity.double()
    torch.testing.assert_close(got, expected, atol=tolerance, rtol=0)
    if key_dtype == "float16":  # and exact for the rows as rounded
        rounded = unit_rows(projected).bfloat16()
        expected, _ = brute((queries - mean) @ transform, rounded, 5)
        # a product of 500 rows may round another way than one of 2,000: allow one row to differ
        torch.testing.assert_close(got, expected, atol=2e-4, rtol=0)


def test_a_metric_can_change_and_go() -> None:
    bank = EpisodicMemoryBank(WIDTH, k_neighbors=5)
    x, queries = keys(300, 1.0), keys(9, 1.0, seed=1)
    bank.store(x, torch.zeros(300, dtype=torch.int64))
    plain = bank.recall(queries)
    raw = bank.examples()[0]
    bank.set_metric(None, x.mean(dim=0))
    centred = brute(queries - x.mean(dim=0), raw - x.mean(dim=0), 5)[0]
    torch.testing.assert_close(bank.recall(queries).similarity.double(), centred, atol=4e-3, rtol=0)
    assert not torch.allclose(bank.recall(queries).similarity, plain.similarity, atol=0.05)
    bank.set_metric(torch.eye(WIDTH)[:, :3])
    assert bank.metric.rank(WIDTH) == 3
    assert torch.equal(bank.examples()[0], raw)
    bank.set_metric()
    again = bank.recall(queries)
    assert torch.equal(again.indices, plain.indices)
    assert torch.equal(again.similarity, plain.similarity)


def test_a_bad_metric_changes_nothing() -> None:
    bank = EpisodicMemoryBank(WIDTH)
    x = keys(50)
    bank.store(x, torch.zeros(50, dtype=torch.int64))
    before = bank.recall(x).similarity
    with pytest.raises(ShapeError, match="transform"):
        bank.set_metric(torch.ones(WIDTH + 1, 3))
    with pytest.raises(ShapeError, match="mean"):
        bank.set_metric(None, torch.ones(3))
    with pytest.raises(DataError, match="NaN"):
        bank.set_metric(torch.full((WIDTH, 3), float("nan")))
    assert bank.metric.is_plain
    assert torch.equal(bank.recall(x).similarity, before)


def test_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "faiss", None)
    with pytest.raises(MissingExtraError, match=r"plasticish\[faiss\]"):
        EpisodicMemoryBank(WIDTH, index="faiss")


def clustered(count: int, seed: int) -> Tensor:
    generator = make_generator(seed)
    centres = 2 * torch.randn(60, WIDTH, generator=make_generator(77))
    which = torch.randint(0, 60, (count,), generator=generator)
    return centres[which] + torch.randn(count, WIDTH, generator=generator)


def overlap(got: Tensor, expected: Tensor) -> float:
    hits = (got[:, :, None] == expected[:, None, :]).any(dim=2)
    return float(hits.float().mean())


@pytest.mark.needs_faiss
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_approximate_index_finds_95_in_100(tmp_path: Any) -> None:
    pytest.importorskip("faiss")
    banks = [
        EpisodicMemoryBank(WIDTH, 12000, index=index, eviction="ring", k_neighbors=30)
        for index in ("exact", "faiss")
    ]
    x, queries = clustered(15000, 0), clustered(100, 1)
    y = torch.zeros(15000, dtype=torch.int64)
    for bank in banks:
        for i in range(0, 15000, 1000):  # the last three thousand take the place of the first
            bank.store(x[i : i + 1000], y[i : i + 1000])
    exact, approximate = banks
    assert overlap(approximate.recall(queries).indices, exact.recall(queries).indices) >= 0.95
    for bank in banks:
        bank.remove(torch.arange(0, 500))
    assert overlap(approximate.recall(queries).indices, exact.recall(queries).indices) >= 0.95
    approximate.save(tmp_path / "bank")
    loaded = EpisodicMemoryBank.load(tmp_path / "bank")
    assert torch.equal(loaded.recall(queries).indices, approximate.recall(queries).indices)
    for bank in banks:
        bank.set_metric(torch.randn(WIDTH, 12, generator=make_generator(5)))
    assert overlap(approximate.recall(queries).indices, exact.recall(queries).indices) >= 0.95
    assert approximate.recall(queries, k=11000).indices.shape == (100, 11000)


@pytest.mark.needs_faiss
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_small_bank_with_an_approximate_index_is_exact() -> None:
    pytest.importorskip("faiss")
    bank = EpisodicMemoryBank(WIDTH, index="faiss", k_neighbors=10)
    bank.store(keys(500), torch.zeros(500, dtype=torch.int64))
    queries = keys(9, seed=1)
    expected, _ = brute(queries, bank.examples()[0], 10)
    torch.testing.assert_close(
        bank.recall(queries).similarity.double(), expected, atol=1e-6, rtol=0
    )
