"""Branches of a brain: what is merged is what one brain would have learned."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from plasticish import EpisodicMemoryBank, PlasticBrain
from plasticish.core import ConfigError, NotReadyError

WIDTH, CLASSES, COUNT = 12, 4, 240


def some_data(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    y = torch.randint(0, CLASSES, (COUNT,), generator=generator)
    centres = 2 * torch.randn(CLASSES, WIDTH, generator=generator)
    return centres[y] + torch.randn(COUNT, WIDTH, generator=generator), y


def new_brain(**options) -> PlasticBrain:
    chosen = {"hidden_dim": 16, "sparsity_k": 8, "expansion": 20, "memory_size": 50, **options}
    return PlasticBrain(WIDTH, **chosen)


def taught(brain: PlasticBrain, x: torch.Tensor, y: torch.Tensor) -> PlasticBrain:
    for rows in torch.arange(len(x)).split(16):
        brain.learn((x[rows], y[rows]))
    return brain


def in_shards(cuts: list[int], **options) -> PlasticBrain:
    x, y = some_data()
    brain = new_brain(**options)
    edges = [0, *cuts, COUNT]
    branches = [
        taught(brain.branch(after=start), x[start:stop], y[start:stop])
        for start, stop in pairwise(edges)
    ]
    for branch in branches:
        brain.merge(branch)
    return brain


def memories(brain: PlasticBrain) -> torch.Tensor:
    """Keys, labels and births of all memories, by birth."""
    keys, labels = brain.memory.examples()
    birth = brain.memory.export_state().tensors["birth"]
    rows = torch.cat([keys, labels[:, None].float(), birth[:, None].float()], dim=1)
    return rows[birth.argsort()]


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(1, COUNT - 1), min_size=1, max_size=4, unique=True).map(sorted))
def test_shards_make_the_brain_of_the_whole_stream(cuts):
    one, many = taught(new_brain(), *some_data()), in_shards(cuts)
    assert many.seen == one.seen == COUNT
    assert torch.equal(many.cortex.class_counts, one.cortex.class_counts)
    assert torch.equal(memories(many), memories(one))  # of a full bank, too
    a, b = one.cortex.moments(), many.cortex.moments()
    torch.testing.assert_close(b.within, a.within, rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(b.means, a.means, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("memory_size", [30, 1000])
def test_the_answers_are_those_of_one_brain(memory_size):
    one = taught(new_brain(memory_size=memory_size), *some_data())
    many = in_shards([100, 130], memory_size=memory_size)
    one.sleep(), many.sleep()
    x = some_data(1)[0]
    torch.testing.assert_close(
        many.cortex.evidence(x), one.cortex.evidence(x), rtol=1e-3, atol=1e-3
    )
    assert (many.predict(x) == one.predict(x)).float().mean() > 0.99


def test_learning_goes_on_as_in_one_brain():
    x, y = some_data(2)
    one, many = taught(new_brain(), *some_data()), in_shards([100])
    for brain in (one, many):
        taught(brain, x, y)
    assert torch.equal(memories(many), memories(one))
    a, b = (brain.export_state().part("glimpse").tensors for brain in (one, many))
    assert torch.equal(a["priority"].sort().values, b["priority"].sort().values)


def test_merging_leaves_the_other_as_it_is():
    x, y = some_data()
    brain = new_brain()
    branch = taught(brain.branch(), x, y)
    before = branch.export_state().tensors
    brain.merge(branch)
    taught(brain, x, y)
    after = branch.export_state().tensors
    assert all(torch.equal(after[name], before[name]) for name in before)


def test_a_branch_is_empty_and_of_the_same_kind():
    brain = taught(new_brain(num_classes=CLASSES), *some_data())
    branch = brain.branch()
    assert (branch.seen, len(branch.memory), branch.config()) == (0, 0, brain.config())


@pytest.mark.parametrize(
    ("options", "told"),
    [({"seed": 1}, "seed=1"), ({"expansion": 21}, "expansion=21"), ({"lr": 0.5}, "lr=0.5")],
)
def test_brains_made_with_other_arguments_are_refused(options, told):
    brain, other = taught(new_brain(), *some_data()), taught(new_brain(**options), *some_data())
    before = memories(brain)
    with pytest.raises(ConfigError, match=f"cannot be merged: got {told}"):
        brain.merge(other)
    assert brain.seen == COUNT
    assert torch.equal(memories(brain), before)


def test_itself_and_the_untaught_are_refused():
    brain = taught(new_brain(), *some_data())
    with pytest.raises(ConfigError, match="merged with itself"):
        brain.merge(brain)
    with pytest.raises(NotReadyError, match="learned nothing yet"):
        brain.merge(brain.branch())


@pytest.mark.parametrize("after", [-1, True])
def test_a_place_that_is_no_count_is_refused(after):
    with pytest.raises(ConfigError, match="after is out of range"):
        new_brain().branch(after)


@pytest.mark.parametrize("eviction", ["balanced", "reservoir", "ring"])
def test_a_bank_that_follows_another_continues_it(eviction):
    x, y = some_data()
    one = EpisodicMemoryBank(WIDTH, 40, eviction=eviction)
    one.store(x, y)
    first, second = (EpisodicMemoryBank(WIDTH, 40, eviction=eviction) for _ in range(2))
    second.follow(first, after=150)
    first.store(x[:150], y[:150])
    second.store(x[150:], y[150:])
    first.merge(second)
    births = [bank.export_state().tensors["birth"].sort().values for bank in (one, first)]
    assert torch.equal(*births)
