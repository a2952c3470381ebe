"""The rivals of the bench are what they say they are: proper, and as good as their kind."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
import torch

from plasticish.bench.sequence._gru import CharacterGRU
from plasticish.bench.sequence._kneser_ney import END, START, KneserNey, bigram_nats
from plasticish.bench.sequence._transformer import CharacterTransformer, train_transformer

NAMES = ["anna", "hanna", "hannah", "anne", "nan", "emma", "emily", "ella"]


@pytest.mark.parametrize("context", [1, 3, 5])
def test_kneser_ney_is_a_distribution_after_any_context(context: int) -> None:
    kn = KneserNey(context)
    kn.learn(NAMES)
    symbols = sorted({*"".join(NAMES), END})
    for past in ("", "an", "hanna", "xyz", "em"):
        padded = (START * context + past)[-context:]
        assert sum(kn._p(padded, s) for s in symbols) == pytest.approx(1)


def test_kneser_ney_approaches_a_source_of_one_symbol_memory() -> None:
    rng = np.random.default_rng(0)
    walks = ["".join("ab"[s] for s in np.cumsum(rng.random(50) > 0.8) % 2) for _ in range(400)]
    kn = KneserNey(2)
    kn.learn(walks[:300])
    entropy = -(0.8 * math.log(0.8) + 0.2 * math.log(0.2))
    # One token of 51 is the end, which comes with probability 1/51 as far as it can see.
    end = math.log(51) / 51 - 50 / 51 * math.log(50 / 51)
    assert kn.nats(walks[300:]) == pytest.approx(entropy + end, abs=0.02)


def test_the_bigram_is_add_one() -> None:
    nats, counts = bigram_nats(["ab", "ab"], ["a"])
    pairs = Counter({"^a": 2, "ab": 2, "b$": 2})
    assert counts == len(pairs)
    assert nats == pytest.approx(-(math.log(3 / 5) + math.log(1 / 5)) / 2)


def test_the_transformer_sees_the_past_only_and_learns() -> None:
    model = CharacterTransformer(5, 8).eval()
    x = torch.randint(0, 5, (2, 8), generator=torch.Generator().manual_seed(0))
    y = x.clone()
    y[:, 5:] = (y[:, 5:] + 1) % 5
    with torch.no_grad():
        assert torch.allclose(model(x)[:, :5], model(y)[:, :5], atol=1e-6)
        assert not torch.allclose(model(x)[:, 5:], model(y)[:, 5:])
    short = train_transformer(NAMES, NAMES, seed=0, steps=2, look_every=1)
    longer = train_transformer(NAMES, NAMES, seed=0, steps=40, look_every=20)
    assert longer.nats < short.nats
    assert longer.seconds > 0


def test_the_recurrent_network_sees_the_past_only_and_learns() -> None:
    network = CharacterGRU("abehilmny<>", seed=0)
    x = torch.randint(0, 12, (2, 8), generator=torch.Generator().manual_seed(0))
    y = x.clone()
    y[:, 5:] = (y[:, 5:] + 1) % 12
    with torch.no_grad():
        assert torch.allclose(network(x)[:, :5], network(y)[:, :5], atol=1e-6)
        assert not torch.allclose(network(x)[:, 5:], network(y)[:, 5:])
    before = network.nats(NAMES)
    assert before == pytest.approx(math.log(12), abs=0.3)
    network.learn(NAMES, epochs=60)
    assert network.nats(NAMES) < 0.7 * before
    assert network.seconds > 0


def test_a_mark_that_is_given_is_read_but_not_asked_for() -> None:
    network = CharacterGRU("ab<>", seed=1)
    with torch.no_grad():
        chances = network(torch.tensor([[0, 3, 1]])).log_softmax(-1)[0]
    asked = -float(chances[1, 1] + chances[2, 0]) / 2
    assert network.nats(["<a"], told=1) == pytest.approx(asked, rel=1e-5)
    whole = -float(chances[0, 3] + chances[1, 1] + chances[2, 0]) / 3
    assert network.nats(["<a"]) == pytest.approx(whole, rel=1e-5)
