"""What a cue costs when synapses have moved to rarer cells in sleep, and when they stay."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from plasticish.conversation import ConversationalLearner, PlasticLearnerConfig
from plasticish.conversation import network_kernels as kernels
from plasticish.conversation.cues import Cue
from plasticish.conversation.events import Exchange, Taught

from ..scenario import Context, Findings, Goal, Metric, scenario
from ._common import Pair, chitchat_pairs, drawn, exact, without_a_word

TURNS, NIGHT = 1500, 250
LATER = 500  # further turns, by which costs are measured
ASKED = 500
ROUNDS = 7
LONGEST = 60
ON, OFF = "structural plasticity on", "off: synapses stay where they first grew"
SAVED = "on against off"

EVENTS = Metric("events a cue", "", 0, higher_is_better=False, tolerance=0.1, relative=True)
DELIVERY = Metric("delivery", "us", 1, higher_is_better=False, tolerance=0.5, relative=True)
TURN = Metric("whole turn", "ms", 2, higher_is_better=False, tolerance=0.5, relative=True)
EXACT = Metric("exact")
SHORT = Metric("a word less, exact")
SYNAPSES = Metric("synapses", "k", 1, None)
MEGABYTES = Metric("network", "MB", 2, higher_is_better=False, tolerance=5)
MOVED = Metric("moved", "k", 1, None)
REPLAY = Metric("a replay", "ms", 2, higher_is_better=False, tolerance=0.5, relative=True)
SPARED = Metric("delivery spared", "%", 1, tolerance=0.5, relative=True)
EVENTS_SPARED = Metric("events spared", "%", 1)
TURN_SPARED = Metric("turn spared", "%", 1, tolerance=1.0, relative=True)
LOST = Metric("exact lost", "points", 1, higher_is_better=False)
SHORT_LOST = Metric("a word less, lost", "points", 1, higher_is_better=False)


@scenario(
    "talk/rewiring",
    title="synapses that move to rarer cells",
    question="How much less does a cue deliver when sleep rewires, at the same recall?",
    protocol=f"""Distinct turns of chitchat-dataset with their first reply of at most {LONGEST}
    characters; conversations with e-mail addresses or profanity left out. The seed shuffles; two
    learners are given the first {TURNS:,} as lessons, once each, and sleep after every {NIGHT}.
    They differ only in that one moves synapses in its sleep. Then {LATER} further questions come.
    Events: synapses onto engrams in the rows of the cells that each drives. Delivery: CPU time of
    the loop that delivers them, the best of {ROUNDS} rounds by turns. Whole turn: CPU time to
    answer and to learn the reply, tokenizer, listener and modulators with it, by turns. Recall:
    {ASKED} of the lessons, as they were and with a word, drawn by the seed, left out of those of
    three words or more. Moved are synapses in all nights; how many there are stays, and by day
    more grow where rows were emptied. How many old
    episodes a night visits beside the new ones adapts: twice as many as the last night while each
    still moves a synapse or more, half as many when they have settled.""",
    data="chitchat-dataset",
    metrics=[
        *(EVENTS, DELIVERY, TURN, EXACT, SHORT, SYNAPSES, MEGABYTES, MOVED, REPLAY),
        *(EVENTS_SPARED, SPARED, TURN_SPARED, LOST, SHORT_LOST),
    ],
    goals=[
        Goal(SAVED, SPARED.name, ">=", 15.0),
        Goal(SAVED, TURN_SPARED.name, ">=", 0.0, aim=15.0),
        Goal(SAVED, LOST.name, "<=", 1.0),
        Goal(SAVED, SHORT_LOST.name, "<=", 1.0),
    ],
    baselines=[OFF],
)
def rewiring(context: Context) -> Findings:
    """Raise both learners on every stream, and ask both."""
    told, found = chitchat_pairs(LONGEST), Findings()
    turns = 40 if context.quick else TURNS
    results: dict[str, list[dict[str, float]]] = {ON: [], OFF: [], SAVED: []}
    for seed in context.seeds:
        order = drawn(told, seed, turns + (50 if context.quick else LATER))
        lessons, later = order[:turns], order[turns:]
        both = {row: raised(lessons, seed, row == ON) for row in (ON, OFF)}
        learners = {row: learner for row, (learner, _) in both.items()}
        measured = costs(learners, later)
        for row, (learner, slept) in both.items():
            measured[row] |= {**slept, **recalled(learner, lessons, seed)}
            results[row].append(measured[row])
        results[SAVED].append(spared(measured[ON], measured[OFF]))
    for row, several in results.items():
        found.add(row, **{name: [one[name] for one in several] for name in several[0]})
    return found


def raised(
    lessons: Sequence[Pair], seed: int, rewires: bool
) -> tuple[ConversationalLearner, dict[str, float]]:
    """Give lessons with nights between them; return the learner, and what its nights came to."""
    learner = ConversationalLearner(
        PlasticLearnerConfig(seed=seed, use_structural_plasticity=rewires)
    )
    moved = replayed = 0
    seconds = 0.0
    for place, (prompt, reply) in enumerate(lessons, 1):
        learner.live(Taught(prompt, None, reply, None, "corpus", True))
        if place % NIGHT == 0 or place == len(lessons):
            start = time.process_time()
            report = learner.doze()
            seconds += time.process_time() - start
            moved, replayed = moved + report.rewired, replayed + report.replayed
    stats = learner.mind.network.stats()
    return learner, {
        SYNAPSES.name: stats["synapses"] / 1e3,
        MEGABYTES.name: stats["megabytes"],
        MOVED.name: moved / 1e3,
        REPLAY.name: 1e3 * seconds / max(replayed, 1),
    }


def costs(
    learners: dict[str, ConversationalLearner], later: Sequence[Pair]
) -> dict[str, dict[str, float]]:
    """Return what the cues of further questions cost each learner, measured by turns."""
    cues = {
        row: [learner.mind.episodes.encoder.encode(prompt) for prompt, _ in later]
        for row, learner in learners.items()
    }
    delivery = {row: float("inf") for row in learners}
    for _ in range(ROUNDS):
        for row, learner in learners.items():
            delivery[row] = min(delivery[row], delivered(learner, cues[row]))
    found = {}
    for row, learner in learners.items():
        ends = learner.mind.network._rows.ends[:, 0]
        events = float(np.mean([ends[cue.cells].sum() for cue in cues[row]]))
        found[row] = {EVENTS.name: events, DELIVERY.name: 1e6 * delivery[row] / len(later)}
    turn = dict.fromkeys(learners, 0.0)
    for prompt, reply in later:
        for row, learner in learners.items():
            start = time.process_time()
            said = learner.predict(prompt)
            learner.live(Exchange(prompt, said), Taught(prompt, said, reply, None, "corpus", True))
            turn[row] += time.process_time() - start
    for row, seconds in turn.items():
        found[row][TURN.name] = 1e3 * seconds / len(later)
    return found


def delivered(learner: ConversationalLearner, cues: Sequence[Cue]) -> float:
    """Return the CPU seconds in which these cues are delivered to all engrams."""
    rows, engrams = learner.mind.network._rows, learner.mind.network._engrams
    match = np.zeros(4 * len(engrams.table), np.float32)
    start = time.process_time()
    for cue in cues:
        kernels.deliver(rows.synapses, rows.ends, cue.cells, cue.drive, match)
    return time.process_time() - start


def recalled(
    learner: ConversationalLearner, lessons: Sequence[Pair], seed: int
) -> dict[str, float]:
    """Ask some of the lessons."""
    places = np.linspace(0, len(lessons) - 1, min(ASKED, len(lessons))).astype(int)
    asked = [lessons[place] for place in places]
    found = {}
    for name, some in ((EXACT.name, asked), (SHORT.name, without_a_word(asked, seed, 3))):
        said = [learner.predict(prompt) for prompt, _ in some]
        found[name] = exact(said, [reply for _, reply in some])
    return found


def spared(on: dict[str, float], off: dict[str, float]) -> dict[str, float]:
    """Return what rewiring is worth, and what it costs."""
    pairs = ((EVENTS_SPARED, EVENTS), (SPARED, DELIVERY), (TURN_SPARED, TURN))
    return {
        **{share.name: 100 * (1 - on[cost.name] / off[cost.name]) for share, cost in pairs},
        LOST.name: off[EXACT.name] - on[EXACT.name],
        SHORT_LOST.name: off[SHORT.name] - on[SHORT.name],
    }
