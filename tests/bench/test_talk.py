"""The parts of talk scenarios that can be held against brute force, and a quick run."""

import numpy as np
import pytest

from plasticish.bench import SCENARIOS, load_scenarios
from plasticish.bench.scenario import Context
from plasticish.bench.talk import _common as common
from plasticish.bench.talk.capacity import random_cue

PAIRS = [
    ("What is your name?", "Ada."),
    ("How old are you?", "Old."),
    ("Where do you live?", "Here."),
    ("Why?", "Because."),
]


def test_the_pairs_are_distinct_questions_with_their_first_answers():
    told = common.chatterbot_pairs()
    assert len(told) == len({question for question, _ in told}) == 1011
    assert common.first_answers([*PAIRS, ("Why?", "No.")]) == PAIRS


def test_every_seed_draws_another_order_of_the_same():
    one, other = common.drawn(PAIRS * 5, 0), common.drawn(PAIRS * 5, 1)
    assert one != other
    assert sorted(one) == sorted(other)
    assert common.drawn(PAIRS, 0, 2) == common.drawn(PAIRS, 0)[:2]


@pytest.mark.parametrize(("least", "left"), [(1, 4), (2, 3), (4, 3), (5, 0)])
def test_one_word_is_left_out_of_questions_that_are_long_enough(least, left):
    short = common.without_a_word(PAIRS, 3, least)
    assert len(short) == left
    for question, answer in short:
        whole = {reply: asked for asked, reply in PAIRS}[answer].split()
        words = question.split()
        assert any(whole[:gap] + whole[gap + 1 :] == words for gap in range(len(whole)))


@pytest.mark.parametrize("words", [False, True])
def test_a_neighbour_answers_what_it_was_told(words):
    neighbour = common.NearestNeighbour(PAIRS, words)
    assert neighbour.answers([q for q, _ in PAIRS]) == [a for _, a in PAIRS]
    assert neighbour.answers(["and where do you live now"]) == ["Here."]


def test_exact_is_the_share_of_equal_replies():
    assert common.exact(["a", "b", "c"], ["a", "x", "c"]) == pytest.approx(200 / 3)


def test_random_cues_are_cues():
    cue = random_cue(np.random.default_rng(0), 1000, 10)
    assert len(set(cue.cells.tolist())) == 10
    assert cue.drive.min() > 0


def test_recall_runs_quickly_on_part_of_the_data():
    pytest.importorskip("sacrebleu")
    load_scenarios()
    findings = SCENARIOS["talk/recall"].run(Context((0,), quick=True))
    assert findings.rows["Episodes"]["exact"][0] == 100.0
    for row in ("Episodes", common.TFIDF_CHARACTERS, common.TFIDF_WORDS):
        assert findings.rows[row]["a word less, exact"][0] > 70
    assert any(note.startswith("BLEU: nrefs:1") for note in findings.notes)
