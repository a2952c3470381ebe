r"""What hearing, overhearing and being taught change in a mind.

Hearing makes the prompt familiar, grows words, and tires. Teaching is where dopamine counts: with
the reward :math:`r` of the learner's own reply (how close it came to the teacher's, or what a
person said of it), the value :math:`V` that the prompt had, attention :math:`u` and novelty
:math:`\nu`,

.. math:: \delta = r - V, \qquad \Delta_{own} = \delta, \qquad
   \Delta_{taught} = (1 - V)^{1/(g_{ACh}(u)\,g_{NE}(\nu))}

the reply that was given grows stronger or weaker by the error, and the reply that was taught grows
by as much as is left to be expected: a teacher is trusted less where the learner's own answers have
proved good, and more where they are uncertain or the prompt is new. The gain of attention and
novelty is a power, so that a trust that is whole stays whole and none stays none. A judgement
counts before the lesson that comes with it: :math:`V` is the value after it. Where nobody judged
the reply and the reward is only how close it came to the teacher's, :math:`V` is the value before,
and the same trust weighs the error: :math:`\Delta_{own} = (1 - V)\,\delta`, lest one slip of a
teacher undo what was praised. What grows does so at the expense of what else would answer the
prompt (heterosynaptic depression). A person who says what it should have said is trusted whole.

References
----------
Schultz, W., Dayan, P. & Montague, P. R. (1997). A neural substrate of prediction and reward.
Science 275.
Royer, S. & Paré, D. (2003). Conservation of total synaptic weight through balanced synaptic
depression and potentiation. Nature 422.
"""

from __future__ import annotations

from .closeness import chrf
from .events import Exchange, Overheard, Taught
from .ledger import key_of
from .mind import Mind, line_key

__all__ = ["YOU", "hear", "overhear", "teach"]

YOU = "you"
"""Name of the person as a teacher."""

WEAK = 0.3  # strength of a trace of what was only overheard
COMPETITION = 0.5  # share of the growth of one episode that its rivals lose
IMPORTANT = 0.5  # an error of prediction that makes protein


def hear(mind: Mind, event: Exchange) -> None:
    """Take in what was said, and live through a turn."""
    mind.lived.append(mind.signals(event.prompt))
    _take_in(mind, event.prompt)
    mind.adenosine.work(len(mind.tokenizer.encode(event.prompt + event.reply)))
    mind.traces.pass_turn()
    mind.turns += 1


def _take_in(mind: Mind, text: str) -> None:
    mind.awake = True
    mind.episodes.encoder.observe(text)
    mind.tokenizer.hear(text)
    heard = mind.listener.learn([text], fatigue=mind.adenosine.threshold_factor)
    mind.surprise = float(heard["nats"])


def overhear(mind: Mind, number: int, event: Overheard) -> None:
    """Leave a weak trace of what somebody answered, unless it is known."""
    if mind.ledger.find(key_of(event.prompt), line_key(event.text)) is not None:
        return
    episode = mind.form(number, event.prompt, event.text, WEAK)
    lost = mind.traces.leave(episode)
    if lost is not None:
        mind.unlearn(lost)


def teach(mind: Mind, number: int, event: Taught) -> float:
    """Learn from a teacher, and return the error of the prediction; 0 without an own reply."""
    mind.awake = True
    if event.reply is None:  # it was not asked, so this is the first that it hears of it
        _take_in(mind, event.prompt)
        mind.turns += 1
    trust = _trust(mind, event.prompt)
    error = 0.0 if event.reply is None else _judge(mind, number, event, trust)
    if event.reward is not None:  # a judgement counts before the lesson that comes with it
        trust = _trust(mind, event.prompt)
    if event.text is not None:
        mind.tokenizer.hear(event.text)
        mind.adenosine.work(len(mind.tokenizer.encode(event.text)))
        strength = 1.0 if _is_person(event) else _strength(mind, event.prompt, trust)
        _encode(mind, number, event.prompt, event.text, strength)
    if abs(error) >= IMPORTANT or _is_person(event):
        mind.traces.important()
    return error


def _judge(mind: Mind, number: int, event: Taught, trust: float) -> float:
    """Let the reply that was given grow stronger or weaker by how it went."""
    assert event.reply is not None
    cue = key_of(event.prompt)
    reward = chrf(event.reply, event.text or "") if event.reward is None else event.reward
    error = mind.dopamine.outcome(str(cue), reward)
    mind.acetylcholine.observe(1.0 - reward, cue)
    if mind.lived:
        mind.lived[-1] = mind.lived[-1]._replace(dopamine=error)
    weight = 1.0 if event.reward is not None or _is_person(event) else trust
    change = min(max(error * weight, -1.0), 1.0)
    own = mind.ledger.find(cue, line_key(event.reply))
    if own is not None:
        mind.network.reinforce(own, change)
    elif event.text is None and change > 0:  # it guessed, and the guess was good
        _encode(mind, number, event.prompt, event.reply, change)
    return error


def _is_person(event: Taught) -> bool:
    return event.teacher == YOU and not event.lesson


def _trust(mind: Mind, prompt: str) -> float:
    """Return how much is left to be expected after a prompt, in [0, 1]."""
    return max(1.0 - mind.dopamine.value(str(key_of(prompt))), 0.0)


def _strength(mind: Mind, prompt: str, trust: float) -> float:
    """Return how strongly to encode what a teacher says, in [0, 1]."""
    encoder = mind.episodes.encoder
    gain = encoder.norepinephrine.gain(encoder.novelty(prompt))
    gain *= mind.acetylcholine.encoding_gain(key_of(prompt))
    return float(trust ** (1.0 / gain))


def _encode(mind: Mind, number: int, prompt: str, text: str, strength: float) -> None:
    """Let one episode grow, and its rivals shrink."""
    if strength == 0:
        return
    cue = key_of(prompt)
    episode = mind.ledger.find(cue, line_key(text))
    for rival in mind.ledger.of_cue(cue):
        if rival != episode:
            mind.network.reinforce(rival, -COMPETITION * strength)
    if episode is None:
        episode = mind.form(number, prompt, text, strength)
    else:
        mind.network.reinforce(episode, strength)
        mind.network.strengthen(mind.episodes.encoder.encode(prompt), episode)
        mind.traces.drop(episode)  # what was only overheard is known now
    mind.tag(episode)
