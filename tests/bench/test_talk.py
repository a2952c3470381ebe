"""The parts of talk scenarios that can be held against brute force, and a quick run."""

import random

import numpy as np
import pytest

from plasticish.bench import SCENARIOS, load_scenarios
from plasticish.bench.scenario import Context
from plasticish.bench.talk import _common as common
from plasticish.bench.talk.capacity import random_cue
from plasticish.bench.talk.dopamine import SignedReward, Tutor
from plasticish.bench.talk.rewiring import ON, SAVED
from plasticish.bench.talk.sessions import SESSIONS, by_topic, distinct
from plasticish.bench.talk.sleep import CONTROL, OURS, TOPICS, TURNS, streamed
from plasticish.bench.talk.turn import summary

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


def test_a_tutor_errs_and_lies_as_often_as_it_should_and_always_in_the_same_way():
    answers = dict(PAIRS)
    tutor = Tutor(answers, dict.fromkeys(answers, "Eh."), dict.fromkeys(answers, 0.25), 0.1, True,
                  random.Random(0))  # fmt: skip
    told = [tutor.tell("Why?") for _ in range(2000)]
    assert set(told) == {"Because.", "Eh."}
    assert told.count("Eh.") / 2000 == pytest.approx(0.25, abs=0.04)
    assert sum(tutor.judge("Why?", "Because.") for _ in range(2000)) / 2000 == pytest.approx(
        0.9, abs=0.03
    )
    assert sum(tutor.judge("Why?", "Eh.") for _ in range(2000)) / 2000 == pytest.approx(
        0.1, abs=0.03
    )


def test_without_a_prediction_what_is_said_moves_by_the_signed_reward_whatever_came_before():
    signed = SignedReward(rate=0.6, trust=0.3)
    assert [signed.outcome("why", reward) for reward in (1.0, 1.0, 0.0)] == [0.6, 0.6, -0.6]
    assert signed.value("why") == pytest.approx(0.7)


def test_dopamine_runs_quickly_and_gets_there_where_the_whole_trust_does_not():
    load_scenarios()
    rows = SCENARIOS["talk/dopamine"].run(Context((0,), quick=True)).rows
    assert rows["slips: dopamine"]["learned"] == (100.0,)
    assert rows["slips: dopamine"]["interactions"][0] < 200
    assert rows["no errors: dopamine"]["told once"] == (100.0,)


def test_sessions_share_no_question_and_all_are_of_some_length():
    days = by_topic(3)
    questions = [question for day in days for question, _ in day]
    assert len(days) == SESSIONS
    assert len(questions) == len(set(questions)) > 900
    assert min(map(len, days)) > 100
    assert distinct([("Hi", "a"), ("HI!", "b")], {("hi",)}) == []


def test_a_life_runs_quickly_in_a_process_of_its_own():
    pytest.importorskip("chitchat_dataset")
    load_scenarios()
    rows = SCENARIOS["talk/flat"].run(Context((0,), quick=True)).rows
    young, old = (rows[f"after {turns} turns"] for turns in (20, 40))
    grown = 100.0 * (old["resident memory"][0] / young["resident memory"][0] - 1.0)
    assert rows["growth"]["memory"][0] == pytest.approx(grown)


def test_only_replies_of_about_twelve_tokens_are_looked_at():
    turns = [
        {"first": 1.0, "whole": 2.0, "whole_cpu": 3.0, "turn": 4.0, "turn_cpu": 5.0, "pieces": n}
        for n in (3.0, 12.0, 13.0, 40.0)
    ]
    found = summary(turns)
    assert (found["turns looked at"], found["tokens"], found["whole"]) == (2.0, 12.5, 2.0)


def test_ten_days_of_a_hundred_turns_of_which_every_fifth_is_overheard():
    days = streamed(3, TOPICS)
    assert [len(day.lessons) + len(day.overheard) for day in days] == [TURNS] * TOPICS
    assert {len(day.overheard) for day in days} == {TURNS // 5}
    turns = [turn for day in days for turn in (*day.lessons, *day.overheard)]
    assert len({question for question, _ in turns}) == TOPICS * TURNS
    assert {question for question, _ in turns} <= {q for q, _ in common.chatterbot_pairs()}
    assert sum(day.corrected for day in days) == TOPICS // 2
    assert streamed(4, TOPICS) != days


def test_sleep_runs_quickly_and_lets_nobody_go():
    pytest.importorskip("sacrebleu")
    load_scenarios()
    rows = SCENARIOS["talk/sleep"].run(Context((0,), quick=True)).rows
    assert rows[OURS]["exact"][0] > 98
    assert rows[OURS]["overheard near a correction, exact"][0] > 90
    assert rows[OURS]["other overheard, exact"][0] < 10
    assert rows[OURS]["replays"] == rows[CONTROL]["replays"]


def test_rewiring_runs_quickly_and_spares_deliveries():
    pytest.importorskip("chitchat_dataset")
    load_scenarios()
    rows = SCENARIOS["talk/rewiring"].run(Context((0,), quick=True)).rows
    assert rows[SAVED]["events spared"][0] > 15
    assert rows[ON]["exact"][0] > 95
    assert len({row["synapses"] for name, row in rows.items() if name != SAVED}) == 1
