"""The bank as a learner: what it takes in, what it answers, what it refuses, how it survives."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from plasticish.core import (
    LEARNERS,
    CheckpointError,
    ConfigError,
    DataError,
    DTypeError,
    LabelError,
    Learner,
    NotReadyError,
    ShapeError,
    make_generator,
)
from plasticish.memory import EpisodicMemoryBank

WIDTH = 12


def blobs(count: int, classes: int = 4, width: int = WIDTH, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = make_generator(seed)
    centres = torch.randn(classes, width, generator=make_generator(99))
    y = torch.randint(0, classes, (count,), generator=generator)
    return centres[y] + 0.7 * torch.randn(count, width, generator=generator), y


def snapshot(bank: EpisodicMemoryBank) -> tuple[dict[str, Any], dict[str, Tensor]]:
    state = bank.export_state()
    return dict(state.values), {k: v.clone() for k, v in state.tensors.items()}


def assert_same(a: EpisodicMemoryBank, b: EpisodicMemoryBank) -> None:
    (values_a, tensors_a), (values_b, tensors_b) = snapshot(a), snapshot(b)
    assert values_a == values_b
    assert tensors_a.keys() == tensors_b.keys()
    for name, tensor in tensors_a.items():
        assert torch.equal(tensor, tensors_b[name]), name


def brute_similarity(bank: EpisodicMemoryBank, x: Tensor) -> Tensor:
    keys = bank.examples()[0].double()
    x = x.double()
    return (x / x.norm(dim=1, keepdim=True)) @ (keys / keys.norm(dim=1, keepdim=True)).T


def test_it_is_a_registered_learner() -> None:
    assert LEARNERS["episodic_memory"] is EpisodicMemoryBank
    assert isinstance(EpisodicMemoryBank(3), Learner)


def test_one_shot_is_enough() -> None:
    bank = EpisodicMemoryBank(2, k_neighbors=1)
    report = bank.learn((torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([4, 7])))
    assert report == {"stored": 2, "evicted": 0, "memories": 2, "fill": 2 / 60000, "classes": 8}
    assert bank.predict(torch.tensor([[0.1, 5.0]])).tolist() == [7]


def test_recall_and_vote_equal_the_equation() -> None:
    x, y = blobs(300)
    queries, _ = blobs(20, seed=1)
    bank = EpisodicMemoryBank(WIDTH, k_neighbors=9, temperature=0.1)
    bank.store(x, y)
    woken = bank.recall(queries)
    brute, order = brute_similarity(bank, queries).sort(dim=1, descending=True)
    assert torch.equal(woken.indices, order[:, :9])
    torch.testing.assert_close(woken.similarity.double(), brute[:, :9], atol=1e-6, rtol=0)
    weights = (brute[:, :9] / 0.1).exp()
    weights /= weights.sum(dim=1, keepdim=True)
    torch.testing.assert_close(woken.weights.double(), weights, atol=1e-5, rtol=0)
    assert torch.equal(woken.labels, y[order[:, :9]])
    by_hand = torch.stack([(weights * (woken.labels == c)).sum(dim=1) for c in range(4)], dim=1)
    torch.testing.assert_close(bank.vote(queries).double(), by_hand, atol=1e-5, rtol=0)
    assert torch.equal(bank.predict(queries), by_hand.argmax(dim=1))
    torch.testing.assert_close(
        bank.max_similarity(queries).double(), brute[:, 0], atol=1e-6, rtol=0
    )


def test_class_similarity_is_the_mean_of_the_nearest_of_each_class() -> None:
    x, y = blobs(200)
    y[y == 2] = 5  # class 2 is empty, class 4 never named
    few = (y == 1).nonzero().flatten()[3:]
    keep = torch.ones(200, dtype=torch.bool)
    keep[few] = False
    bank = EpisodicMemoryBank(WIDTH)
    bank.store(x[keep], y[keep])
    queries, _ = blobs(10, seed=1)
    brute, labels = brute_similarity(bank, queries), bank.labels
    got = bank.class_similarity(queries, k=10)
    assert got.shape == (10, 6)
    for c in (0, 1, 3, 5):
        of_class = brute[:, labels == c]
        expected = of_class.topk(min(10, of_class.shape[1]), dim=1).values.mean(dim=1)
        torch.testing.assert_close(got[:, c].double(), expected, atol=1e-6, rtol=0)
    assert int((labels == 1).sum()) == 3
    assert (got[:, [2, 4]] == -1).all()


def test_k_beyond_the_memories_is_all_of_them() -> None:
    bank = EpisodicMemoryBank(WIDTH)
    x, y = blobs(5)
    bank.store(x, y)
    woken = bank.recall(x[:1], k=99)
    assert woken.indices.shape == (1, 5)
    assert float(woken.weights.sum()) == pytest.approx(1.0, abs=1e-6)


def test_equal_memories_are_told_apart_by_their_slot() -> None:
    bank = EpisodicMemoryBank(3)
    bank.store(torch.ones(40, 3), torch.arange(40))
    assert bank.recall(torch.ones(2, 3), k=5).indices.tolist() == [[0, 1, 2, 3, 4]] * 2


def test_a_zero_key_resembles_nothing() -> None:
    bank = EpisodicMemoryBank(3)
    bank.store(torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]), [0, 1])
    assert bank.recall([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]], k=2).similarity.tolist() == [
        [1.0, 0.0],
        [0.0, 0.0],
    ]


@pytest.mark.parametrize("magnitude", [1e-30, 1e-6, 1.0, 1e6, 1e30])
@pytest.mark.parametrize("key_dtype", ["float16", "bfloat16", "float32"])
def test_no_magnitude_is_lost(magnitude: float, key_dtype: str) -> None:
    x, y = blobs(50)
    bank = EpisodicMemoryBank(WIDTH, key_dtype=key_dtype)
    bank.store(x * magnitude, y)
    error = (bank.examples()[0] / magnitude - x).abs().amax()
    assert float(error) < {"float16": 3e-3, "bfloat16": 2e-2, "float32": 1e-5}[key_dtype]
    assert torch.equal(bank.recall(x * magnitude, k=1).indices[:, 0], torch.arange(50))


def test_predict_is_pure_and_input_is_left_alone() -> None:
    x, y = blobs(60)
    copies = x.clone(), y.clone()
    bank = EpisodicMemoryBank(WIDTH)
    bank.store(x, y)
    before = snapshot(bank)
    first = bank.vote(x)
    assert torch.equal(first, bank.vote(x))
    bank.class_similarity(x)
    bank.examples()[0].zero_()
    bank.examples()[1].zero_()
    bank.labels.zero_()
    assert snapshot(bank)[0] == before[0]
    assert all(torch.equal(v, before[1][k]) for k, v in snapshot(bank)[1].items())
    assert torch.equal(x, copies[0])
    assert torch.equal(y, copies[1])


def test_a_batch_of_one_answers_as_in_a_crowd() -> None:
    x, y = blobs(400)
    bank = EpisodicMemoryBank(WIDTH)
    bank.store(x, y)
    crowd = bank.recall(x[:30])
    for i in range(30):
        alone = bank.recall(x[i : i + 1])
        assert torch.equal(alone.indices[0], crowd.indices[i])
        assert torch.equal(alone.similarity[0], crowd.similarity[i])


def bad_batches() -> list[Any]:
    x, y = blobs(3)
    nan, huge = x.clone(), x.clone()
    nan[1, 2], huge[0, 0] = float("nan"), float("inf")
    return [
        pytest.param(nan, y, DataError, "NaN", id="nan"),
        pytest.param(huge, y, DataError, "infinity", id="infinity"),
        pytest.param(x[:, 1:], y, ShapeError, "wrong shape", id="width"),
        pytest.param(x[0], y, ShapeError, "batch axis", id="axes"),
        pytest.param(x[:0], y[:0], DataError, "empty batch", id="empty"),
        pytest.param(x, y[:2], ShapeError, "do not match", id="count"),
        pytest.param(x, y.float(), DTypeError, "not integers", id="float labels"),
        pytest.param(x, y - 9, LabelError, "negative", id="negative"),
        pytest.param(x, y + 9, LabelError, "fixed-class", id="unknown"),
    ]


@pytest.mark.parametrize(("x", "y", "error", "text"), bad_batches())
def test_bad_input_changes_nothing(x: Tensor, y: Tensor, error: type, text: str) -> None:
    bank = EpisodicMemoryBank(WIDTH, memory_size=20, num_classes=4)
    bank.store(*blobs(30))
    before = snapshot(bank)
    with pytest.raises(error, match=text):
        bank.store(x, y)
    if text not in ("do not match", "not integers", "negative", "fixed-class"):
        with pytest.raises(error, match=text):
            bank.predict(x)
    after = snapshot(bank)
    assert after[0] == before[0]
    assert all(torch.equal(v, before[1][k]) for k, v in after[1].items())


def test_an_absurd_label_is_refused() -> None:
    bank = EpisodicMemoryBank(WIDTH)
    with pytest.raises(LabelError, match="absurdly"):
        bank.store(torch.ones(1, WIDTH), [10**12])
    assert len(bank) == 0
    assert bank.num_classes == 0


def test_an_empty_bank_says_so() -> None:
    bank = EpisodicMemoryBank(WIDTH)
    for ask in (bank.predict, bank.recall, bank.class_similarity, bank.max_similarity):
        with pytest.raises(NotReadyError, match="empty"):
            ask(torch.ones(1, WIDTH))
    assert bank.examples()[0].shape == (0, WIDTH)
    assert list(bank.iter_examples()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        {"input_dim": 0},
        {"memory_size": -1},
        {"k_neighbors": 0},
        {"temperature": 0.0},
        {"temperature": float("nan")},
        {"num_classes": 0},
        {"eviction": "oldest"},
        {"key_dtype": "int8"},
        {"index": "magic"},
        {"seed": -1},
    ],
)
def test_settings_out_of_range_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        EpisodicMemoryBank(**{"input_dim": 4, **arguments})


def test_classes_are_fixed_or_grow() -> None:
    x, y = blobs(8)
    fixed = EpisodicMemoryBank(WIDTH, num_classes=9)
    fixed.store(x, y)
    assert fixed.vote(x).shape == (8, 9)
    growing = EpisodicMemoryBank(WIDTH)
    growing.store(x, y * 0)
    assert growing.vote(x).shape == (8, 1)
    growing.store(x, y * 0 + 5)
    assert growing.vote(x).shape == (8, 6)
    assert growing.class_counts.tolist() == [8, 0, 0, 0, 0, 8]


def test_room_grows_with_what_is_stored() -> None:
    bank = EpisodicMemoryBank(64, memory_size=60000)
    x, y = blobs(3000, width=64)
    bank.store(x[:10], y[:10])
    assert bank.nbytes < 1024 * (64 * 4 + 40)
    bank.store(x, y)
    assert bank.nbytes < 2 * 3010 * (64 * 4 + 40)


def test_examples_come_back_as_stored() -> None:
    x, y = blobs(100)
    x = x.half().float()  # nothing left to round
    bank = EpisodicMemoryBank(WIDTH)
    bank.store(x, y)
    assert torch.equal(bank.examples()[0], x)
    some = bank.examples(torch.tensor([7, 3, 7]))
    assert torch.equal(some[0], x[[7, 3, 7]])
    assert torch.equal(some[1], y[[7, 3, 7]])
    chunks = list(bank.iter_examples(33))
    assert [len(c[1]) for c in chunks] == [33, 33, 33, 1]
    assert torch.equal(torch.cat([c[0] for c in chunks]), x)
    with pytest.raises(DataError, match="out of range"):
        bank.examples([100])


def test_remove_forgets_those_and_no_others() -> None:
    x, y = blobs(100)
    x = x.half().float()
    bank = EpisodicMemoryBank(WIDTH)
    bank.store(x, y)
    assert bank.remove([0, 99, 50, 50, 98]) == 4
    left = torch.tensor([i for i in range(100) if i not in (0, 99, 50, 98)])
    keys, labels = bank.examples()
    pairs = {tuple(row.tolist()): int(c) for row, c in zip(keys, labels, strict=True)}
    assert pairs == {tuple(x[i].tolist()): int(y[i]) for i in left}
    own = bank.recall(x[left], k=1)
    torch.testing.assert_close(own.similarity, torch.ones(len(left), 1))
    for bad, error in (([96], DataError), ([-1], DataError), ([[0]], ShapeError)):
        with pytest.raises(error):
            bank.remove(bad)
    with pytest.raises(DTypeError):
        bank.remove([0.5])
    assert bank.remove(torch.arange(96)) == 96
    assert len(bank) == 0
    assert bank.remove([]) == 0


@pytest.mark.parametrize("eviction", ["balanced", "ring", "reservoir"])
@pytest.mark.parametrize("with_metric", [False, True])
def test_a_checkpoint_goes_on_bit_for_bit(tmp_path: Any, eviction: str, with_metric: bool) -> None:
    x, y = blobs(300)
    bank = EpisodicMemoryBank(WIDTH, memory_size=80, eviction=eviction, seed=3)
    if with_metric:
        bank.set_metric(torch.randn(WIDTH, 5, generator=make_generator(1)), x.mean(dim=0))
    for i in range(0, 150, 7):
        bank.store(x[i : i + 7], y[i : i + 7])
    bank.save(tmp_path / "bank")
    loaded = EpisodicMemoryBank.load(tmp_path / "bank")
    assert_same(bank, loaded)
    assert torch.equal(bank.vote(x), loaded.vote(x))
    for each in (bank, loaded):
        each.store(x[150:], y[150:])
    assert_same(bank, loaded)
    assert torch.equal(bank.class_similarity(x), loaded.class_similarity(x))


def test_a_state_that_does_not_fit_is_refused(tmp_path: Any) -> None:
    bank = EpisodicMemoryBank(WIDTH)
    bank.store(*blobs(10))
    state = bank.export_state()
    before = snapshot(bank)
    bad = dict(state.tensors)
    bad["key"] = bad["key"][:, 1:]
    with pytest.raises(DataError, match="'key' does not fit"):
        bank.import_state(type(state)(state.values, bad))
    with pytest.raises(DataError, match="labels"):
        bank.import_state(type(state)({**state.values, "classes": 1}, state.tensors))
    assert all(torch.equal(v, before[1][k]) for k, v in snapshot(bank)[1].items())
    bank.save(tmp_path / "bank")
    manifest = tmp_path / "bank" / "checkpoint.json"
    manifest.write_text(manifest.read_text().replace('"input_dim": 12', '"input_dim": 13'))
    with pytest.raises(CheckpointError, match="does not fit"):
        EpisodicMemoryBank.load(tmp_path / "bank")


def test_same_seed_same_memories_other_seed_others() -> None:
    x, y = blobs(200)
    banks = [EpisodicMemoryBank(WIDTH, memory_size=50, seed=s) for s in (5, 5, 6)]
    for bank in banks:
        bank.store(x, y)
    assert_same(banks[0], banks[1])
    kept = [set(map(tuple, bank.examples()[0].tolist())) for bank in banks]
    assert kept[0] != kept[2]


def test_stats_and_sleep_are_plain() -> None:
    bank = EpisodicMemoryBank(WIDTH, memory_size=10)
    bank.store(*blobs(15))
    stats = bank.stats()
    assert stats["memories"] == 10
    assert stats["seen"] == 15
    assert stats["fill"] == 1.0
    assert stats["bytes"] == bank.nbytes
    before = snapshot(bank)
    assert bank.sleep() == {"memories": 10}
    assert all(torch.equal(v, before[1][k]) for k, v in snapshot(bank)[1].items())
