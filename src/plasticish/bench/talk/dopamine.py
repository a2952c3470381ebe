"""Questions to a teacher who errs, good and bad said to the answers: what a prediction is worth."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from plasticish.conversation import ConversationalLearner, PlasticLearnerConfig
from plasticish.conversation.events import Exchange, Taught
from plasticish.modulation import Dopamine

from ..scenario import Context, Findings, Goal, Metric, scenario
from ._common import Pair, chatterbot_pairs, exact

QUESTIONS, ENOUGH = 60, 0.9
LONGEST = 60
CAP, EVERY = 600, 10
SLIPS, MISBELIEF, MISLED, FALSE = 0.275, 0.7, 0.275, 0.1

DOPAMINE = "dopamine"
WHOLE = "no prediction error"
CONSTANT = "no prediction error, trust 0.3"

INTERACTIONS = Metric("interactions", "", 0, higher_is_better=False, tolerance=0.1, relative=True)
FEWER = Metric("fewer with dopamine")
REACHED = Metric("learned")
ONCE = Metric("told once")
CORRECTED = Metric("told otherwise once")


@dataclass(frozen=True)
class Tutor:
    """Who says what the answers are, errs, and says good or bad.

    Attributes
    ----------
    answers, wrong : mapping of str to str
        The right answer to every question, and the wrong one that is always the same.
    errs : mapping of str to float
        How often the wrong one is said.
    lies : float
        How often good is said to be bad, and bad good.
    same : bool
        Whether the error is always the same; else any other answer.
    chance : random.Random
        Of all this.
    """

    answers: Mapping[str, str]
    wrong: Mapping[str, str]
    errs: Mapping[str, float]
    lies: float
    same: bool
    chance: random.Random = field(repr=False)

    def tell(self, question: str) -> str:
        """Say what the answer is."""
        if self.chance.random() >= self.errs[question]:
            return self.answers[question]
        if self.same:
            return self.wrong[question]
        return self.chance.choice([a for q, a in self.answers.items() if q != question])

    def judge(self, question: str, said: str) -> float:
        """Say whether an answer was good, 1, or bad, 0."""
        good = said == self.answers[question]
        return float(good != (self.chance.random() < self.lies))


CONDITIONS: Mapping[str, Mapping[str, Any]] = {
    "slips": {},
    "slips, 10 % of the feedback wrong": {"lies": FALSE},
    "misbeliefs": {"misled": True},
    "misbeliefs, 10 % of the feedback wrong": {"misled": True, "lies": FALSE},
    "another error every time": {"same": False},
}


class SignedReward(Dopamine):
    """What is good is strengthened and what is bad weakened, whatever was expected.

    Parameters
    ----------
    rate : float
        Share by which what was said is moved: rate (2 r - 1).
    trust : float
        Share by which what is taught grows, in (0, 1].
    """

    def __init__(self, rate: float = 1.0, trust: float = 1.0) -> None:
        super().__init__()
        self.rate, self.trust = rate, trust

    def value(self, cue: str | None) -> float:
        """Return what leaves this trust."""
        return 1.0 - self.trust

    def outcome(self, cue: str, reward: float) -> float:
        """Return the signed reward; nothing is predicted."""
        return self.rate * (2.0 * reward - 1.0)


RIVALS: Mapping[str, Mapping[str, float]] = {
    WHOLE: {"rate": 1.0, "trust": 1.0},
    CONSTANT: {"rate": 1.0, "trust": 0.3},
}


@scenario(
    "talk/dopamine",
    title="a teacher who errs",
    question="How many interactions does it take to learn 60 answers from a teacher who errs?",
    protocol="""60 questions of the English chatterbot-corpus with answers of at most 60 characters,
    drawn by the seed, asked over and over, each once a round, in an ever new order. At every
    interaction the learner answers, is told good or bad, and what the answer should have been.
    Slips: what it is told is wrong in 27.5 % of cases, for one question always in the same way.
    Misbeliefs: on 27.5 % of the questions it is wrong in the same way 7 times of 10, on the others
    right. 10 % of the feedback wrong: at random, good is said for bad and bad for good. Another
    error every time: as slips, but any other answer. Counted are the interactions until 90 % of the
    questions are answered exactly, looked at every 10; a run that does not come to it within 600
    counts as 600. No prediction error: the same learner, whose own answer is moved by 2 r - 1 in
    place of the error, and for which, as nothing is predicted, what is taught always counts whole.
    Trust 0.3: the same, but what is taught counts by 0.3, the best for these teachers of trusts
    from 0.15 to 1, with rates of the own answer from 0.3 to 1, on seeds 100 to 104. Fewer: one less
    dopamine's interactions over theirs, the mean of the seeds. Told once: the 60 answers told once
    without an error, nothing said to its own, asked again. Told otherwise once: then another answer
    told once, and asked again; what is exactly the newer one is counted.""",
    data="chatterbot-corpus, English",
    metrics=[INTERACTIONS, FEWER, REACHED, ONCE, CORRECTED],
    goals=[
        Goal(f"{name}: {WHOLE}", FEWER.name, ">=", 30.0)
        for name in ("slips", "slips, 10 % of the feedback wrong", "misbeliefs")
    ]
    + [Goal(f"misbeliefs: {CONSTANT}", FEWER.name, ">=", 30.0)],
    baselines=[f"{name}: {rival}" for name in CONDITIONS for rival in RIVALS],
)
def dopamine(context: Context) -> Findings:
    """Learn from every teacher, with dopamine and without."""
    told = [pair for pair in chatterbot_pairs() if len(pair[1]) <= LONGEST]
    findings = Findings()
    names = list(CONDITIONS)[:1] if context.quick else list(CONDITIONS)
    for name in names:
        ours: list[dict[str, float]] = []
        for learner, rates in ((DOPAMINE, None), *RIVALS.items()):
            cap = CAP // 6 if context.quick else CAP
            found = [taught(told, seed, rates, cap, **CONDITIONS[name]) for seed in context.seeds]
            ours = ours or found
            if rates is not None:
                for mine, theirs in zip(ours, found, strict=True):
                    fewer = 1.0 - mine[INTERACTIONS.name] / theirs[INTERACTIONS.name]
                    theirs[FEWER.name] = 100.0 * fewer
            findings.add(f"{name}: {learner}", **{k: [one[k] for one in found] for k in found[0]})
    for learner, rates in ((DOPAMINE, None), *RIVALS.items()):
        lessons = [told_once(told, seed, rates) for seed in context.seeds]
        findings.add(
            f"no errors: {learner}", **{k: [one[k] for one in lessons] for k in lessons[0]}
        )
    return findings


def taught(
    told: Sequence[Pair],
    seed: int,
    rates: Mapping[str, float] | None,
    cap: int,
    *,
    lies: float = 0.0,
    misled: bool = False,
    same: bool = True,
) -> dict[str, float]:
    """Ask and teach until enough is known."""
    chance = random.Random(seed)
    asked = chance.sample(list(told), QUESTIONS)
    wrong = {question: other_answer(told, answer, chance) for question, answer in asked}
    errs = {q: SLIPS for q, _ in asked}
    if misled:
        errs = {q: MISBELIEF * (place < MISLED * QUESTIONS) for place, (q, _) in enumerate(asked)}
    tutor = Tutor(dict(asked), wrong, errs, lies, same, chance)
    learner, interactions = newborn(seed, rates), 0
    while interactions < cap:
        for question, _ in chance.sample(asked, QUESTIONS):
            interact(learner, question, tutor)
            interactions += 1
            if interactions % EVERY == 0 and knows(learner, asked):
                return {INTERACTIONS.name: interactions, REACHED.name: 100.0}
    return {INTERACTIONS.name: interactions, REACHED.name: 0.0}


def other_answer(told: Sequence[Pair], answer: str, chance: random.Random) -> str:
    """Return any other answer."""
    return chance.choice([other for _, other in told if other != answer])


def newborn(seed: int, rates: Mapping[str, float] | None) -> ConversationalLearner:
    """Return a learner with dopamine, or with what stands in for it."""
    learner = ConversationalLearner(PlasticLearnerConfig(seed=seed))
    if rates is not None:
        learner.mind.dopamine = SignedReward(**rates)
    return learner


def interact(learner: ConversationalLearner, question: str, tutor: Tutor) -> None:
    """Ask, judge, tell, and let it sleep when it is tired."""
    said = learner.predict(question)
    reward, text = tutor.judge(question, said), tutor.tell(question)
    learner.live(Exchange(question, said), Taught(question, said, text, reward, "tutor", True))
    if learner.mind.sleep_is_due:
        learner.sleep()


def knows(learner: ConversationalLearner, asked: Sequence[Pair]) -> bool:
    """Return whether enough questions are answered exactly; stop asking when that is settled."""
    missed = 0
    for question, answer in asked:
        missed += learner.predict(question) != answer
        if missed > (1.0 - ENOUGH) * len(asked) + 1e-9:
            return False
    return True


def told_once(
    told: Sequence[Pair], seed: int, rates: Mapping[str, float] | None
) -> dict[str, float]:
    """Tell every answer once, ask, tell another one once, and ask again."""
    chance = random.Random(seed)
    asked = chance.sample(list(told), QUESTIONS)
    other = [(question, other_answer(told, answer, chance)) for question, answer in asked]
    learner, shares = newborn(seed, rates), []
    for lessons in (asked, other):
        for question, answer in lessons:
            said = learner.predict(question)
            learner.live(
                Exchange(question, said), Taught(question, said, answer, None, "tutor", True)
            )
        shares.append(exact([learner.predict(q) for q, _ in lessons], [a for _, a in lessons]))
    return {ONCE.name: shares[0], CORRECTED.name: shares[1]}
