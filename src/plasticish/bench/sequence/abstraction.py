"""Concepts as contexts, and as a code: does abstraction help?"""

from __future__ import annotations

import math
from collections.abc import Sequence

from plasticish.sequence import EXPERTS, Expert

from ..dialogues import load_chitchat
from ..scenario import Context, Findings, Goal, Metric, scenario
from ._code_lengths import COMPRESSORS, concept_bits, symbol_bits
from ._common import SPLIT, load_names, shuffled
from ._concept_contexts import Reading, read_with

TEXT, NAMES, FEW = "text", "names", "1,000 names"
ALONE, CONCEPTS = "the experts alone", "with concepts"
LONGER, BOTH, WORDS = "with longer contexts", "with longer contexts and concepts", "with words"
AS_SYMBOLS, AS_CONCEPTS = "coded as symbols, order", "coded as concepts, order"
ORDERS = (0, 1, 2)
CHARACTERS = 500_000
_FURTHER = [Expert(name=f"last {k}", recent=tuple(range(1, k + 1))) for k in (7, 8, 10)]

# By row: experts beyond the set, and what keys three more of them.
_READERS: dict[str, tuple[list[Expert], str]] = {
    ALONE: ([], ""),
    CONCEPTS: ([], "concepts"),
    LONGER: (_FURTHER, ""),
    BOTH: (_FURTHER, "concepts"),
    WORDS: ([], "words"),
}


@scenario(
    "sequence/abstraction",
    title="concepts of the library at work",
    question="Do concepts help to know what comes next, or to keep less?",
    protocol="""Small talk, conversations shuffled by the seed, a turn a sequence, the first 500,000
    characters, with the plain experts; and makemore's training names, shuffled, with the rich ones.
    Read once; 'nats' is the surprise before each symbol was learned, 'late' the same over the
    second half, 'asked' the surprise at the test names. Three more experts see the last one, two
    and three concepts of the parse so far, with the concepts known by then; or, as controls, the
    last 7, 8 and 10 symbols; or the word so far alone and with the one and two words before, which
    needs to be told what a word is. 'Gain' is nats below the experts alone. Codes: bits a symbol,
    ends counted, of the text and of the distinct names; adaptive, contexts of 0 to 2 symbols or
    concepts mixed as Witten and Bell do, no grammar sent, the alphabet given; beside them
    compressors at their best on the same lines, and the predictor's nats in bits. 'Saved' is
    against symbols at the same order.""",
    data="small talk of the package chitchat-dataset; " + SPLIT,
    metrics=[
        Metric("nats", "nats/token", 4, higher_is_better=False, tolerance=0.01),
        Metric("late", "nats/token", 4, higher_is_better=False, tolerance=0.01),
        Metric("asked", "nats/token", 4, higher_is_better=False, tolerance=0.01),
        Metric("gain", "nats", 4, None),
        Metric("synapses", "", 0, None),
        Metric("bits", "bits/symbol", 3, higher_is_better=False, tolerance=0.02),
        Metric("saved", "%", 1, None),
    ],
    goals=[
        Goal(f"{TEXT}, {CONCEPTS}", "gain", ">=", 0.0, aim=0.01),
        *(Goal(f"{what}, {AS_CONCEPTS} 0", "saved", ">=", 0.0) for what in (TEXT, NAMES)),
        Goal(f"{TEXT}, {AS_CONCEPTS} 1", "saved", ">=", 0.0),
    ],
    baselines=[f"{TEXT}, {ALONE}", f"{NAMES}, {ALONE}"],
    seeds=(0, 1, 2, 3, 4),
    requires_data=True,
)
def abstraction(context: Context) -> Findings:
    """Read with and without concepts, and code with and without them."""
    split, findings = load_names(context), Findings()
    conversations = load_chitchat()
    limit = 4_000 if context.quick else CHARACTERS
    found: dict[str, list[dict[str, float]]] = {}
    for seed in context.seeds:
        order = shuffled(split.train, seed)
        text = opening(shuffled(conversations, seed), limit)
        for what, experts, texts, asked in (
            (TEXT, "plain", text, []),
            (NAMES, "rich", order, split.test),
            (FEW, "rich", order[:1000], split.test),
        ):
            for row, figures in readings(what, experts, texts, asked).items():
                found.setdefault(row, []).append(figures)
        for what, texts in ((TEXT, text), (NAMES, list(dict.fromkeys(order)))):
            for row, figures in codes(texts).items():
                found.setdefault(f"{what}, {row}", []).append(figures)
    for row, values in found.items():
        findings.add(row, **{key: [value[key] for value in values] for key in values[0]})
    return findings


def opening(conversations: Sequence[Sequence[str]], limit: int) -> list[str]:
    """Return turns from the start until they have ``limit`` characters, ends counted."""
    turns, total = [], 0
    for turn in (turn for conversation in conversations for turn in conversation):
        turns.append(turn)
        total += len(turn) + 1
        if total >= limit:
            break
    return turns


def readings(
    what: str, experts: str, texts: list[str], asked: list[str]
) -> dict[str, dict[str, float]]:
    """Return the figures of every way to read, by row."""
    found: dict[str, dict[str, float]] = {}
    alone: Reading | None = None
    for name, (more, keys) in _READERS.items():
        if what != TEXT and name not in (ALONE, CONCEPTS):
            continue
        reading = read_with([*EXPERTS[experts], *more], texts, asked, keys=keys)
        alone = alone or reading
        figures = {
            "nats": reading.nats,
            "late": reading.late,
            "synapses": reading.synapses,
            "bits": reading.nats / math.log(2),
            "gain": alone.nats - reading.nats,
        }
        if asked:
            figures |= {"asked": reading.asked, "gain": alone.asked - reading.asked}
        found[f"{what}, {name}"] = figures
    return found


def codes(texts: list[str]) -> dict[str, dict[str, float]]:
    """Return bits a symbol of each code, by row, and what concepts save at the same order."""
    symbols = sum(map(len, texts)) + len(texts)
    raw = "".join(text + "\n" for text in texts).encode()
    found = {name: {"bits": 8 * press(raw) / symbols} for name, press in COMPRESSORS.items()}
    for order in ORDERS:
        plain, abstract = symbol_bits(texts, order), concept_bits(texts, order)
        found[f"{AS_SYMBOLS} {order}"] = {"bits": plain / symbols}
        found[f"{AS_CONCEPTS} {order}"] = {
            "bits": abstract / symbols,
            "saved": 100 * (1 - abstract / plain),
        }
    return found
