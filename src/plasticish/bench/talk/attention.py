"""Attention: what is gained where the gain of a context follows how uncertain it is."""

from __future__ import annotations

import math

from plasticish.conversation.listener import Listener
from plasticish.sequence import EXPERTS, Predictor

from ..scenario import Context, Findings, Goal, Metric, scenario
from ._hearing import frozen_nats, hearing, turns_of

CONSTANT = "one gain a context"
GAINS = "gains by expected uncertainty"
ATTENTIVE = "gains and encoding by expected uncertainty"

ONLINE = Metric("online", "nats/char", 3, higher_is_better=False, tolerance=0.01)
FROZEN = Metric("frozen", "nats/char", 3, higher_is_better=False, tolerance=0.01)
PERPLEXITY = Metric("perplexity", "", 3, higher_is_better=False, tolerance=0.02)
CHANGE = Metric("perplexity, change", "%", 2, higher_is_better=False, tolerance=0.3)


@scenario(
    "talk/attention",
    title="attention",
    question="What does a listener gain if its gains follow the uncertainty that it expects?",
    protocol="""Three listeners hear the same 200 conversations of chitchat-dataset once, in the
    order that the seed draws, and are then asked about the next 100, of which nothing is learned.
    All have the same contexts and count the same characters, without working memory. The first has
    one gain for each kind of context (three weights: for the log of the count, for a count of one,
    for any count), tuned on what is heard by the delta rule as it goes; another step (a third,
    three times) makes less than 0.1 %. The second has the same, and gains that follow how uncertain
    the contexts are expected to be: how often each was met and how many characters followed, which
    is the longest known, and what those of words know. The third also encodes by it: each character
    is counted by the probability that it was not expected with, by 0.3 at least. Perplexity is that
    of a character, e to the frozen nats; the change is that against the first.""",
    data="chitchat-dataset",
    metrics=[PERPLEXITY, CHANGE, FROZEN, ONLINE],
    goals=[Goal(ATTENTIVE, CHANGE.name, "<=", -2.0, aim=-5.0)],
    baselines=[CONSTANT],
)
def attention(context: Context) -> Findings:
    """Let the three hear, and ask them."""
    found: dict[str, list[dict[str, float]]] = {}
    for seed in context.seeds:
        heard, asked = hearing(context, seed, 200, 100)
        listeners = {
            ATTENTIVE: Listener(),
            GAINS: only_gains(),
            CONSTANT: Listener(attention=False),
        }
        for row in list(listeners):  # each is let go before the next: they are large
            listener = listeners.pop(row)
            online = listener.learn(turns_of(heard))["nats"]
            frozen = frozen_nats(listener, asked)
            found.setdefault(row, []).append(
                {ONLINE.name: online, FROZEN.name: frozen, PERPLEXITY.name: math.exp(frozen)}
            )
    findings, base = Findings(), [one[PERPLEXITY.name] for one in found[CONSTANT]]
    for row, several in found.items():
        findings.add(row, **{name: [one[name] for one in several] for name in several[0]})
        if row != CONSTANT:
            change = [
                100.0 * (one[PERPLEXITY.name] / constant - 1.0)
                for one, constant in zip(several, base, strict=True)
            ]
            findings.add(row, **{CHANGE.name: change})
    return findings


def only_gains() -> Listener:
    """Return a listener whose gains follow uncertainty, but that encodes everything alike."""
    listener = Listener()
    listener.predictor = Predictor(EXPERTS["text"], gains="uncertainty")
    return listener
