"""A fresh process in which one learner lives long, and says what a turn takes and what memory.

Run as ``python -m plasticish.bench.talk._life YOUNG OLD ASKED SEED``; it prints one line of JSON. A
process of its own, because what another scenario allocated before would count here.
"""

from __future__ import annotations

import gc
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from plasticish.conversation import (
    ConversationalLearner,
    Lesson,
    PlasticLearnerConfig,
    TeacherReply,
)
from plasticish.conversation.conversation import Conversation

from ..resident import resident_bytes
from ._common import chitchat_pairs, drawn

__all__ = ["LONGEST", "live", "main", "timed_turn"]

LONGEST = 60
WARM = 20  # turns after which everything is compiled and in its place


def live(young: int, old: int, asked: int, seed: int, *, alone: bool) -> dict[str, Any]:
    """Let a learner live, in a process of its own if it is to be ``alone``; see :func:`life`."""
    if not alone:
        with tempfile.TemporaryDirectory() as folder:
            return life(young, old, asked, seed, Path(folder))
    command = [sys.executable, "-m", __spec__.name, *map(str, (young, old, asked, seed))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def life(young: int, old: int, asked: int, seed: int, folder: Path) -> dict[str, Any]:
    """Live ``old`` turns, remember what it was after ``young``, and let both live on in turns.

    Every turn is one of small talk: something is said to the learner, it answers, and hears what it
    should have answered. It sleeps when it is tired.

    Returns
    -------
    mapping
        ``resident``: bytes when it was young and when it was old, right after a checkpoint.
        ``young`` and ``old``: of each of the last ``asked`` turns, which both lived with the same
        prompts and in turns, what :func:`timed_turn` measured; ``known``: the same for the old one
        and prompts that it had before.
    """
    lessons = [Lesson(*pair) for pair in drawn(chitchat_pairs(LONGEST), seed, old + asked)]
    config, resident = PlasticLearnerConfig(seed=seed), []
    home, then = folder / "memory", folder / "young"
    with ConversationalLearner(config).start_conversation(memory=home) as conversation:
        for turn, lesson in enumerate(lessons[:old], 1):
            timed_turn(conversation, lesson)
            if turn in (young, old):
                conversation.save()
                gc.collect()
                resident.append(resident_bytes()[0])
            if turn == young:
                shutil.copytree(home, then)
        with ConversationalLearner(config).start_conversation(memory=then) as before:
            for lesson in lessons[:WARM]:
                timed_turn(before, lesson)
            both = [
                (timed_turn(before, lesson), timed_turn(conversation, lesson))
                for lesson in lessons[old:]
            ]
        known = [timed_turn(conversation, lesson) for lesson in lessons[old - asked : old]]
    return {
        "resident": resident,
        "young": [one for one, _ in both],
        "old": [one for _, one in both],
        "known": known,
    }


def timed_turn(conversation: Conversation, lesson: Lesson) -> dict[str, float]:
    """Live one turn, and return what it took, in ms.

    Returns
    -------
    mapping
        From Enter to the first piece of the answer (``first``), to the last (``whole``), and CPU
        time until then (``whole_cpu``); the turn with its lesson (``turn``, ``turn_cpu``); and how
        many pieces the answer had (``pieces``).
    """
    shown: list[float] = []
    wall, cpu = time.perf_counter(), time.process_time()
    conversation.answer(
        lesson.prompt, on_piece=lambda _: shown.append(time.perf_counter()), overhear=False
    )
    answered = time.process_time()
    conversation.be_taught(TeacherReply(teacher="corpus", text=lesson.reply))
    return {
        "first": 1e3 * (shown[0] - wall),
        "whole": 1e3 * (shown[-1] - wall),
        "whole_cpu": 1e3 * (answered - cpu),
        "turn": 1e3 * (time.perf_counter() - wall),
        "turn_cpu": 1e3 * (time.process_time() - cpu),
        "pieces": float(len(shown)),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Live, and print what was measured."""
    young, old, asked, seed = map(int, sys.argv[1:] if arguments is None else arguments)
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(life(young, old, asked, seed, Path(folder))))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
