"""Ten topics one after another in a network too small for them: with sleep, without, rehearsed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from plasticish.conversation import ConversationalLearner, PlasticLearnerConfig
from plasticish.conversation.events import Overheard, Taught
from plasticish.conversation.mind import TAGGED
from plasticish.conversation.network import PlasticSNN
from plasticish.conversation.sleeping import MOST_AGED
from plasticish.conversation.teaching import YOU
from plasticish.data import load_dialogue, pairs

from ..scenario import Context, Findings, Goal, Metric, scenario
from ._common import Pair, Scorer, drawn, exact, fit, without_a_word

TOPICS, TURNS = 10, 100
OVERHEARD = 5  # every fifth turn is only overheard
LEARNT_BY_HEART = 2000  # tokens of a reply, at most
WHOLE, ROOMIER, SMALL = 14173, 1536, 1408  # cells; the small one was chosen on seeds 100 and 101
SIZES = (("small", SMALL), ("roomier", ROOMIER), ("whole", WHOLE))
LEAN_CUE, LEAN_STEP = 12, 4  # of 60 and 6

ASLEEP, AWAKE, REHEARSED = "sleep and tagging", "off", "rehearsing the topic instead"
LEAN = "off, grown as thin as sleep leaves it"
OURS, CONTROL = f"small network, {ASLEEP}", f"small network, {REHEARSED}"
ABOVE = f"{OURS}, above {REHEARSED}"

BLEU = Metric("BLEU", "", 1)
CHRF = Metric("chrF", "", 1)
EXACT = Metric("exact")
SHORT = Metric("a word less, exact")
MARKED = Metric("overheard near a correction, exact")
IDLE = Metric("other overheard, exact", "%", 1, None)
KEPT = Metric("episodes kept", "", 0)
SYNAPSES = Metric("synapses", "k", 1, None)
REPLAYED = Metric("replays", "", 0, None)
NIGHT = Metric("a replay", "ms", 2, higher_is_better=False, tolerance=0.5, relative=True)
SCORES = (BLEU, CHRF, EXACT, SHORT, MARKED, IDLE, KEPT, SYNAPSES, REPLAYED)


@scenario(
    "talk/sleep",
    title="ten topics and the nights between",
    question="Does sleep keep what was learned, where rehearsing the topic at hand does not?",
    protocol=f"""The topics of the English chatterbot-corpus one after another, in an order that
    the seed draws, as are the questions within each; the first 1,000 distinct questions with their
    first answers are ten days of 100 turns, conversations with e-mail addresses or profanity left
    out. Every fifth turn is only overheard, the others are lessons, each given once. On every
    other day the lesson in the middle is a person's correction of what was answered, which is
    important; what was overheard on that day is near it. Sleep and tagging: it
    sleeps after each day, and whenever it is tired, which comes sooner the fuller the network is.
    Off: neither sleep nor tagging. Rehearsing: no sleep and no tagging, and instead, at the same
    times and as many times as the sleeper with this seed replays, lessons of the topic of that day
    are heard again, one after another. After the last turn every lesson is asked; BLEU and exact
    over all of them; again with a word, drawn by the seed, left out of every second of them that
    has two words or more; and what was overheard. The small network has {SMALL:,} cells of the
    same connectivity (8 %), a little over half of the synapses that all turns grow as they are
    first heard, and its size was chosen on other seeds; the roomier one has {ROOMIER:,}. The
    whole one has {WHOLE:,} cells, and its rows are for comparison: what never comes near its
    budget forgets nothing, and cannot gain. Grown as thin: a fifth of the cue synapses and four for
    six a token from the first day on. Sleep keeps no text: its buffer is the numbers of the last
    {TAGGED} tagged episodes, beside which it visits {MOST_AGED} old ones at most; cues and lines
    come from the network. A replay is CPU time.""",
    data="chatterbot-corpus, English",
    metrics=[*SCORES, NIGHT],
    goals=[
        Goal(ABOVE, BLEU.name, ">=", 7.0, aim=15.0),
        Goal(OURS, EXACT.name, ">=", 95.0),
    ],
    baselines=[f"small network, {how}" for how in (AWAKE, REHEARSED, LEAN)]
    + [f"{name} network, {how}" for name in ("roomier", "whole") for how in (AWAKE, REHEARSED)],
)
def sleep(context: Context) -> Findings:
    """Live through every stream in every way."""
    scorer, findings = Scorer(), Findings()
    found: dict[str, list[dict[str, float]]] = {}
    for seed in context.seeds:
        days = streamed(seed, 2 if context.quick else TOPICS)
        for name, cells in SIZES[:1] if context.quick else SIZES:
            sleeper = Life(seed, cells, sleeps=True).live(days)
            lives = {
                ASLEEP: sleeper,
                AWAKE: Life(seed, cells).live(days),
                REHEARSED: Life(seed, cells, rehearsals=sleeper.replays).live(days),
            }
            if cells == SMALL:
                lives[LEAN] = Life(seed, cells, lean=True).live(days)
            for how, life in lives.items():
                found.setdefault(f"{name} network, {how}", []).append(
                    examined(life, days, seed, scorer)
                )
    for row, results in found.items():
        findings.add(row, **{name: [one[name] for one in results] for name in results[0]})
    both = list(zip(found[OURS], found[CONTROL], strict=True))
    shown = (BLEU, CHRF, EXACT, SHORT)
    findings.add(ABOVE, **{m.name: [a[m.name] - b[m.name] for a, b in both] for m in shown})
    findings.notes += scorer.signatures()
    return findings


@dataclass(frozen=True)
class Day:
    """What is taught and what is overheard; ``corrected`` if a person corrects one lesson."""

    lessons: tuple[Pair, ...]
    overheard: tuple[Pair, ...]
    corrected: bool


def streamed(seed: int, count: int) -> list[Day]:
    """Return days of 100 turns, topic after topic."""
    topics = load_dialogue()
    known: set[str] = set()
    told: list[Pair] = []
    for name, _ in drawn([(name, "") for name in topics], seed):
        new = dict(reversed(pairs(fit(topics[name]))))
        told += drawn([pair for pair in new.items() if pair[0] not in known], seed)
        known |= set(new)
    days = []
    for day in range(count):
        turns = told[TURNS * day : TURNS * (day + 1)]
        lessons = [turn for place, turn in enumerate(turns, 1) if place % OVERHEARD]
        corrected = (day + seed) % 2 == 0
        days.append(Day(tuple(lessons), tuple(turns[OVERHEARD - 1 :: OVERHEARD]), corrected))
    return days


@dataclass
class Life:
    """A learner, and how it spends the time between the turns.

    Attributes
    ----------
    seed, cells : int
        Of the learner.
    sleeps : bool
        Whether it sleeps, and tags.
    rehearsals : tuple of int
        After which turn it hears again lessons of the day, as ``(turn, how many)``.
    lean : bool
        Whether it grows few synapses from the beginning.
    """

    seed: int
    cells: int
    sleeps: bool = False
    rehearsals: tuple[tuple[int, int], ...] = ()
    lean: bool = False
    replays: tuple[tuple[int, int], ...] = ()
    asleep_s: float = 0.0
    learner: ConversationalLearner = field(init=False)

    def __post_init__(self) -> None:
        self.learner = ConversationalLearner(
            PlasticLearnerConfig(
                n_neurons=self.cells,
                seed=self.seed,
                max_reply_tokens=LEARNT_BY_HEART,
                use_tagging=self.sleeps,
                use_sleep_replay=self.sleeps,
            )
        )
        if self.lean:
            thin = {"cue_synapses": LEAN_CUE, "step_synapses": LEAN_STEP}
            episodes = self.learner.mind.episodes
            episodes.network = PlasticSNN(**{**episodes.network.config(), **thin})

    def live(self, days: Sequence[Day]) -> Life:
        """Live through the days."""
        again, turn = dict(self.rehearsals), 0
        for day in days:
            heard: list[Pair] = []
            lessons, overheard = iter(day.lessons), iter(day.overheard)
            for place in range(1, TURNS + 1):
                if place % OVERHEARD:
                    self._lesson(pair := next(lessons), day.corrected and place == TURNS // 2 + 1)
                    heard.append(pair)
                else:
                    self.learner.live(Overheard(*next(overheard)))
                turn += 1
                if self.sleeps and (place == TURNS or self.learner.mind.sleep_is_due):
                    self._sleep(turn)
                for rehearsal in range(again.get(turn, 0)):
                    self._rehearse(heard[rehearsal % len(heard)])
        return self

    def _lesson(self, pair: Pair, corrected: bool) -> None:
        answer = self.learner.predict(pair[0]) if corrected else None
        teacher = YOU if corrected else "corpus"
        self.learner.live(Taught(pair[0], answer, pair[1], None, teacher, not corrected))

    def _rehearse(self, pair: Pair) -> None:
        self.learner.live(Taught(pair[0], None, pair[1], None, "corpus", True))

    def _sleep(self, turn: int) -> None:
        start = time.process_time()
        replayed = self.learner.doze().replayed
        self.asleep_s += time.process_time() - start
        self.replays += ((turn, replayed),)


def examined(life: Life, days: Sequence[Day], seed: int, scorer: Scorer) -> dict[str, float]:
    """Ask everything."""
    answer: Callable[[str], str] = life.learner.predict

    def right(asked: Sequence[Pair]) -> float:
        return exact([answer(question) for question, _ in asked], [reply for _, reply in asked])

    lessons = [pair for day in days for pair in day.lessons]
    said, wanted = [answer(question) for question, _ in lessons], [reply for _, reply in lessons]
    stats = life.learner.mind.network.stats()
    replays = sum(count for _, count in life.replays or life.rehearsals)
    found = {
        BLEU.name: scorer.bleu(said, wanted),
        CHRF.name: scorer.chrf(said, wanted),
        EXACT.name: exact(said, wanted),
        SHORT.name: right(without_a_word(lessons[::2], seed, 2)),
        KEPT.name: stats["episodes"],
        SYNAPSES.name: stats["synapses"] / 1e3,
        REPLAYED.name: replays,
    }
    for metric, marked in ((MARKED, True), (IDLE, False)):
        heard = [pair for day in days if day.corrected == marked for pair in day.overheard]
        found[metric.name] = right(heard)
    if life.replays:
        found[NIGHT.name] = 1e3 * life.asleep_s / max(replays, 1)
    return found
