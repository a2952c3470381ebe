"""A memory that finds out by itself which list it reads, against brute force and closed forms."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from plasticish.core import ConfigError, DataError, DTypeError, NotReadyError
from plasticish.sequence import EXPERTS, Alphabet, PlasticMemory, Predictor, RecognisingMemory
from plasticish.sequence.alphabet import Encoded
from plasticish.sequence.context_beliefs import CHANGE, ContextBeliefs
from plasticish.sequence.experts import classes_of

LETTERS = "abcdef"


def words(step: int, count: int, seed: int = 0) -> list[str]:
    """Words in which a letter is mostly ``step`` letters on from the last one."""
    rng = np.random.default_rng([seed, step % len(LETTERS)])
    made = []
    for _ in range(count):
        at, word = int(rng.integers(6)), ""
        for _ in range(int(rng.integers(6, 11))):
            word += LETTERS[at]
            at = (at + step) % 6 if rng.random() < 0.8 else int(rng.integers(6))
        made.append(word)
    return made


UP, DOWN = words(1, 500), words(-1, 500)
UP_ASKED, DOWN_ASKED = words(1, 60, seed=1), words(-1, 60, seed=1)


def learned(*lists: list[str]) -> RecognisingMemory:
    memory = RecognisingMemory("plain")
    for one in lists:
        memory.learn(one)
    return memory


@pytest.fixture(scope="module")
def both() -> RecognisingMemory:
    """A memory of both lists; tests do not change it."""
    return learned(UP, DOWN)


def snapshot(memory: PlasticMemory) -> tuple[str, dict[str, torch.Tensor]]:
    state = memory.export_state()
    tensors = {key: tensor.clone() for key, tensor in state.tensors.items()}
    return json.dumps(state.values, sort_keys=True), tensors


def same(one: Any, other: Any) -> bool:
    (values, tensors), (others, theirs) = one, other
    return (
        values == others
        and set(tensors) == set(theirs)
        and all(torch.equal(tensors[k], theirs[k]) for k in tensors)
    )


def nats(memory: Any, asked: list[str]) -> float:
    return -float(memory.log_likelihood(asked).sum()) / sum(len(word) + 1 for word in asked)


# --------------------------------------------------------------------------- which context


def test_two_lists_are_two_contexts_and_each_is_recognised(both: RecognisingMemory) -> None:
    first, second = both.contexts()
    assert (first.number, second.number) == (0, 1)
    # Nearly all words of each are learned where they belong, those moved afterwards among them.
    assert abs(first.sequences - len(set(UP))) < 25
    assert abs(second.sequences - len(set(DOWN))) < 25
    assert second.probability > 0.9
    assert nats(both.within(0), UP_ASKED) < first.nats < nats(both.within(1), UP_ASKED)
    assert both.recognise(UP_ASKED).argmax() == 0
    assert both.recognise(DOWN_ASKED).argmax() == 1
    assert nats(both.within(0), UP_ASKED) < nats(both.within(1), UP_ASKED) - 0.5


def test_contexts_are_numbered_as_they_were_met_and_met_again() -> None:
    memory = learned(DOWN[:400], UP[:400], DOWN[400:450], UP[400:], DOWN[450:])
    assert len(memory.contexts()) == 2
    assert memory.recognise(DOWN_ASKED).argmax() == 0
    assert memory.recognise(UP_ASKED).argmax() == 1
    assert memory.contexts()[0].probability > 0.9  # where the last came from


@pytest.mark.parametrize("seed", range(3))
def test_one_list_stays_one(seed: int) -> None:
    memory = RecognisingMemory("plain")
    assert memory.learn(words(1, 1000, seed))["contexts"] == 1
    again = memory.learn(words(1, 300, seed))  # by heart, which is no reason either
    assert again["contexts"] == 1
    assert memory.learn([LETTERS] * 300 + words(1, 100, seed + 9))["contexts"] == 1


def test_three_lists_are_three() -> None:
    memory = learned(UP[:450], DOWN[:450], words(3, 450), UP[450:])
    assert len(memory.contexts()) == 3
    asked = (UP_ASKED, DOWN_ASKED, words(3, 60, seed=1))
    assert [int(memory.recognise(one).argmax()) for one in asked] == [0, 1, 2]


def test_little_is_forgotten_of_one_list_while_another_is_learned() -> None:
    lost = {}
    for kind in (PlasticMemory, RecognisingMemory):
        memory = kind("plain")
        memory.learn(UP)
        before = nats(memory, UP_ASKED)
        memory.learn(DOWN)
        lost[kind] = nats(memory, UP_ASKED) - before
    assert lost[PlasticMemory] > 0.05
    assert lost[RecognisingMemory] < 0.3 * lost[PlasticMemory]


def test_order_does_not_matter_to_the_tree() -> None:
    # Other contexts, perhaps; but whatever was learned is there, as often as it was.
    memory = learned([*UP[:200], *DOWN[:200]], UP[:50])
    assert memory.stats()["sequences"] == 450
    assert memory.forget(UP[0])["forgotten"] == 2 + 2 * UP[1:50].count(UP[0]) + (
        UP[50:200].count(UP[0]) + DOWN[:200].count(UP[0])
    )


# --------------------------------------------------------------------------- probabilities


@pytest.mark.parametrize("prefix", ["", "a", "fed", "abcabc", "ax"])
def test_what_comes_next_is_a_distribution(both: RecognisingMemory, prefix: str) -> None:
    for asked in (both, both.within(0), both.within(1)):
        said = asked.predict(prefix)
        assert float(said.probabilities.sum()) + said.end + said.new == pytest.approx(1, abs=1e-9)
        assert min(said.probabilities.min(), said.end, said.new) > 0


@pytest.mark.parametrize("word", ["abcdef", "fedcba", "aabb", "c"])
def test_the_likelihood_is_the_product_of_the_predictions(
    both: RecognisingMemory, word: str
) -> None:
    for asked in (both, both.within(1)):
        steps = [asked.predict(word[:i])[word[i]] for i in range(len(word))]
        steps.append(asked.predict(word).end)
        assert asked.log_likelihood([word])[0] == pytest.approx(np.log(steps).sum(), abs=1e-9)


def test_a_symbol_never_seen_costs_the_mass_of_new_ones(both: RecognisingMemory) -> None:
    alone = math.log(both.predict("ab").new)
    rest = [both.predict("abx").end]
    prefix = [both.predict("")["a"], both.predict("a")["b"]]
    assert both.log_likelihood(["abx"])[0] == pytest.approx(
        np.log([*prefix, *rest]).sum() + alone, abs=1e-9
    )


def test_contexts_are_followed_as_bayes_has_it(both: RecognisingMemory) -> None:
    asked = ["abc", "bcdef", "fedc", "dcb"]
    each = np.array([both.within(c).log_likelihood(asked) for c in (0, 1)])
    share = np.array([context.sequences + 1 for context in both.contexts()], float)
    share /= share.sum()

    def joint(upto: int) -> float:
        """Sum over all paths through the contexts."""
        total = 0.0
        for path in itertools.product((0, 1), repeat=upto):
            p = share[path[0]]
            for before, after in itertools.pairwise(path):
                p *= (1 - CHANGE) * (before == after) + CHANGE / 2
            total += p * math.exp(sum(each[c, q] for q, c in enumerate(path)))
        return total

    totals = np.log([1.0, *(joint(n) for n in range(1, 5))])
    np.testing.assert_allclose(both.log_likelihood(asked), np.diff(totals), atol=1e-9)
    posterior = share * np.exp(each.sum(1))
    np.testing.assert_allclose(both.recognise(asked), posterior / posterior.sum(), atol=1e-12)


def test_asking_changes_nothing(both: RecognisingMemory) -> None:
    before, contexts = snapshot(both), both.contexts()
    both.log_likelihood(DOWN_ASKED), both.recognise(UP_ASKED), both.predict("ab")
    both.within(0).generate(2), both.why("ab"), both.within(1).why("a", "b"), both.infer("f")
    both.to_networkx(), both.levels(), both.parse("abc"), both.stats()
    assert same(snapshot(both), before)
    assert both.contexts() == contexts


def test_reasons_and_completions_are_those_of_the_context(both: RecognisingMemory) -> None:
    assert both.within(0).predict("ab")["c"] > 0.5 > both.within(1).predict("ab")["c"]
    assert both.within(1).predict("fe")["d"] > 0.5
    assert both.predict("fe")["d"] > 0.5
    up, down = both.within(0).why("ab", paths=3), both.within(1).why("ba", paths=3)
    assert all(word in set(UP) | set(DOWN) for word, _ in (*up.paths, *down.paths))
    assert both.text(np.array([-3, 1, -1, 0], np.int32))[:3] == "‹1›"


def test_within_is_always_up_to_date() -> None:
    memory = learned(UP[:100])
    view = memory.within(0)
    before = view.log_likelihood(["abcabc"])
    memory.learn(["abcabc"] * 5)
    assert view.log_likelihood(["abcabc"]) > before
    np.testing.assert_array_equal(
        view.log_likelihood(UP_ASKED), memory.within(0).log_likelihood(UP_ASKED)
    )
    with pytest.raises(AttributeError):
        view.learn(["abc"])  # type: ignore[attr-defined]


# --------------------------------------------------------------------------- undoing


def test_forgetting_reaches_every_context_and_leaves_the_tree_as_it_was() -> None:
    memory, without = learned(UP[:300], DOWN[:300]), learned(UP[:300], DOWN[:300])
    # Alike likely in both: met among the words of either it is stored there.
    memory.learn(["ad", *UP[300:350], "ad", "ad", *DOWN[300:350], "ad"])
    without.learn([*UP[300:350], *DOWN[300:350]])
    assert memory.forget("ad")["forgotten"] == 4
    assert memory.stats()["sequences"] == without.stats()["sequences"]
    before = snapshot(memory)
    with pytest.raises(NotReadyError):
        memory.forget("ad")
    assert same(snapshot(memory), before)


def test_potentiating_goes_to_the_context_that_holds_it_and_can_be_undone() -> None:
    memory = learned(UP[:300], DOWN[:300])
    tree = memory.tree.export_state().tensors
    before = memory.log_likelihood([DOWN[0]])
    held = memory.potentiate(DOWN[0], 2.5)["count"]
    assert memory.log_likelihood([DOWN[0]]) > before
    assert memory.potentiate(DOWN[0], -2.5)["count"] == held - 2.5
    after = memory.tree.export_state().tensors
    assert all(torch.equal(after[key], tree[key]) for key in tree)
    np.testing.assert_allclose(memory.log_likelihood([DOWN[0]]), before)
    unknown = snapshot(memory)
    with pytest.raises(NotReadyError):
        memory.potentiate("fffff", -1.0)
    assert same(snapshot(memory), unknown)


# --------------------------------------------------------------------------- keeping


def test_loaded_in_the_midst_of_a_suspicion_it_goes_on_bit_for_bit(tmp_path: Path) -> None:
    memory = learned(UP, DOWN[:12])
    assert len(memory.contexts()) == 1
    lengths = memory.export_state().tensors["suspects/lengths"]
    assert len(lengths) > 3
    loaded = RecognisingMemory.load(memory.save(tmp_path / "it"))
    for one in (memory, loaded):
        assert one.learn(DOWN[12:200])["contexts"] == 2
        one.sleep()
    assert same(snapshot(loaded), snapshot(memory))
    assert loaded.contexts() == memory.contexts()
    np.testing.assert_array_equal(loaded.recognise(UP_ASKED), memory.recognise(UP_ASKED))


def test_a_bound_on_synapses_holds() -> None:
    memory = RecognisingMemory("plain", max_synapses=8000)
    memory.learn([*UP, *DOWN])
    assert memory.stats()["synapses"] <= 8000
    assert len(memory.contexts()) == 2
    assert memory.recognise(UP_ASKED).argmax() == 0


@pytest.mark.parametrize("context", [2, -1, True])
def test_a_context_that_is_none_is_refused(both: RecognisingMemory, context: int) -> None:
    with pytest.raises(ConfigError, match="no such context"):
        both.within(context)


@pytest.mark.parametrize(
    ("asked", "error"), [([], DataError), ([""], DataError), ([b"ab"], DTypeError), (7, DTypeError)]
)
def test_bad_questions_are_refused(both: RecognisingMemory, asked: Any, error: type) -> None:
    before = snapshot(both)
    for ask in (both.recognise, both.log_likelihood, both.within(0).log_likelihood, both.learn):
        with pytest.raises(error):
            ask(asked)
    assert same(snapshot(both), before)


def test_a_newborn_knows_of_one_context_and_answers_nothing() -> None:
    memory = RecognisingMemory()
    assert [context.sequences for context in memory.contexts()] == [0]
    for ask in (memory.recognise, memory.log_likelihood, memory.within(0).log_likelihood):
        with pytest.raises(NotReadyError):
            ask(["ab"])
    for undo in (memory.forget, memory.predict, memory.why):
        with pytest.raises(NotReadyError):
            undo("ab")


# --------------------------------------------------------------------------- marks and beliefs


def encoded(texts: list[str]) -> tuple[Encoded, Any]:
    alphabet = Alphabet()
    batch = alphabet.encode(texts)
    alphabet.grow(batch)
    return batch, np.array([3, *classes_of(alphabet.symbols)], np.int64)


@given(st.lists(st.text("abc", min_size=1, max_size=5), min_size=1, max_size=6))
@settings(max_examples=30)
def test_a_batch_under_marks_is_each_sequence_led_by_each(texts: list[str]) -> None:
    batch, _ = encoded(texts)
    led = batch.under(np.array([-2, -5], np.int32))
    cut = [led.codes[led.starts[q] : led.starts[q + 1]].tolist() for q in range(len(led))]
    plain = [batch.codes[batch.starts[q] : batch.starts[q + 1]].tolist() for q in range(len(batch))]
    assert cut == [[mark, *codes] for mark in (-2, -5) for codes in plain]


def test_a_mark_is_seen_by_none_but_those_meant_to_and_never_predicted() -> None:
    batch, classes = encoded(UP[:100])
    plain, led = Predictor(EXPERTS["rich"]), Predictor(EXPERTS["rich"])
    expected = plain.learn(batch, classes)
    np.testing.assert_array_equal(
        led.learn(batch.under(np.array([-2], np.int32)), classes), expected
    )
    np.testing.assert_array_equal(
        led.nats(batch.under(np.array([-7], np.int32)), classes), plain.nats(batch, classes)
    )
    assert led.synapses == plain.synapses


def test_a_context_starts_from_what_is_shared_and_keeps_its_own() -> None:
    memory = learned(UP[:300])
    shared = sum(expert.is_order for expert in EXPERTS["rich"])
    assert shared == 8
    names = [expert.name for expert in RecognisingMemory().predictor.experts]
    assert len(names) == len(set(names)) == len(EXPERTS["rich"]) + shared
    # Each symbol is counted once for all and once for the context.
    assert memory.predictor.synapses == 2 * _synapses_of(UP[:300])


def _synapses_of(texts: list[str]) -> int:
    plain = PlasticMemory("plain")
    plain.learn(texts)
    return plain.predictor.synapses


def test_chance_alone_opens_no_context() -> None:
    beliefs, rng = ContextBeliefs(), np.random.default_rng(4)
    for rate in rng.normal(2.0, 0.5, 20_000):
        beliefs.learn(0, float(rate))
        assert not beliefs.strange
    assert beliefs.usual[0] == pytest.approx(2.0, abs=0.1)
    assert beliefs.variance[0] == pytest.approx(0.25, abs=0.08)


@pytest.mark.parametrize(("shift", "most"), [(0.3, None), (1.0, 60), (3.0, 14)])
def test_a_lasting_surprise_opens_one_the_sooner_the_greater(
    shift: float, most: int | None
) -> None:
    # Evidence grows by shift − 0.4 standard deviations a sequence, and 25 are enough.
    beliefs, rng = ContextBeliefs(), np.random.default_rng(5)
    for rate in rng.normal(2.0, 0.5, 400):
        beliefs.learn(0, float(rate))
    taken = 0
    while not beliefs.strange and taken < 200:
        beliefs.learn(0, float(rng.normal(2.0 + 0.5 * shift, 0.5)))
        taken += 1
    assert beliefs.strange == (most is not None)
    assert most is None or taken < most
