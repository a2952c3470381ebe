"""A learner that knows no word is raised on bundled dialogues, sleeps, and is talked with.

python examples/raise_a_talker.py                             # about half a minute
python examples/raise_a_talker.py --lessons 200 --memory my_talker
python examples/raise_a_talker.py --teacher http://localhost:1234/v1   # a model on your machine
"""

from __future__ import annotations

import argparse
from pathlib import Path

from plasticish import ConversationalLearner, PlasticLearnerConfig
from plasticish.conversation import CorpusTeacher, Lesson, Teacher, chrf, open_teacher


def raise_learner(learner: ConversationalLearner, teacher: Teacher, lessons: int) -> list[Lesson]:
    """Give lessons in the folder of the learner, and return them."""
    given: list[Lesson] = []
    closeness: list[float] = []  # of its answers to what it should have said, chrF
    with learner.start_conversation() as talk:
        if isinstance(teacher, CorpusTeacher):
            teacher.given = learner.get_learning_stats()["turns"]  # in an earlier run
        for number in range(1, lessons + 1):
            lesson = teacher.lesson(history=talk.history, stage=talk.stage)
            if not isinstance(lesson, Lesson):
                raise SystemExit(f"the teacher gave no lesson: {lesson}")
            response = talk.take_lesson(lesson, teacher.name)
            given.append(lesson)
            closeness.append(chrf(response.reply, lesson.reply))
            if response.sleep is not None:
                print(f"  slept after {number} lessons: {response.sleep.replayed} replayed")
            if number % 200 == 0:
                last = closeness[-200:]
                print(f"  {number} lessons; the last 200 answered to {sum(last) / len(last):.0%}")
    return given


def main() -> None:
    """Raise it, and ask it what it was taught, before and after its folder was closed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lessons", type=int, default=1000, help="how many (1000)")
    parser.add_argument("--teacher", default="corpus", help="corpus, or the address of a server")
    parser.add_argument("--memory", type=Path, default=Path("runs/talker"), help="where it lives")
    options = parser.parse_args()

    teacher = (
        CorpusTeacher.bundled(seed=0)
        if options.teacher == "corpus"
        else open_teacher(options.teacher)
    )
    config = PlasticLearnerConfig(
        n_neurons=14173,  # cells
        vocab_size=800,  # syllables it may know
        initial_connectivity=0.08,  # of all possible synapses, how many may ever exist
        plasticity_rate=0.01,  # Hebbian
        memory_dir=str(options.memory),
    )
    print(f"raising it in {options.memory}")
    first = raise_learner(ConversationalLearner(config), teacher, options.lessons)[:2]

    print("another day: the folder is opened again, and it still knows its first lessons")
    learner = ConversationalLearner.load(options.memory)
    for prompt in (*(lesson.prompt for lesson in first), "something nobody taught it"):
        print(f"  You: {prompt}\n  Learner: {learner.predict(prompt)}")
    stats = learner.get_learning_stats()
    print(
        f"{stats['episodes']:,} episodes, {stats['patterns']:,} patterns, "
        f"{stats['synapses']:,} of {stats['max_synapses']:,} synapses, "
        f"{stats['vocabulary']:,} pieces of words"
    )
    print(f"go on with: plasticish chat --memory {options.memory}")


if __name__ == "__main__":
    main()
