# A learner that talks, in cells: `python notebooks/build.py` makes the notebook beside it.
# ruff: noqa: E402

# %% [markdown]
# # Somebody new
# It starts with nothing: no words, no grammar, no answers. Whatever it says it has from whoever
# talks with it, after one hearing. Everything stays in one folder on this machine.

# %%
import tempfile
from pathlib import Path

from plasticish import ConversationalLearner, PlasticLearnerConfig, ScriptedTeacher

folder = Path(tempfile.mkdtemp()) / "memory"
mother = ScriptedTeacher([("hi there", "hello mama"), ("what is your name?", "I am Bella")])
learner = ConversationalLearner(PlasticLearnerConfig(n_neurons=2048))
talk = learner.start_conversation(mother, folder)
for said in ("hi there", "what is your name?", "hi there", "what is your name?"):
    response = learner.process_input_and_respond(said)
    print(f"You: {said}\nLearner: {response.reply}    ({response.patterns} patterns)")

# %% [markdown]
# At first it imitates; once it was told what it should have said, it says so. Four signals came
# with each turn: how uncertain such prompts are (attention, acetylcholine), how new this one was
# (novelty, norepinephrine), how tired it is (fatigue, adenosine), and how much better its answer
# was than such answers had been (dopamine).

# %%
for said in ("who are you?", "what is your name?"):
    signals = learner.process_input_and_respond(said).signals
    print(said, {name: round(value, 2) for name, value in signals._asdict().items()})

# %% [markdown]
# ## Lessons
# A hundred and fifty exchanges of a bundled dialogue. It grows syllables out of characters that
# often come together, words out of syllables, and synapses from what was asked to what was said.

# %%
from plasticish.conversation import CorpusTeacher, chrf

teacher = CorpusTeacher.bundled(seed=0)
lessons = [teacher.lesson(history=talk.history, stage=talk.stage) for _ in range(150)]
for lesson in lessons:
    talk.take_lesson(lesson, teacher.name)
closeness = [chrf(learner.predict(lesson.prompt), lesson.reply) for lesson in lessons]
print(f"recalled to {100 * sum(closeness) / len(closeness):.0f} % (chrF)")
learner.get_learning_stats()["synapses"]

# %% [markdown]
# ## Asked otherwise
# A prompt need not be the one that was taught. It wakes the episodes that share words with it, rare
# words more than common ones, and the best match speaks. `why` shows them.

# %%
asked = " ".join(lessons[0].prompt.split()[1:])  # its first word is gone
print(f"taught: {lessons[0].prompt!r} -> {lessons[0].reply!r}")
print(f"asked:  {asked!r} -> {learner.process_input_and_respond(asked).reply!r}")
for reason in talk.why()[:3]:
    mark = "spoke" if reason.spoke else "     "
    print(f"{mark} {reason.match:.2f} by {reason.by}: {reason.line!r}, shared {reason.shared}")

# %% [markdown]
# ## Praise and blame
# Nobody has to be believed whole. What is praised is said more readily, and what is blamed gives
# way to what it should have said.

# %%
print("before:", learner.process_input_and_respond("hi there").reply)
_ = learner.provide_feedback(reward=0.0, text="good morning mama")
print("after: ", learner.process_input_and_respond("hi there").reply)
_ = learner.provide_feedback(reward=1.0)

# %% [markdown]
# ## Sleep
# It gets tired, and sleeps by itself when it must. What it gathered by day is gone through again,
# out of its own synapses; weak traces that nothing mattered to are let go; synapses move to cells
# that are rarely used. What it knows is the same, or better.

# %%
tired = learner.process_input_and_respond("are you tired?").signals.fatigue
report = talk.sleep()
rested = learner.process_input_and_respond("and now?").signals.fatigue
print(f"fatigue {tired:.2f}, after sleep {rested:.2f}; {report.replayed} episodes replayed")
closeness = [chrf(learner.predict(lesson.prompt), lesson.reply) for lesson in lessons]
print(f"recalled to {100 * sum(closeness) / len(closeness):.0f} % (chrF)")

# %% [markdown]
# ## A scan
# The cells that fire as it speaks, the signals of all its turns, the syllables that it grew, and
# which words share cells.

# %%
from plasticish.cli.scanning import scan
from plasticish.visualization import plot_brain_scan

talk.save()
plot_brain_scan(scan(folder, "what is your name?"))

# %% [markdown]
# ## Forgetting on purpose
# What was said can be taken back: every turn in which it was said, by whomever and to whatever;
# its episodes, their synapses, and the lines in its folder.

# %%
erased = talk.forget("Bella")
print(f"{erased} turns erased; its name is now: {learner.predict('what is your name?')!r}")

# %% [markdown]
# ## Another day
# The folder is closed and opened again. Every turn was on the disk before its answer was shown, so
# not even a power cut would have lost one.

# %%
talk.close()
again = ConversationalLearner.load(folder)
print(again.predict("hi there"))
again.stats()["episodes"]
