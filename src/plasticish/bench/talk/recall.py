"""Taught once: is it said, with a word left out, and what is said to the unseen?"""

from __future__ import annotations

from collections.abc import Sequence

from ..scenario import Context, Findings, Goal, Metric, scenario
from ._common import (
    TFIDF_CHARACTERS,
    TFIDF_WORDS,
    Answerer,
    NearestNeighbour,
    Pair,
    Scorer,
    chatterbot_pairs,
    clocked,
    drawn,
    exact,
    taught,
    without_a_word,
)

HELD_OUT = 200
OURS = "Episodes"
ALONE = "Episodes, the best engram speaks alone"
PLAIN = "Episodes, novelty weighting off"
ABOVE = {
    "Episodes, above TF-IDF of characters": TFIDF_CHARACTERS,
    "Episodes, above TF-IDF of words": TFIDF_WORDS,
}

NOVELTY = "Episodes, above novelty weighting off"

EXACT = Metric("exact")
SHORT = Metric("a word less, exact")
SHORT_BLEU = Metric("a word less, BLEU", "", 2)
BLEU = Metric("unseen, BLEU", "", 2)
CHRF = Metric("unseen, chrF", "", 2)
LEARN = Metric("learn", "ms", 2, higher_is_better=False, tolerance=0.5, relative=True)
REPLY = Metric("reply", "ms", 2, higher_is_better=False, tolerance=0.5, relative=True)
SCORES = (EXACT, SHORT, SHORT_BLEU, BLEU, CHRF)


@scenario(
    "talk/recall",
    title="taught once",
    question="Is what was taught once said, with a word left out too, and what to the unseen?",
    protocol="""Every distinct question of the English chatterbot-corpus with its first answer, as
    load_dialogue reads them, conversations with e-mail addresses or profanity left out: 1,011. The
    seed shuffles; the last 200 are held out, the rest is
    taught in one pass, one presentation each. Asked are all taught questions as they were; all of
    them of two words or more with one word, drawn by the seed, left out; and the 200 unseen, whose
    one reference is their own answer. BLEU and chrF of sacrebleu over the corpus of replies. The
    TF-IDF neighbours have all taught pairs at hand at once. Times are CPU time a pair taught and a
    taught question answered, tokenizer and all.""",
    data="chatterbot-corpus, English",
    metrics=[*SCORES, LEARN, REPLY],
    goals=[
        Goal(OURS, EXACT.name, ">=", 99.5, aim=100.0),
        *(Goal(row, SHORT_BLEU.name, ">=", -1.5, aim=0.0) for row in ABOVE),
        *(Goal(row, BLEU.name, ">=", -0.7, aim=1.0) for row in ABOVE),
        Goal(NOVELTY, BLEU.name, ">=", 3.0),
    ],
    baselines=[TFIDF_CHARACTERS, TFIDF_WORDS],
)
def recall(context: Context) -> Findings:
    """Teach each split to the learner, to its ablations and to the neighbours."""
    told, scorer, findings = chatterbot_pairs(), Scorer(), Findings()
    held = 30 if context.quick else HELD_OUT
    told = told[: 5 * held] if context.quick else told
    taught(told[:3], seed=0)  # compile
    found: dict[str, list[dict[str, float]]] = {}
    for seed in context.seeds:
        order = drawn(told, seed)
        split = (order[:-held], order[-held:])
        for row, settings in ((OURS, {}), (PLAIN, {"novelty": False})):
            learner, seconds = clocked(lambda: taught(split[0], seed, **settings))  # noqa: B023
            _, asking = clocked(lambda: learner.answers([q for q, _ in split[0]]))  # noqa: B023
            spent = {LEARN.name: seconds, REPLY.name: asking}
            times = {name: 1e3 * each / len(split[0]) for name, each in spent.items()}
            found.setdefault(row, []).append({**examined(learner, split, seed, scorer), **times})
        learner = taught(split[0], seed)
        learner.episodes.familiar = 0.0
        found.setdefault(ALONE, []).append(examined(learner, split, seed, scorer))
        for row, words in ((TFIDF_CHARACTERS, False), (TFIDF_WORDS, True)):
            neighbour = NearestNeighbour(split[0], words)
            found.setdefault(row, []).append(examined(neighbour, split, seed, scorer))
    for row, results in found.items():
        findings.add(row, **{name: [one[name] for one in results] for name in results[0]})
    for row, theirs_row in {**ABOVE, NOVELTY: PLAIN}.items():
        both = list(zip(found[OURS], found[theirs_row], strict=True))
        above = {m.name: [ours[m.name] - theirs[m.name] for ours, theirs in both] for m in SCORES}
        findings.add(row, **above)
    findings.notes += scorer.signatures()
    return findings


def examined(
    answerer: Answerer, split: tuple[Sequence[Pair], Sequence[Pair]], seed: int, scorer: Scorer
) -> dict[str, float]:
    """Ask what was taught, the same with a word less, and the unseen."""

    def asked(pairs: Sequence[Pair]) -> tuple[list[str], list[str]]:
        return answerer.answers([question for question, _ in pairs]), [a for _, a in pairs]

    whole, short, unseen = map(asked, (split[0], without_a_word(split[0], seed, 2), split[1]))
    return {
        EXACT.name: exact(*whole),
        SHORT.name: exact(*short),
        SHORT_BLEU.name: scorer.bleu(*short),
        BLEU.name: scorer.bleu(*unseen),
        CHRF.name: scorer.chrf(*unseen),
    }
