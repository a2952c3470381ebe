"""Whatever a memory has lived through, it can be saved, and what is loaded goes on alike."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Any

import pytest

from plasticish.core import PlasticishError
from plasticish.data import load_first_names
from plasticish.sequence import PlasticMemory, RecognisingMemory


def lived(seed: int, check: Any) -> None:
    """Learn, forget, sleep and be saved in an order of chance; bounded ones fade on the way."""
    chance = random.Random(seed)
    kind, bound = chance.choice(["plain", "rich", "text"]), chance.choice([1000, 1500, 4000])
    memory = chance.choice([PlasticMemory, PlasticMemory, RecognisingMemory])(kind, bound, seed)
    pool, known = chance.sample(load_first_names(), 300), []
    for _ in range(8):
        deed = chance.random()
        if deed < 0.55 or not known:
            new = [
                chance.choice(pool) * chance.choice([1, 3]) for _ in range(chance.choice([1, 80]))
            ]
            memory.learn(new)
            known += new
        elif deed < 0.85:
            chance.shuffle(known)
            for _ in range(min(len(known), chance.choice([1, 100]))):
                with suppress(PlasticishError):  # it was told twice and is gone already
                    memory.forget(known.pop())
        else:
            memory.sleep(1)
        memory = check(memory)


def said(memory: PlasticMemory) -> list[float]:
    return [
        *memory.predict("an").probabilities.tolist(),
        *memory.log_likelihood(["anna", "otto"]).tolist(),
    ]


@pytest.mark.parametrize("seed", range(12))
def test_a_memory_is_read_again_after_any_life(seed, tmp_path):
    def reread(memory: PlasticMemory) -> PlasticMemory:
        again = type(memory).load(memory.save(tmp_path / "memory"))
        assert (
            again.predict("an").probabilities.tolist()
            == memory.predict("an").probabilities.tolist()
        )
        assert again.log_likelihood(["anna", "otto"]).tolist() == (
            memory.log_likelihood(["anna", "otto"]).tolist()
        )
        return again

    lived(seed, reread)


def test_one_that_forgot_most_of_what_it_knew_is_read_again(tmp_path):
    letters = "abcdefgh"
    words = [f"{a}{b}{c}" * 3 for a in letters for b in letters for c in letters]
    memory = PlasticMemory("plain")
    memory.learn(words)
    for word in words[:-400:-1]:
        memory.forget(word)
    again = PlasticMemory.load(memory.save(tmp_path / "memory"))
    assert list(again.sequences()) == list(memory.sequences())
    assert said(again) == said(memory)
