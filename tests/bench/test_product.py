"""What the scenarios of the product as a whole measure by, and their short forms."""

from __future__ import annotations

import pytest
import torch

from plasticish.bench.product import _lived, _lives, _soaking, _sums
from plasticish.bench.product.sums import MOST, sums
from plasticish.bench.scenario import Context
from plasticish.core import LEARNERS

# Float32 by design, see docs/design/determinism.md; they do not grow with the stream.
KNOWN = {
    ("cortex: co-activity", "10,000 ± 0.01"): 5.0,
    ("cortex: co-activity", "constant"): 10.0,
    ("triplets: trace, 114 ms", "constant"): 10.0,
}


@pytest.fixture(scope="module")
def errors():
    return sums.run(Context((0,), quick=True)).rows


def test_a_short_stream_leaves_every_sum_within_a_millionth(errors):
    for goal in sums.goals:
        bound = KNOWN.get((goal.row, goal.metric), MOST)
        assert errors[goal.row][goal.metric][0] <= bound, (goal.row, goal.metric)


def test_every_sum_that_is_driven_has_a_goal(errors):
    assert set(errors) == {goal.row for goal in sums.goals}


def test_a_reference_that_is_wrong_shows():
    assert _sums.error([1.0, 99.0], [1.0, 100.0]) == 0.01
    assert _sums.error([0.0], [0.0]) == 0.0


def test_the_leaky_sum_is_the_closed_form():
    keep, count = 0.99, 5000
    ones = torch.ones(count, 2)
    expected = (1 - keep**count) / (1 - keep)
    assert torch.allclose(_sums.leaky(ones, keep), torch.full((2,), expected).double())
    assert _sums.leaky(torch.zeros(3), 0.5, start=8.0).item() == pytest.approx(1.0)


def test_every_learner_has_a_life():
    ours = {n for n in LEARNERS if LEARNERS[n].__module__.startswith("plasticish.")}
    assert set(_lives.LIVES) == ours


def test_a_stream_recurs_for_ever():
    batches = _lives.LIVES["plastic_memory"].batches(0, 16)
    names = [name for _ in range(50) for name in next(batches)]
    assert len(set(names)) == _lives.NAMES
    assert len(names) > len(set(names))


def test_shared_bits_sees_one_bit(tmp_path):
    from safetensors.torch import save_file

    x = torch.arange(8.0)
    other = x.clone()
    other[3] = torch.nextafter(x[3], torch.tensor(9.0))
    for name, tensor in (("one", x), ("same", x), ("other", other)):
        save_file({"x": tensor}, tmp_path / name, {"values": '{"a": [1, 2]}'})
    save_file({"x": x}, tmp_path / "values", {"values": '{"a": [1, 3]}'})
    shares = [
        _lived.shared_bits(tmp_path / "one", tmp_path / n) for n in ("same", "other", "values")
    ]
    assert shares == pytest.approx([1.0, 0.9, 0.9])


@pytest.mark.parametrize("name", ["episodic_memory", _soaking.TALKER])
def test_a_soak_looks_at_both_ends_of_a_life(name, tmp_path):
    life = _soaking.soak(name, 0, tmp_path, steps=20)
    assert life["steps"] == 20
    for tenth in ("second", "last"):
        assert life[tenth]["steps"] == 2
        assert life[tenth]["stored"] > 0
        assert 0 <= life[tenth]["right"] <= 1
    assert (life["last"]["log"] > 0) == (name == _soaking.TALKER)
