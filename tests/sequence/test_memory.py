"""PlasticMemory as its users have it: the seed's calls, undoing, sleeping, inventing, refusing."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from plasticish.core import (
    CheckpointError,
    ConfigError,
    DataError,
    DTypeError,
    NotReadyError,
    make_generator,
)
from plasticish.sequence import PlasticMemory
from plasticish.sequence.alphabet import MAX_LENGTH

NAMES = ["emma", "emily", "emma", "olivia", "ava", "isabella", "sophia", "mia", "amelia", "emilia"]


@pytest.fixture
def memory() -> PlasticMemory:
    made = PlasticMemory()
    made.learn(NAMES)
    return made


def snapshot(memory: PlasticMemory) -> tuple[str, dict[str, torch.Tensor]]:
    state = memory.export_state()
    return json.dumps(state.values, sort_keys=True), dict(state.tensors)


def same(one: Any, other: Any) -> bool:
    (values, tensors), (others, theirs) = one, other
    return (
        values == others
        and set(tensors) == set(theirs)
        and all(torch.equal(tensors[k], theirs[k]) for k in tensors)
    )


def test_the_calls_of_the_seed() -> None:
    memory = PlasticMemory()
    for name in NAMES:
        memory.learn(f">{name}_")
    memory.learn(">rayan_")
    assert memory.infer(">r", stop_token="_") == ">rayan_"
    root = next(iter(memory.nodes()))
    assert (root.count, root.parent) == (11, None)
    assert sum(memory.levels().values()) == memory.stats()["nodes"]


def test_prequential_loss_falls(memory: PlasticMemory) -> None:
    fresh = PlasticMemory()
    first = fresh.learn(NAMES)
    again = fresh.learn(NAMES)
    assert first["symbols"] == sum(map(len, NAMES)) + len(NAMES)
    assert again["nats"] < 0.7 * first["nats"]
    # A newborn knows the end only: "new" or "end", one half each. Then it has seen one symbol once,
    # and gives three quarters to "new", the rest to that symbol and a little less to the end.
    least = (math.log(2) + math.log(8)) / 2
    assert least < PlasticMemory().learn("a")["nats"] < least + 0.2


@pytest.mark.parametrize(
    "sequences",
    [
        ["abc", "abd"],
        [b"abc", b"abd"],
        [[10**12, -3, 7], (10**12, -3, 9)],
        [["the", "old", "cat"], ["the", "old", "dog"]],
    ],
)
def test_every_kind_of_sequence_lives_a_whole_life(sequences: Any, tmp_path: Path) -> None:
    memory = PlasticMemory()
    memory.learn(sequences)
    memory.sleep()
    prefix = sequences[0][:2]
    last = [s[2] for s in sequences]
    assert {symbol for symbol, _ in memory.predict(prefix).top(2)} == set(last)
    completed = memory.infer(sequences[0][:1])
    assert type(completed) is type(
        sequences[0][:0] if isinstance(sequences[0], (str, bytes)) else ()
    )
    loaded = PlasticMemory.load(memory.save(tmp_path / "m"))
    assert loaded.infer(sequences[0][:1]) == completed
    assert len(loaded.generate(3, generator=make_generator(1))) == 3
    memory.forget(sequences[0])
    assert memory.tree.count == 1


@settings(max_examples=25)
@given(st.lists(st.text("abc", min_size=1, max_size=5), min_size=1, max_size=8), st.data())
def test_forgetting_undoes_learning(words: list[str], data: Any) -> None:
    memory = PlasticMemory("plain")
    memory.learn(["abc", "cab", *words])
    fresh = data.draw(st.text("abc", min_size=1, max_size=5).filter(lambda w: w not in words))
    if fresh in ("abc", "cab"):
        return
    before = memory.stats(), shape(memory)
    for _ in range(3):
        memory.learn(fresh)
    memory.potentiate(fresh, 0.3)
    assert shape(memory) != before[1]
    assert memory.forget(fresh)["forgotten"] == pytest.approx(3.3, abs=1e-5)
    after = dict(memory.stats())
    # What it read it has read, and what it found in it stays found.
    for key in ("symbols_read", "concepts"):
        assert after[key] >= before[0][key]
    assert {**after, "symbols_read": 0, "concepts": 0} == {
        **before[0], "symbols_read": 0, "concepts": 0,
    }  # fmt: skip
    assert shape(memory) == before[1]


def shape(memory: PlasticMemory) -> dict[tuple[int, ...], tuple[float, int]]:
    return {tuple(n.path.tolist()): (n.count, n.r_level) for n in memory.nodes()}


def test_potentiation_tilts_what_is_expected(memory: PlasticMemory) -> None:
    before = memory.predict("em")["i"]
    memory.potentiate("emily", 2.5)
    stronger = memory.predict("em")["i"]
    memory.potentiate("emily", -3.25)
    weaker = memory.predict("em")["i"]
    assert weaker < before < stronger
    assert memory.tree.weight(memory.alphabet.encode(["emily"]).codes) == 0.25
    snap = snapshot(memory)
    with pytest.raises(NotReadyError, match=r"0\.25 stored"):
        memory.potentiate("emily", -0.5)
    with pytest.raises(NotReadyError, match="never learned"):
        memory.forget("zoe")
    with pytest.raises(NotReadyError, match="never learned"):
        memory.potentiate("zoe", -1)
    with pytest.raises(ConfigError, match="amount"):
        memory.potentiate("emily", 0)
    assert same(snapshot(memory), snap)


def test_unknown_symbols_have_their_mass_and_no_more(memory: PlasticMemory) -> None:
    prediction = memory.predict("emx")
    assert prediction["x"] == prediction.new == memory.predict("")["ж"]
    assert sum(prediction.probabilities) + prediction.end + prediction.new == pytest.approx(1)
    known, strange = memory.log_likelihood(["ava", "avx"])
    assert strange < known < 0
    assert len(memory.alphabet) == len(set("".join(NAMES)))


def test_why_adds_up(memory: PlasticMemory) -> None:
    prediction = memory.predict("em")
    why = memory.why("em")
    assert (why.symbol, why.probability) == prediction.top(1)[0]
    # The pushes are the scores: their differences are the log-odds, but for the floor of 1e-6.
    other = memory.why("em", "m")
    odds = sum(r.push for r in why.reasons) - sum(r.push for r in other.reasons)
    assert math.exp(odds) == pytest.approx(why.probability / other.probability, rel=1e-3)
    assert dict(why.paths) == {"emily": 1.0, "emilia": 1.0}
    assert {r.counted for r in why.reasons if r.expert == "last 2"} == {2.0}
    assert [abs(r.push) for r in why.reasons] == sorted(abs(r.push) for r in why.reasons)[::-1]
    with pytest.raises(DataError, match="never seen: got 'x'"):
        memory.why("em", "x")


def test_generation_follows_its_generator_and_temperature(memory: PlasticMemory) -> None:
    made = memory.generate(20, "e", generator=make_generator(3))
    assert made == memory.generate(20, "e", generator=make_generator(3))
    assert made != memory.generate(20, "e", generator=make_generator(4))
    assert all(str(name).startswith("e") for name in made)
    cold = memory.generate(5, "e", temperature=1e-3, generator=make_generator(0))
    assert set(cold) == {memory.infer("e")}
    assert max(map(len, memory.generate(20, temperature=50.0, max_length=7))) <= 7
    draws = memory.generate(1000, "em", max_length=3, generator=make_generator(0))
    share = np.mean([name == "emi" for name in draws])
    expected = memory.predict("em")
    assert share == pytest.approx(expected["i"] / (1 - expected.new), abs=0.05)
    for bad in (0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ConfigError, match="temperature"):
            memory.generate(1, temperature=bad)
    with pytest.raises(ConfigError, match="n is out of range"):
        memory.generate(0)


BAD: dict[str, tuple[Any, type[Exception], str]] = {
    "empty": ("", DataError, "sequence 0 is empty"),
    "nothing": ([], DataError, "no sequence"),
    "second empty": (["ava", ""], DataError, "sequence 1 is empty"),
    "other kind": ([b"ava"], DTypeError, "another kind"),
    "numbers": ([1, 2], DTypeError, "no usable type|another kind"),
    "no sequence": (7, DTypeError, "no sequences"),
    "one line": ("a" * (MAX_LENGTH + 1), DataError, "too long"),
}


@pytest.mark.parametrize("bad", BAD)
def test_bad_input_is_refused_with_nothing_changed(memory: PlasticMemory, bad: str) -> None:
    sequences, error, text = BAD[bad]
    before = snapshot(memory)
    with pytest.raises(error, match=text):
        memory.learn(sequences)
    assert same(snapshot(memory), before)


def test_a_newborn_says_so() -> None:
    memory = PlasticMemory()
    for act in (
        lambda: memory.predict("a"),
        lambda: memory.sleep(),
        lambda: memory.infer("a"),
        lambda: memory.generate(),
        lambda: memory.log_likelihood(["a"]),
    ):
        with pytest.raises(NotReadyError, match="nothing was learned"):
            act()
    with pytest.raises(ConfigError, match="unknown set of experts: got 'wise'"):
        PlasticMemory("wise")
    with pytest.raises(ConfigError, match="seed"):
        PlasticMemory(seed=-1)


def test_sleep_mends_an_unlucky_order_and_is_idempotent() -> None:
    rng = np.random.default_rng(0)
    source = ["".join(rng.choice(list("abc"), rng.integers(2, 6))) for _ in range(800)]
    words, held = sorted(source[:700]), source[700:]
    memory = PlasticMemory()
    memory.learn(words)
    awake = memory.log_likelihood(held).sum()
    report = memory.sleep()
    assert report["nats"] > 0
    assert memory.log_likelihood(held).sum() > awake
    before = snapshot(memory)
    memory.sleep()
    assert same(snapshot(memory), before)
    with pytest.raises(ConfigError, match="passes"):
        memory.sleep(0)


def test_a_loaded_memory_goes_on_bit_for_bit(tmp_path: Path) -> None:
    memory = PlasticMemory(max_synapses=1000)
    stream = [NAMES, ["zoe"], None, ["zed", "zoe"], NAMES[::-1], None]
    for i, step in enumerate(stream):
        memory.save(tmp_path / str(i))
        _ = memory.sleep() if step is None else memory.learn(step)
    assert memory.predictor.synapses <= 1000 + 46 * 9
    for i in range(len(stream)):
        loaded = PlasticMemory.load(tmp_path / str(i))
        for step in stream[i:]:
            _ = loaded.sleep() if step is None else loaded.learn(step)
        assert same(snapshot(loaded), snapshot(memory)), f"from step {i}"
        assert loaded.stats() == memory.stats()


def test_damaged_checkpoints_are_refused(memory: PlasticMemory, tmp_path: Path) -> None:
    path = memory.save(tmp_path / "m")
    (file,) = path.glob("tensors-*")
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(CheckpointError, match="truncated or damaged"):
        PlasticMemory.load(path)
    with pytest.raises(CheckpointError, match="is not a checkpoint"):
        PlasticMemory.load(tmp_path)


def test_what_fades_is_weak_old_and_gone_from_every_part() -> None:
    memory = PlasticMemory("plain", max_synapses=1000)
    rng = np.random.default_rng(0)
    stream = ["".join(rng.choice(list("abcdefgh"), 9)) for _ in range(400)]
    for i in range(0, len(stream), 20):
        memory.learn([*stream[i : i + 20], "hhgg"])
    assert memory.tree.symbols <= 1000
    assert memory.predictor.synapses <= 1000 + 8 * 9
    kept = dict(memory.sequences())
    assert kept.keys() < {*stream, "hhgg"}
    assert kept["hhgg"] == 20
    age = {text: i for i, text in enumerate(stream)}
    assert min(age[text] for text in kept if text in age) > len(stream) - 2 * len(kept)
    fresh = PlasticMemory("plain")
    for text, count in kept.items():
        fresh.potentiate(text, count)
    seen = [
        sorted((m.text(n.path), n.count, n.r_level) for n in m.nodes()) for m in (memory, fresh)
    ]
    assert seen[0] == seen[1]
    assert all(count > 0 for count in memory.library.counts())


def test_sleep_replays_what_came_since_counts_faded() -> None:
    memory = PlasticMemory("plain", max_synapses=2000)
    rng = np.random.default_rng(0)
    report = {"sequences": 0}
    for _size in range(40):
        faded = memory.predictor.fades
        memory.learn(["".join(rng.choice(list("abcdefgh"), 9)) for _ in range(10)])
        report = memory.sleep(1)
        stored = len(dict(memory.sequences()))
        if memory.predictor.fades > faded:
            assert report["sequences"] < 10
        elif faded:
            assert 10 <= report["sequences"] < stored
        else:
            assert report["sequences"] == stored
    assert memory.predictor.fades > 2


def test_a_bound_memory_learns_a_batch_as_it_learns_its_parts() -> None:
    rng = np.random.default_rng(1)
    stream = ["".join(rng.choice(list("abcdefgh"), 9)) for _ in range(300)]
    whole, pieces = (PlasticMemory("plain", max_synapses=1500) for _ in range(2))
    whole.learn(stream)
    for text in stream:
        pieces.learn([text])
    assert whole.stats() == pieces.stats()


def test_reading_a_list_again_does_not_teach_it_by_heart() -> None:
    rng = np.random.default_rng(3)
    rows = rng.dirichlet(np.full(6, 0.4), 6)

    def words(count: int) -> list[str]:
        made = []
        for _ in range(count):
            word, state = "", int(rng.integers(6))
            for _ in range(8):
                state = int(rng.choice(6, p=rows[state]))
                word += "abcdef"[state]
            made.append(word)
        return made

    listed, held = list(dict.fromkeys(words(900))), words(200)
    memory = PlasticMemory("plain")
    first = memory.learn(listed)
    once = memory.log_likelihood(held).sum()
    memory.learn([listed[i] for i in rng.permutation(len(listed))])
    assert memory.log_likelihood(held).sum() > once - 0.01 * abs(once)
    memory.sleep()
    assert memory.log_likelihood(held).sum() > once - 0.01 * abs(once)
    # What is read again is known by then, and the memory says so.
    assert memory.learn(listed)["nats"] < 0.95 * first["nats"]
