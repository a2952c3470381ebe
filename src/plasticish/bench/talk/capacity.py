"""A thousand pairs, ten thousand, fifty thousand, within one budget of synapses."""

from __future__ import annotations

import time

import numpy as np

from plasticish.conversation.cues import Cue
from plasticish.conversation.network import PlasticSNN

from ..scenario import Context, Findings, Goal, Metric, scenario
from ._common import (
    TFIDF_CHARACTERS,
    TFIDF_WORDS,
    Answerer,
    NearestNeighbour,
    Pair,
    chitchat_pairs,
    clocked,
    drawn,
    exact,
    taught,
    without_a_word,
)

SIZES = (1000, 10_000, 50_000)
ASKED = 1000
LONGEST = 60
OURS = "Episodes"

EXACT = Metric("exact")
SHORT = Metric("a word less, exact")
SHORTER = Metric("a word less, of two words too")
SYNAPSES = Metric("synapses", "M", 2, None)
MEGABYTES = Metric("memory", "MB", 1, higher_is_better=False, tolerance=5)
LEARN = Metric("learn", "ms", 2, higher_is_better=False, tolerance=0.5, relative=True)
REPLY = Metric("reply", "ms", 2, higher_is_better=False, tolerance=0.5, relative=True)
STEP = Metric("step", "ms", 3, higher_is_better=False, tolerance=0.5, relative=True)
LEARNING = Metric("step, learning", "ms", 3, higher_is_better=False, tolerance=0.5, relative=True)

FULL = "network, every synapse of the budget grown"


@scenario(
    "talk/capacity",
    title="how much is kept",
    question="How many pairs are kept within 16.07 M synapses, and what does a full network cost?",
    protocol="""Distinct turns of chitchat-dataset with their first reply of at most 60 characters;
    conversations with e-mail addresses or profanity left out. The seed shuffles; the first 1,000,
    10,000, 50,000 are taught in one pass, one presentation each, to a fresh learner. Asked are
    1,000 of them, the first taught, the last and all between alike; then those of
    three words or more with one word, drawn by the seed, left out, and so with those of two words
    too, of which what is left is one word. The TF-IDF neighbours have all pairs at hand at once.
    Times are CPU time a pair taught and a question answered. Step: 1 % of the cells of a network
    of which every row is full deliver to all engrams, and the best win; learning: the winner's
    synapses from these cells change too. The best of 200, each with other cells.""",
    data="chitchat-dataset",
    metrics=[EXACT, SHORT, SHORTER, SYNAPSES, MEGABYTES, LEARN, REPLY, STEP, LEARNING],
    goals=[
        Goal(f"{OURS}, 1,000 pairs", EXACT.name, ">=", 100.0),
        Goal(f"{OURS}, 1,000 pairs", SHORT.name, ">=", 99.5),
        Goal(f"{OURS}, 10,000 pairs", EXACT.name, ">=", 99.5),
        Goal(f"{OURS}, 10,000 pairs", SHORT.name, ">=", 97.5),
        Goal(f"{OURS}, 50,000 pairs", EXACT.name, ">=", 92.0, aim=98.0),
        Goal(f"{OURS}, 50,000 pairs", SHORT.name, ">=", 87.0, aim=94.0),
        Goal(f"{OURS}, 50,000 pairs", SYNAPSES.name, "<=", 16.08),
        Goal(FULL, MEGABYTES.name, "<=", 150.0),
        Goal(FULL, STEP.name, "<=", 0.3),
        Goal(FULL, LEARNING.name, "<=", 1.0),
    ],
    baselines=[
        f"{kind}, {size:,} pairs" for size in SIZES for kind in (TFIDF_CHARACTERS, TFIDF_WORDS)
    ],
)
def capacity(context: Context) -> Findings:
    """Teach each size in each order, and time a full network."""
    told, findings = chitchat_pairs(LONGEST), Findings()
    taught(told[:3], seed=0)  # compile
    count = 200 if context.quick else ASKED
    for size in SIZES[:1] if context.quick else SIZES:
        found: dict[str, list[dict[str, float]]] = {}
        for seed in context.seeds:
            pairs = drawn(told, seed, size)
            learner, seconds = clocked(lambda: taught(pairs, seed))  # noqa: B023
            stats = learner.episodes.stats()
            results = examined(learner, pairs, seed, count)
            results |= {
                LEARN.name: 1e3 * seconds / size,
                SYNAPSES.name: stats["synapses"] / 1e6,
                MEGABYTES.name: stats["megabytes"],
            }
            found.setdefault(f"{OURS}, {size:,} pairs", []).append(results)
            for kind, words in ((TFIDF_CHARACTERS, False), (TFIDF_WORDS, True)):
                neighbour, row = NearestNeighbour(pairs, words), f"{kind}, {size:,} pairs"
                found.setdefault(row, []).append(examined(neighbour, pairs, seed, count))
        for row, several in found.items():
            findings.add(row, **{name: [one[name] for one in several] for name in several[0]})
    if not context.quick:
        findings.add(FULL, **{name: [value] for name, value in full_network(0).items()})
    return findings


def examined(answerer: Answerer, pairs: list[Pair], seed: int, count: int) -> dict[str, float]:
    """Ask ``count`` of the pairs as they were taught, and with a word less."""
    asked = [pairs[place] for place in np.linspace(0, len(pairs) - 1, count).astype(int)]
    asked = list(dict.fromkeys(asked))
    questions, wanted = zip(*asked, strict=True)
    said, seconds = clocked(lambda: answerer.answers(questions))
    found = {EXACT.name: exact(said, wanted), REPLY.name: 1e3 * seconds / len(asked)}
    for name, least in ((SHORT.name, 3), (SHORTER.name, 2)):
        questions, wanted = zip(*without_a_word(asked, seed, least), strict=True)
        found[name] = exact(answerer.answers(questions), wanted)
    return found


def full_network(seed: int) -> dict[str, float]:
    """Fill a network with random episodes up to its last synapses, and time its step."""
    network = PlasticSNN(seed=seed)
    random = np.random.default_rng(seed)
    active = round(0.01 * network.n_neurons)
    while network.synapses < 0.95 * network.budget:
        line = random.integers(0, network.vocab_size, 12).tolist()
        network.learn_episode(random_cue(random, network.n_neurons, 2 * active), line)
    silent, learning = [], []
    for _ in range(200):
        cue = random_cue(random, network.n_neurons, active)
        recall, seconds = clocked(lambda: network.recall(cue))  # noqa: B023
        silent.append(seconds)
        start = time.process_time()
        network.strengthen(cue, network.recall(cue).episodes[0])
        learning.append(time.process_time() - start)
    assert recall.episodes
    return {
        STEP.name: 1e3 * min(silent),
        LEARNING.name: 1e3 * min(learning),
        SYNAPSES.name: network.synapses / 1e6,
        MEGABYTES.name: network.stats()["megabytes"],
    }


def random_cue(random: np.random.Generator, cells: int, active: int) -> Cue:
    """Return a cue of any cells, driven as words drive them."""
    chosen = np.sort(random.choice(cells, active, replace=False)).astype(np.int64)
    return Cue(chosen, random.uniform(1.0, 12.0, active).astype(np.float32))
