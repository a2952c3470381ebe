"""A thousand conversations go by once: how surprising is the next character?"""

from __future__ import annotations

from collections.abc import Sequence

from plasticish.conversation.listener import Listener
from plasticish.conversation.mind import LISTENER_SYNAPSES
from plasticish.data import Conversation
from plasticish.rules import ShortTermParameters
from plasticish.sequence import Alphabet

from ..scenario import Context, Findings, Goal, Metric, scenario
from ._common import clocked
from ._hearing import frozen_nats, hearing, turns_of
from ._kneser_ney import OnlineKneserNey

OURS, OWN = "Listener", f"Listener of a learner, {LISTENER_SYNAPSES:,} synapses"
ORDER = 6
KN = f"modified Kneser-Ney {ORDER}, online"

ONLINE = Metric("online", "nats/char", 3, higher_is_better=False, tolerance=0.01)
FROZEN = Metric("frozen", "nats/char", 3, higher_is_better=False, tolerance=0.01)
SPEED = Metric("characters", "k/CPU s", 0, tolerance=0.5, relative=True)
SYNAPSES = Metric("counts", "M", 2, None)


@scenario(
    "talk/listening",
    title="listening",
    question="1,000 conversations go by once. How surprising is the next character?",
    protocol="""chitchat-dataset, conversations with e-mail addresses or profanity left out. The
    seed shuffles; the first 1,000 (about 2.9 M characters) are heard turn by turn, each character
    predicted before it is learned; the end of a turn is a character. Then nothing is learned any
    more, and the next 200 are heard, each from rest. Nats a character, a new character among them.
    Kneser-Ney reads the same turns and is told the alphabet beforehand; it looks at six characters
    of the turn (joined turns were worse), its counts, continuation counts and discounts are those
    of what came so far. Counts are those of a character after a context: the listener that is
    measured keeps all, that of a learner, heard once, as many as its memory allows.""",
    data="chitchat-dataset",
    metrics=[ONLINE, FROZEN, SPEED, SYNAPSES],
    goals=[
        Goal(OURS, ONLINE.name, "<=", 1.34, aim=1.28),
        Goal(OURS, FROZEN.name, "<=", 1.31, aim=1.25),
    ],
    baselines=[KN],
)
def listening(context: Context) -> Findings:
    """Let each listener hear the same."""
    short_term, findings = ShortTermParameters.working_memory(), Findings()
    Listener(short_term=short_term).learn(["warm up"])
    found: dict[str, list[dict[str, float]]] = {}
    for seed in context.seeds:
        heard, asked = hearing(context, seed, 1000, 200)
        found.setdefault(OURS, []).append(listened(Listener(short_term=short_term), heard, asked))
        found.setdefault(KN, []).append(kneser_ney(heard, asked))
    heard, asked = hearing(context, context.seeds[0], 1000, 200)
    bounded = Listener(LISTENER_SYNAPSES, short_term=short_term)
    found[OWN] = [listened(bounded, heard, asked)]
    for row, several in found.items():
        findings.add(row, **{name: [one[name] for one in several] for name in several[0]})
    return findings


def listened(
    listener: Listener, heard: Sequence[Conversation], asked: Sequence[Conversation]
) -> dict[str, float]:
    """Let a listener hear, and ask it."""
    report, seconds = clocked(lambda: listener.learn(turns_of(heard)))
    return {
        ONLINE.name: report["nats"],
        FROZEN.name: frozen_nats(listener, asked),
        SPEED.name: report["symbols"] / seconds / 1e3,
        SYNAPSES.name: listener.predictor.synapses / 1e6,
    }


def kneser_ney(heard: Sequence[Conversation], asked: Sequence[Conversation]) -> dict[str, float]:
    """Let Kneser-Ney read the same."""
    alphabet, batches = Alphabet(), []
    for conversations in (heard, asked):
        batches.append(alphabet.encode(turns_of(conversations)))
        alphabet.grow(batches[-1])
    first, second = batches
    model = OnlineKneserNey(ORDER, len(alphabet) + 1, len(first.codes))
    nats, seconds = clocked(lambda: model.read(first.codes, first.starts))
    frozen = model.read(second.codes, second.starts, learning=False)
    return {
        ONLINE.name: nats / len(first.codes),
        FROZEN.name: frozen / len(second.codes),
        SPEED.name: len(first.codes) / seconds / 1e3,
        SYNAPSES.name: model.counts / 1e6,
    }
