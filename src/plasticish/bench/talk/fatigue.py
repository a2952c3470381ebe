"""What is said twice: how much less does it surprise while working memory holds it?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from plasticish.conversation.listener import Listener
from plasticish.modulation import Adenosine
from plasticish.rules import ShortTermParameters

from ..scenario import Context, Findings, Goal, Metric, scenario
from ._hearing import hearing, turns_of

LENGTH = 128
KINDS = {f"{size} x {LENGTH // size}": size for size in (64, 32, 16)} | {"natural": LENGTH}
PIECES = 100

OFF = Metric("off", "nats/char", 3, None)
ON = Metric("on", "nats/char", 3, higher_is_better=False, tolerance=0.02)
SHARE = Metric("on / off", "x", 3, higher_is_better=False, tolerance=0.02)
TIRED = Metric("tired / off", "x", 3, higher_is_better=False, tolerance=0.02)
FIRST = Metric("first time, share of off", "x", 3, None)


@scenario(
    "talk/fatigue",
    title="working memory",
    question="How much less do 128 characters surprise with facilitated synapses, tired or not?",
    protocol="""A listener with working memory hears 200 conversations of chitchat-dataset once,
    in the order that the seed draws. Then nothing is learned any more, neither by long-term
    synapses nor by the gains of working memory. From each of the next 100 conversations that is
    long enough, in turn, pieces of 64, 32, 16 and 128 characters are cut at random, its turns
    joined by spaces, 100 of each length; a piece is said as often as fills 128 characters, and
    heard from rest as one turn. Off: the same listener, working memory silent. Tired: on, the
    thresholds raised by adenosine at the pressure at which sleep is due. All four kinds go with
    one listener and one setting. 'First time' is the share of the surprise, off, at what is said
    for the first time: no memory can save that part, so that 'on / off' cannot fall much below
    it.""",
    data="chitchat-dataset",
    metrics=[SHARE, OFF, ON, TIRED, FIRST],
    goals=[
        Goal("64 x 2", SHARE.name, "<=", 0.6, aim=0.5),
        Goal("32 x 4", SHARE.name, "<=", 0.5),
        Goal("16 x 8", SHARE.name, "<=", 0.4),
        Goal("natural", SHARE.name, "<=", 1.0, aim=0.98),
        *(
            Goal(kind, TIRED.name, "<=", bound)
            for kind, bound in zip(KINDS, (0.6, 0.5, 0.4, 1.0), strict=True)
        ),
    ],
)
def fatigue(context: Context) -> Findings:
    """Let listeners hear, and then the pieces."""
    found: dict[str, list[dict[str, float]]] = {}
    for seed in context.seeds:
        heard, others = hearing(context, seed, 200, 100)
        listener = Listener(short_term=ShortTermParameters.working_memory())
        listener.learn(turns_of(heard))
        texts = [text for text in map(" ".join, others) if len(text) > 2 * LENGTH]
        for kind, size in KINDS.items():
            said = pieces(texts, size, seed)[: 25 if context.quick else PIECES]
            found.setdefault(kind, []).append(compared(listener, said, size))
    findings = Findings()
    for row, several in found.items():
        findings.add(row, **{name: [one[name] for one in several] for name in several[0]})
    return findings


def pieces(texts: list[str], size: int, seed: int) -> list[str]:
    """Return pieces of so many characters, each said as often as fills 128.

    Examples
    --------
    >>> said = pieces(["abc" * 100], 64, seed=0)
    >>> len(said), {len(one) for one in said}, said[0][:64] == said[0][64:]
    (100, {128}, True)
    """
    random, said = np.random.default_rng([seed, size]), []
    for number in range(PIECES):
        text = texts[number % len(texts)]
        start = int(random.integers(len(text) - size + 1))
        said.append(text[start : start + size] * (LENGTH // size))
    return said


def compared(listener: Listener, said: list[str], size: int) -> dict[str, float]:
    """Hear all pieces in each state, and return the surprise and its shares."""
    adenosine = Adenosine()
    factor = 1.0 + adenosine.parameters.inhibition * adenosine.parameters.upper
    alone = at_each(listener, said, 1.0, holding=False)
    off, on = float(alone.mean()), float(at_each(listener, said, 1.0).mean())
    return {
        OFF.name: off,
        ON.name: on,
        SHARE.name: on / off,
        TIRED.name: float(at_each(listener, said, factor).mean()) / off,
        FIRST.name: float(alone[:, :size].sum() / alone.sum()),
    }


def at_each(
    listener: Listener, said: list[str], fatigue: float, holding: bool = True
) -> npt.NDArray[np.float64]:
    """Return the surprise at each character, [piece, character]; the end is left out."""
    return np.stack(
        [listener.surprise([one], fatigue=fatigue, holding=holding)[:-1] for one in said]
    )
