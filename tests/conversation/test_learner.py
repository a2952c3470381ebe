"""What the learner learns from whom, what it forgets, and that all of it follows from the log."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

from plasticish.conversation import (
    ConversationalLearner,
    PlasticLearnerConfig,
    ScriptedTeacher,
    TeacherReply,
    TeacherUnavailable,
)
from plasticish.conversation.event_log import EventLog
from plasticish.conversation.events import Exchange, Overheard, Taught
from plasticish.conversation.memory_folder import CHECKPOINT, LOG
from plasticish.conversation.teaching import teach
from plasticish.core import CheckpointError, ConfigError, DataError, DTypeError, NotReadyError

PAIRS = [
    ("What is your name?", "I am new here."),
    ("How are you?", "Fine, and you?"),
    ("Where do you live?", "In a small box on your desk."),
    ("Can you sing?", "No, but I can hum."),
]


def small(**other: Any) -> PlasticLearnerConfig:
    return PlasticLearnerConfig.from_dict({"n_neurons": 1024, "initial_connectivity": 0.5, **other})


def fresh(**other: Any) -> ConversationalLearner:
    return ConversationalLearner(small(**other))


def bits(learner: ConversationalLearner) -> tuple[str, dict[str, torch.Tensor]]:
    state = learner.export_state()
    tensors = {name: tensor.clone() for name, tensor in state.tensors.items()}
    return json.dumps(state.values, sort_keys=True), tensors


def same(one: ConversationalLearner, other: ConversationalLearner) -> bool:
    (values, tensors), (others, theirs) = bits(one), bits(other)
    return (
        values == others
        and tensors.keys() == theirs.keys()
        and all(torch.equal(tensors[name], theirs[name]) for name in tensors)
    )


# --------------------------------------------------------------------------- learning


def test_one_hearing_is_enough_and_the_wording_may_vary() -> None:
    learner = fresh()
    learner.learn(PAIRS)
    assert [learner.predict(prompt) for prompt, _ in PAIRS] == [reply for _, reply in PAIRS]
    assert learner.predict("what is your name") == "I am new here."
    assert learner.predict("tell me, where do you live") == "In a small box on your desk."


def test_who_knows_nothing_imitates() -> None:
    learner = fresh()
    assert learner.predict("hi") == "hi"
    assert learner.predict("oh mama 😀") in ("oh", "mama", "😀")


def test_a_lesson_takes_the_place_of_an_older_one() -> None:
    learner = fresh()
    learner.learn([("hi", "go away")])
    learner.learn([("hi", "hello")])
    assert learner.predict("hi") == "hello"


def test_answering_changes_nothing_and_learning_leaves_its_input_alone() -> None:
    learner = fresh()
    pairs = [list(pair) for pair in PAIRS]
    learner.learn(pairs)
    assert pairs == [list(pair) for pair in PAIRS]
    before = bits(learner)
    learner.predict("What is your name?")
    learner.stats()
    assert bits(learner)[0] == before[0]
    assert all(torch.equal(before[1][name], tensor) for name, tensor in bits(learner)[1].items())


@pytest.mark.parametrize(
    ("batch", "error", "text"),
    [
        ([], DataError, "no lesson"),
        (None, DTypeError, "no batch"),
        ("hi", DTypeError, "no batch"),
        ([("hi", "hello"), ("hi",)], DTypeError, "lesson 1 is no pair"),
        ([("hi", "hello"), "hi"], DTypeError, "lesson 1 is no pair"),
        ([("hi", "hello"), ("hi", " ")], DataError, "reply of lesson 1 is blank"),
        ([("hi", "hello"), ("\x07", "a")], DataError, "prompt of lesson 1 holds a control"),
        ([("hi", "hello"), ("a" * 5000, "a")], DataError, "prompt of lesson 1 is too long"),
        ([("hi", 7)], DTypeError, "reply of lesson 0 is no text"),
    ],
)
def test_bad_batches_are_refused_whole(batch: Any, error: type[Exception], text: str) -> None:
    learner = fresh()
    before = bits(learner)
    with pytest.raises(error, match=text):
        learner.learn(batch)
    assert bits(learner)[0] == before[0]
    assert learner.stats()["episodes"] == 0


def test_a_saved_learner_goes_on_bit_for_bit(tmp_path: Path) -> None:
    learner = fresh()
    learner.learn(PAIRS[:2])
    learner.sleep()
    learner.learn(PAIRS[2:3])
    loaded = ConversationalLearner.load(learner.save(tmp_path / "it"))
    assert same(loaded, learner)
    for one in (loaded, learner):
        one.learn(PAIRS[3:])
        one.sleep()
    assert same(loaded, learner)
    assert loaded.stats() == learner.stats()


def test_another_seed_is_another_brain() -> None:
    one, other = fresh(seed=1), fresh(seed=2)
    for learner in (one, other):
        learner.learn(PAIRS)
    assert not same(one, other)
    assert one.predict(PAIRS[0][0]) == other.predict(PAIRS[0][0])


# --------------------------------------------------------------------------- talking


def test_a_turn_is_on_the_disk_before_it_is_shown(tmp_path: Path) -> None:
    learner = fresh()
    shown: list[str] = []

    def look(piece: str) -> None:
        log = EventLog(tmp_path / "m" / LOG, writable=False)
        events = [one.event for one in log.after(0)]
        log.close()
        assert isinstance(events[-1], Exchange)
        assert events[-1].prompt == "can you sing"
        assert events[-1].reply == "No, but I can hum."
        shown.append(piece)

    learner.learn(PAIRS)
    with learner.start_conversation(memory=tmp_path / "m"):
        response = learner.process_input_and_respond("can you sing", look)
    assert "".join(shown) == response.reply == "No, but I can hum."
    assert len(shown) > 1  # it came in pieces


def test_a_turn_that_cannot_be_written_is_not_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = fresh()
    learner.learn(PAIRS)

    def full(*_: object) -> int:
        raise CheckpointError("the log could not be written", got="database or disk is full")

    with learner.start_conversation(memory=tmp_path / "m") as conversation:
        before = bits(learner)
        monkeypatch.setattr(conversation.folder.log, "append", full)
        with pytest.raises(CheckpointError, match="full"):
            conversation.respond("can you sing", on_piece=lambda piece: pytest.fail(piece))
        assert bits(learner)[0] == before[0]
        monkeypatch.undo()
        assert conversation.respond("can you sing").reply == "No, but I can hum."


def test_a_disk_that_is_full_while_it_saves_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = fresh(adenosine=_TIRED)
    with learner.start_conversation(memory=tmp_path / "m") as conversation:

        def full(*_: object) -> None:
            raise CheckpointError("checkpoint.json could not be written", got="No space left")

        monkeypatch.setattr(conversation.folder, "save", full)
        with pytest.warns(UserWarning, match="could not be written"):
            response = conversation.respond("one two three four five six seven eight")
        assert response.reply
        with pytest.raises(CheckpointError, match="No space left"):
            conversation.save()
        monkeypatch.undo()
    assert same(ConversationalLearner.load(tmp_path / "m"), learner)


def test_it_learns_from_its_teacher_and_from_you(tmp_path: Path) -> None:
    learner, teacher = fresh(), ScriptedTeacher([("hi", "Hello!"), ("bye", "See you.")])
    with learner.start_conversation(teacher, tmp_path / "m"):
        first = learner.process_input_and_respond("hi")
        assert (first.reply, first.taught) == (
            "hi",
            TeacherReply(teacher="scripted", text="Hello!"),
        )
        assert learner.process_input_and_respond("hi").reply == "Hello!"
        learner.provide_feedback(text="Good morning!")
        assert learner.process_input_and_respond("hi").reply == "Good morning!"


def test_dopamine_is_the_reward_less_what_was_promised(tmp_path: Path) -> None:
    learner = fresh(value_rate=0.5)
    learner.learn([("hi", "hello")])
    with learner.start_conversation(memory=tmp_path / "m"):
        errors = []
        for _ in range(3):
            learner.process_input_and_respond("hi")
            errors.append(learner.provide_feedback(1.0).signals.dopamine)
        assert errors == [1.0, 0.5, 0.25]
        learner.process_input_and_respond("hi")
        assert learner.provide_feedback(0.0).signals.dopamine == pytest.approx(-0.875)


def test_a_teacher_that_fails_is_reported_and_never_learned_from(tmp_path: Path) -> None:
    trouble = TeacherUnavailable("the model", "it cannot be reached", "start it")
    learner, twin = fresh(), fresh()
    with learner.start_conversation(ScriptedTeacher(lambda prompt: trouble), tmp_path / "a"):
        assert learner.process_input_and_respond("hi").taught == trouble
    with twin.start_conversation(None, tmp_path / "b"):
        twin.process_input_and_respond("hi")
    assert same(learner, twin)


@pytest.mark.parametrize("bad", ["\x1b[2J", "a" * 5000, "ring\x07"])
def test_what_a_teacher_may_not_say_is_reported_too(tmp_path: Path, bad: str) -> None:
    learner = fresh()
    with learner.start_conversation(ScriptedTeacher(lambda prompt: bad), tmp_path / "m"):
        taught = learner.process_input_and_respond("hi").taught
    assert isinstance(taught, TeacherUnavailable)
    assert learner.stats()["episodes"] == 0


@pytest.mark.parametrize("bad", ["", "  ", "\x00", "a" * 100_000, "\udc80"])
def test_bad_lines_change_nothing(tmp_path: Path, bad: str) -> None:
    learner = fresh()
    with learner.start_conversation(memory=tmp_path / "m") as conversation:
        learner.process_input_and_respond("hi")
        before, last = bits(learner), conversation.folder.log.last
        with pytest.raises(DataError):
            learner.process_input_and_respond(bad)
        assert bits(learner)[0] == before[0]
        assert conversation.folder.log.last == last


@pytest.mark.parametrize("line", ["😀", "😀😀 🎉", "你好吗？", "مرحبا", "नमस्ते", "__import__('os')"])
def test_any_script_is_learned_and_nothing_said_is_more_than_words(
    tmp_path: Path, line: str
) -> None:
    learner = fresh()
    with learner.start_conversation(memory=tmp_path / "m"):
        assert learner.process_input_and_respond(line).reply == line.split()[0]
        learner.provide_feedback(text=line[::-1].strip())
        assert learner.process_input_and_respond(line).reply == line[::-1].strip()


def test_without_a_conversation_there_is_nothing_to_say(tmp_path: Path) -> None:
    learner = fresh()
    with pytest.raises(NotReadyError, match="no conversation"):
        learner.process_input_and_respond("hi")
    with pytest.raises(NotReadyError, match="no conversation"):
        learner.save()
    with learner.start_conversation(memory=tmp_path / "m"):
        with pytest.raises(NotReadyError, match="nothing was answered"):
            learner.provide_feedback(1.0)
        with pytest.raises(ConfigError, match="open already"):
            learner.start_conversation(memory=tmp_path / "n")
        with pytest.raises(DataError, match="says nothing"):
            learner.provide_feedback()
    with learner.start_conversation(memory=tmp_path / "m"):
        pass


# --------------------------------------------------------------------------- the log is the truth


def live_through(learner: ConversationalLearner, folder: Path) -> None:
    """A day with everything in it."""
    with learner.start_conversation(ScriptedTeacher(PAIRS), folder) as conversation:
        for prompt, _ in [*PAIRS, *PAIRS]:
            conversation.respond(prompt)
        conversation.feedback(TeacherReply(teacher="you", reward=0.0))
        conversation.respond("what now?")
        conversation.feedback(TeacherReply(teacher="you", text="Now we rest.", reward=0.5))
        conversation.sleep()
        learner.learn([("are you tired?", "not any more")])
        conversation.respond("are you tired?")


def test_everything_follows_from_the_log(tmp_path: Path) -> None:
    learner = fresh()
    live_through(learner, tmp_path / "m")
    shutil.rmtree(tmp_path / "m" / CHECKPOINT)
    again = fresh()
    with again.start_conversation(memory=tmp_path / "m") as conversation:
        assert conversation.relearned == conversation.folder.log.last - 1  # all but the birth
    assert same(again, learner)


def test_what_a_checkpoint_lacks_is_learned_again_once(tmp_path: Path) -> None:
    learner = fresh()
    live_through(learner, tmp_path / "m")
    log = EventLog(tmp_path / "m" / LOG)
    events = [one.event for one in log.after(1)]
    log.close()
    # A process that dies after any event leaves this log and a checkpoint of an earlier one.
    for upto in range(0, len(events) + 1, 3):
        folder = tmp_path / f"killed-{upto}"
        twin = fresh()
        with twin.start_conversation(memory=folder):
            twin.live(*events[:upto])
        with twin.start_conversation(memory=folder) as conversation:
            assert conversation.relearned == 0
            conversation.folder.log.append(*events[upto:])  # and died before it acted on them
            conversation.folder.close()
        twin.hang_up()
        opened = fresh()
        with opened.start_conversation(memory=folder) as conversation:
            assert conversation.relearned == len(events) - upto
        assert same(opened, learner)
        with opened.start_conversation(memory=folder) as conversation:
            assert conversation.relearned == 0
        assert same(ConversationalLearner.load(folder), learner)


def test_a_folder_knows_how_its_learner_is_built(tmp_path: Path) -> None:
    with fresh().start_conversation(memory=tmp_path / "m"):
        pass
    with pytest.raises(ConfigError, match=r"built otherwise: got n_neurons=512, expected 1024"):
        fresh(n_neurons=512).start_conversation(memory=tmp_path / "m")
    lived = fresh()
    lived.learn(PAIRS)
    with pytest.raises(ConfigError, match="has lived already"):
        lived.start_conversation(memory=tmp_path / "m")
    with fresh(max_reply_tokens=5).start_conversation(memory=tmp_path / "m"):
        pass  # manners may be others the next time


def test_who_learned_before_takes_it_along(tmp_path: Path) -> None:
    learner = fresh()
    learner.learn(PAIRS)
    with learner.start_conversation(memory=tmp_path / "m"):
        assert learner.process_input_and_respond("Can you sing?").reply == "No, but I can hum."
    assert same(ConversationalLearner.load(tmp_path / "m"), learner)


# --------------------------------------------------------------------------- forgetting


def test_what_is_forgotten_is_nowhere_any_more(tmp_path: Path) -> None:
    learner = fresh()

    def pieces_of(word: str) -> list[str]:
        pieces = learner.mind.tokenizer.pieces.values()
        return [
            one.text for one in pieces if len(one.text.strip()) > 2 and one.text.strip() in word
        ]

    with learner.start_conversation(ScriptedTeacher(PAIRS), tmp_path / "m") as conversation:
        for prompt, _ in PAIRS:
            conversation.respond(prompt)
        for _ in range(40):
            conversation.respond("my sister is Quirinalia")
            conversation.feedback(TeacherReply(teacher="you", text="Quirinalia is a fine name"))
        assert pieces_of("Quirinalia")
        assert conversation.forget("quirinalia!") > 0
        assert conversation.forget("quirinalia") == 0
        assert learner.predict("Can you sing?") == "No, but I can hum."
        assert "Quirin" not in learner.predict("my sister is").replace("is", "")
        assert not pieces_of("Quirinalia")
        assert "uirin" not in json.dumps(learner.export_state().values)
    for path in (tmp_path / "m").rglob("*"):
        assert path.is_dir() or b"uirin" not in path.read_bytes()
    assert same(ConversationalLearner.load(tmp_path / "m"), learner)


def test_forgetting_survives_a_process_that_dies_in_the_middle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = fresh()

    def dying(*_: object) -> None:
        raise RuntimeError("killed")

    conversation = learner.start_conversation(memory=tmp_path / "m")
    conversation.respond("my pin is 4711")
    conversation.respond("hello")
    with monkeypatch.context() as patch:
        patch.setattr(conversation.folder.log, "erase", dying)
        with pytest.raises(RuntimeError):
            conversation.forget("4711")
    conversation.folder.close()
    learner.hang_up()
    opened = fresh()
    with opened.start_conversation(memory=tmp_path / "m") as again:
        assert again.forget("4711") == 0
    assert not any(b"4711" in p.read_bytes() for p in (tmp_path / "m").rglob("*") if p.is_file())
    assert [one.event for one in _events(tmp_path / "m") if isinstance(one.event, Exchange)]


def _events(folder: Path) -> list[Any]:
    log = EventLog(folder / LOG, writable=False)
    found = list(log.after(0))
    log.close()
    return found


# --------------------------------------------------------------------------- traces and sleep

_TIRED = {"tau_wake": 5.0}


def test_a_weak_trace_lasts_if_something_important_follows(tmp_path: Path) -> None:
    kept = {}
    for praised in (False, True):
        learner = fresh()
        with learner.start_conversation(memory=tmp_path / str(praised)) as conversation:
            said = conversation.respond("hello you").reply
            conversation.respond("lovely weather")  # what a person answers to that
            assert learner.predict(said) == "lovely weather"
            if praised:
                conversation.feedback(TeacherReply(teacher="you", reward=1.0))
            report = conversation.sleep()
            kept[praised] = learner.predict(said)
            assert (report.captured, report.lost) == ((1, 0) if praised else (0, 1))
    assert kept == {False: "hello", True: "lovely weather"}


def test_lessons_are_not_overheard(tmp_path: Path) -> None:
    from plasticish.conversation import Lesson

    learner = fresh()
    with learner.start_conversation(memory=tmp_path / "m") as conversation:
        for pair in PAIRS:
            conversation.take_lesson(Lesson(*pair), "school")
    events = [one.event for one in _events(tmp_path / "m")]
    assert not [event for event in events if isinstance(event, Overheard)]
    assert all(event.lesson for event in events if isinstance(event, Taught))


def test_it_sleeps_when_it_is_tired_and_wakes_rested(tmp_path: Path) -> None:
    learner = fresh(adenosine=_TIRED)
    with learner.start_conversation(ScriptedTeacher(PAIRS), tmp_path / "m"):
        responses = [learner.process_input_and_respond(prompt) for prompt, _ in PAIRS]
    slept = [response.sleep for response in responses if response.sleep is not None]
    assert slept
    assert slept[0].replayed >= 1
    assert learner.stats()["fatigue"] <= 0.1 + 1e-6
    assert [learner.predict(prompt) for prompt, _ in PAIRS] == [reply for _, reply in PAIRS]


def test_a_second_sleep_changes_nothing() -> None:
    learner = fresh()
    learner.sleep()  # nor does one before anything was learned
    learner.learn(PAIRS)
    learner.sleep()
    before = bits(learner)
    assert learner.sleep()["replayed"] == 0
    assert bits(learner)[0] == before[0]


@pytest.mark.parametrize(
    "switch",
    [
        "use_dopamine",
        "use_acetylcholine",
        "use_norepinephrine",
        "use_adenosine",
        "use_tagging",
        "use_sleep_replay",
        "use_structural_plasticity",
    ],
)
def test_each_mechanism_can_be_switched_off(tmp_path: Path, switch: str) -> None:
    learner = fresh(**{switch: False, "adenosine": _TIRED})
    with learner.start_conversation(ScriptedTeacher(PAIRS), tmp_path / "m") as conversation:
        responses = [conversation.respond(prompt) for prompt, _ in [*PAIRS, *PAIRS]]
        conversation.respond("so?")
        report = conversation.sleep()
    assert [response.reply for response in responses[4:]] == [reply for _, reply in PAIRS]
    off = {
        "use_acetylcholine": all(response.signals.attention == 0 for response in responses),
        "use_norepinephrine": all(response.signals.novelty == 0 for response in responses),
        "use_adenosine": all(
            response.signals.fatigue == 0 and response.sleep is None for response in responses
        ),
        "use_dopamine": learner.mind.dopamine.values == {},
        "use_tagging": report.captured == 0,
        "use_sleep_replay": report.replayed == 0,
        "use_structural_plasticity": report.pruned == 0,
    }
    assert off[switch]


def test_it_says_why(tmp_path: Path) -> None:
    learner = fresh()
    with learner.start_conversation(ScriptedTeacher(PAIRS), tmp_path / "m") as conversation:
        with pytest.raises(NotReadyError, match="nothing was answered"):
            conversation.why()
        conversation.respond("hm")
        assert conversation.why() == ()
        for prompt, _ in PAIRS:
            conversation.respond(prompt)
        conversation.respond("tell me your name")
        first = conversation.why()[0]
        assert (first.spoke, first.line, first.heard) == (True, "I am new here.", PAIRS[0][0])
        assert first.by == "scripted"
        assert first.shared == ("your", "name")
        cells = len(learner.mind.episodes.encoder.encode("tell me your name").cells)
        assert 0 < first.synapses <= cells
        assert "spoke: “I am new here.”" in first.sentence()
        conversation.forget("what is your name")
        with pytest.raises(NotReadyError):
            conversation.why()


def test_the_constants_of_the_neuromodulators_are_those_of_the_config() -> None:
    learner = fresh(
        norepinephrine={"depression": 1.0, "gain": 3.0},
        acetylcholine={"prior": 0.9},
        adenosine={"upper": 0.8},
        tagging={"theta_tag": 0.1},
        value_rate=0.25,
    )
    mind = learner.mind
    learner.learn(PAIRS)
    assert mind.signals("What is your name?").novelty == 0.0  # met once, and wholly familiar
    assert mind.episodes.encoder.norepinephrine.gain(1.0) == 4.0
    assert mind.signals("never heard").attention == 0.9
    assert mind.adenosine.parameters.upper == 0.8
    assert mind.traces.tag_turns > fresh().mind.traces.tag_turns
    assert mind.dopamine.learning_rate == 0.25


def test_a_teacher_is_trusted_less_where_its_own_answers_have_proved_good(tmp_path: Path) -> None:
    said = {}
    for praised in (False, True):
        learner = fresh(value_rate=0.5)
        with learner.start_conversation(memory=tmp_path / str(praised)) as conversation:
            for _ in range(8):
                reply = conversation.answer("How are you?").reply
                conversation.be_taught(TeacherReply(teacher="school", text="Fine."))
                if praised and reply == "Fine.":
                    conversation.feedback(TeacherReply(teacher="you", reward=1.0))
            conversation.answer("How are you?")
            if not praised:  # what it said was not good, whoever taught it
                for _ in range(8):
                    conversation.feedback(TeacherReply(teacher="you", reward=0.0))
            conversation.be_taught(TeacherReply(teacher="school", text="Awful!"))
            said[praised] = conversation.respond("How are you?").reply
    assert said == {True: "Fine.", False: "Awful!"}


def test_nothing_warns_on_the_way(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        live_through(fresh(), tmp_path / "m")


def test_the_memory_is_taken_at_birth_and_what_every_turn_leaves_is_bounded():
    mind = ConversationalLearner(PlasticLearnerConfig(n_neurons=1024)).mind
    born = mind.network.stats()["megabytes"]
    for turn in range(60):
        teach(mind, turn, Taught(f"What is {turn}?", None, f"It is {turn}.", None, "tutor", True))
    assert mind.network.stats()["megabytes"] == born
    assert len(mind.ledger) == 60
    assert mind.lived.maxlen is not None
    for number in range(mind.dopamine.capacity + 10):
        mind.dopamine.outcome(f"cue {number}", 1.0)
        mind.acetylcholine.observe(1.0, f"cue {number}")
    assert len(mind.dopamine.values) == mind.dopamine.capacity <= 4096
    levels = mind.acetylcholine.export_state().tensors["levels"]
    assert len(levels) == mind.acetylcholine.parameters.capacity + 1 <= 4097
