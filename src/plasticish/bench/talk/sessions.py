"""Taught in the first session, asked in the fifth, after four about something else."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from plasticish.conversation import ConversationalLearner, Lesson, PlasticLearnerConfig
from plasticish.conversation.ledger import words_of
from plasticish.data import load_dialogue, pairs

from ..scenario import Context, Findings, Goal, Metric, scenario
from ._common import Pair, chitchat_pairs, drawn, fit, without_a_word

SESSIONS = 5
BLOCK = 200  # lessons in a session of small talk
LONGEST = 60
TOPICS, TALK = "topics of chatterbot-corpus", "small talk"
SLEEPING, AWAKE = "sleep every night", "no sleep"

THEN = Metric("right after the 1st")
NOW = Metric("right after the 5th")
KEPT = Metric("kept")
SHORT = Metric("kept, a word less")
LESSONS = Metric("lessons a session", "", 0, None)


@scenario(
    "talk/sessions",
    title="from session to session",
    question="Is what was taught in the first session answered after four about other things?",
    protocol="""Five sessions in one folder. In each a new learner, as a new process would,
    opens the folder, is given every lesson once (it answers first, and then hears what it should
    have answered), sleeps, and closes the folder. Topics: the seed shuffles the topics of the
    English chatterbot-corpus, and deals them out to the sessions, the largest first, each to the
    session that has least. Small talk: 200 distinct turns of chitchat-dataset a session, replies of
    at most 60 characters, in an order drawn by the seed. Of questions in the same words the first
    stands; conversations with e-mail addresses or profanity are left out. The folder is opened
    again after the first session and after the fifth, and every question of the first is asked;
    kept is the share of those answered exactly then that are answered exactly now, and the same
    where a word, drawn by the seed, is left out of questions of two words or more. No sleep: the
    same lessons, closed without sleeping, adenosine off, so that nothing is replayed.""",
    data="chatterbot-corpus, English; chitchat-dataset",
    metrics=[THEN, NOW, KEPT, SHORT, LESSONS],
    goals=[Goal(f"{what}, {SLEEPING}", KEPT.name, ">=", 95.0, aim=99.0) for what in (TOPICS, TALK)],
    baselines=[f"{what}, {AWAKE}" for what in (TOPICS, TALK)],
)
def sessions(context: Context) -> Findings:
    """Live through five sessions for every seed, sleeping and not."""
    findings = Findings()
    for what, dealt in ((TOPICS, by_topic), (TALK, by_block)):
        for how, sleeps in ((SLEEPING, True), (AWAKE, False)):
            results = []
            for seed in context.seeds:
                days = dealt(seed)
                if context.quick:
                    days = [day[:3] for day in days[:2]]
                results.append(lived(days, seed, sleeps))
            findings.add(f"{what}, {how}", **{k: [one[k] for one in results] for k in results[0]})
    return findings


def by_topic(seed: int) -> list[list[Pair]]:
    """Deal the topics out to the sessions, the largest first, each to the one that has least."""
    topics = load_dialogue()
    names = [name for name, _ in drawn([(name, "") for name in topics], seed)]
    days: list[list[Pair]] = [[] for _ in range(SESSIONS)]
    known: set[tuple[str, ...]] = set()
    told = {name: distinct(pairs(fit(topics[name])), known) for name in names}
    for name in sorted(names, key=lambda name: -len(told[name])):
        min(days, key=len).extend(told[name])
    return [days[int(place)] for place, _ in drawn([(str(n), "") for n in range(SESSIONS)], seed)]


def by_block(seed: int) -> list[list[Pair]]:
    """Cut small talk into sessions."""
    told = distinct(drawn(chitchat_pairs(LONGEST), seed, 2 * SESSIONS * BLOCK), set())
    return [told[first : first + BLOCK] for first in range(0, SESSIONS * BLOCK, BLOCK)]


def distinct(told: Sequence[Pair], known: set[tuple[str, ...]]) -> list[Pair]:
    """Return the pairs whose question is not ``known`` by its words, and know them from now on.

    Examples
    --------
    >>> distinct([("Hi", "Hello"), ("hi!", "Hey"), ("Bye", "Bye")], set())
    [('Hi', 'Hello'), ('Bye', 'Bye')]
    """
    new = []
    for question, answer in told:
        if (words := words_of(question)) not in known:
            known.add(words)
            new.append((question, answer))
    return new


def lived(days: Sequence[Sequence[Pair]], seed: int, sleeps: bool) -> dict[str, float]:
    """Live through the sessions in a folder of its own, and ask after the first and the last."""
    short = without_a_word(days[0], seed, 2)
    config = PlasticLearnerConfig(seed=seed, use_adenosine=sleeps)
    with tempfile.TemporaryDirectory() as folder:
        memory = Path(folder, "memory")
        session(config, memory, days[0], sleeps)
        then = [right(config, memory, asked) for asked in (days[0], short)]
        for day in days[1:]:
            session(config, memory, day, sleeps)
        now = [right(config, memory, asked) for asked in (days[0], short)]
    return {
        THEN.name: share(then[0], then[0] | set(days[0])),
        NOW.name: share(now[0], now[0] | set(days[0])),
        KEPT.name: share(then[0] & now[0], then[0]),
        SHORT.name: share(then[1] & now[1], then[1]),
        LESSONS.name: sum(map(len, days)) / len(days),
    }


def session(
    config: PlasticLearnerConfig, memory: Path, lessons: Sequence[Pair], sleeps: bool
) -> None:
    """Open the folder, take the lessons, sleep, close."""
    with ConversationalLearner(config).start_conversation(memory=memory) as conversation:
        for prompt, reply in lessons:
            conversation.take_lesson(Lesson(prompt, reply), "corpus")
        if sleeps:
            conversation.sleep()


def right(config: PlasticLearnerConfig, memory: Path, asked: Sequence[Pair]) -> set[Pair]:
    """Open the folder, ask, and return what was answered exactly."""
    learner = ConversationalLearner(config)
    with learner.start_conversation(memory=memory):
        return {pair for pair in asked if learner.predict(pair[0]) == pair[1]}


def share(some: set[Pair], of: set[Pair]) -> float:
    """Return how much of a set some of it are, in per cent."""
    return 100.0 * len(some) / len(of)
