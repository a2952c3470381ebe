# The tour, in cells: `python notebooks/build.py` makes the notebook beside it.
# ruff: noqa: E402

# %% [markdown]
# # A brain that does not forget
# Ten handwritten digits arrive two after two, each image once. There is no backpropagation, and
# nothing is kept back for later: what counts is what the brain still knows at the end.

# %%
from plasticish import PhaseConfig, PlasticBrain, PlasticTrainer, PlasticVisualizer
from plasticish.data import BatchLoader, class_splits, load_digits

digits = load_digits()
tasks = class_splits(digits, classes_per_task=2)
[(task.name, len(task.train), len(task.test)) for task in tasks]

# %% [markdown]
# ## Teach it
# A phase for each pair of digits. The brain sleeps at the end of each, and is then asked about
# every test digit, those it has not met among them.

# %%
brain = PlasticBrain(in_dim=64)
phases = [PhaseConfig(task.name, 1, BatchLoader(task.train, 64, seed=0)) for task in tasks]
exams = {task.name: BatchLoader(task.test, 256) for task in tasks}
trainer = PlasticTrainer(brain, phases, exams)
history = trainer.train()
for phase in trainer.get_summary()["phases"]:
    learned, now = 100 * phase["as_learned"], 100 * phase["now"]
    print(f"{phase['name']}: {learned:.1f} % when it was new, {now:.1f} % now")

# %% [markdown]
# ## Beside a network without protection
# The same stream for a softmax layer under plain gradient descent.

# %%
from plasticish.evaluation import NaiveSoftmax, run_stream
from plasticish.visualization import plot_retention

naive = run_stream(NaiveSoftmax(), tasks)
plot_retention(history.accuracy_matrix, naive.tasks, baseline=naive.matrix())

# %% [markdown]
# ## Why does it say so?
# One digit on its way through the brain: its features, the neurons that spoke, the memories that
# woke, and the votes of the fast store (hippocampus) and the slow one (cortex).

# %%
visualizer = PlasticVisualizer(brain, class_names=digits.classes)
visualizer.trace_thought(BatchLoader(digits.test, 8), index=3)

# %% [markdown]
# ## Something it has never seen
# Novelty is about 0 for the familiar. Noise is far above the threshold.

# %%
import torch

noise = torch.rand(1, 64, generator=torch.Generator().manual_seed(0))
familiar = brain.novelty(digits.test.inputs).median()
print(
    f"a digit {float(familiar):.1f}, noise {float(brain.novelty(noise)):.1f}, "
    f"threshold {brain.novelty_threshold:.1f}"
)

# %% [markdown]
# ## It survives the process
# A checkpoint is safetensors and JSON. The brain that is read back answers alike, and can be taught
# on, new classes among them.

# %%
import tempfile

folder = brain.save(tempfile.mkdtemp())
again = PlasticBrain.load(folder)
assert torch.equal(again.predict_proba(digits.test.inputs), brain.predict_proba(digits.test.inputs))
again.stats()["classes"]
