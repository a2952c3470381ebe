# A brain of images, in cells: `python notebooks/build.py` makes the notebook beside it.
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
# ## Two stores
# The fast one keeps single examples, as they came: one shot is enough. The slow one adds each to a
# few sums, and turns them into knowledge when it sleeps. Both are learners of their own.

# %%
from plasticish import AssociativeCortex, EpisodicMemoryBank
from plasticish.visualization import plot_memory_map

bank, cortex = EpisodicMemoryBank(input_dim=64, k_neighbors=5), AssociativeCortex(in_dim=64)
for task in tasks:
    bank.store(task.train.inputs, task.train.labels)
    cortex.learn((task.train.inputs, task.train.labels))
_ = cortex.sleep()
for name, store in {"hippocampus": bank, "cortex": cortex}.items():
    right = (store.predict(digits.test.inputs) == digits.test.labels).float().mean()
    print(f"{name}: {100 * float(right):.1f} % of the test digits")

# %% [markdown]
# The memories in a plane: those of one digit lie together, though nobody arranged them.

# %%
plot_memory_map(*bank.examples(), digits.classes)

# %% [markdown]
# ## Merging
# What two brains saw apart is put together without training anything again: sums add up. The order
# in which it came makes no difference.

# %%
import torch

one, other = AssociativeCortex(in_dim=64), AssociativeCortex(in_dim=64)
for task in tasks[:2]:
    one.learn((task.train.inputs, task.train.labels))
for task in reversed(tasks[2:]):
    other.learn((task.train.inputs, task.train.labels))
_ = one.merge(other)
_ = one.sleep()
same = one.predict(digits.test.inputs) == cortex.predict(digits.test.inputs)
print(f"the same answer to {100 * float(same.float().mean()):.1f} % of the test digits")

# %% [markdown]
# ## Something it has never seen
# Novelty is about 0 for the familiar. Noise is far above the threshold.

# %%
noise = torch.rand(1, 64, generator=torch.Generator().manual_seed(0))
familiar = brain.novelty(digits.test.inputs).median()
print(
    f"a digit {float(familiar):.1f}, noise {float(brain.novelty(noise)):.1f}, "
    f"threshold {brain.novelty_threshold:.1f}"
)

# %% [markdown]
# ## A storm
# `TriarchicBrain` answers the same question in three layers: sparse codes that grow, a slow core
# whose useful synapses lock, and a fast context that fades. It learns the digits; then their
# negatives come, with the same labels. The context takes the change; the core does not move.

# %%
from plasticish import TriarchicBrain, TriarchicVisualizer
from plasticish.data import batches

three = TriarchicBrain.protected(64, 4096)
draw = torch.Generator().manual_seed(1)
calm = [three.update_batch(x, y) for _ in range(3) for x, y in batches(digits.train, 32, draw)]
core, known = three.w_core.clone(), three.get_memory_accuracy(BatchLoader(digits.test, 256))
print(f"it knows {100 * known:.1f} % of the test digits")

# %%
storm = [three.update_batch(1 - x, y) for x, y in batches(digits.train, 32, draw)]
moved = float((three.w_core - core).norm() / core.norm())
energies = [sum(r["context_energy"] for r in part[-20:]) / 20 for part in (calm, storm)]
print(f"context energy {energies[0]:.3f} in calm, {energies[1]:.3f} in the storm")
print(f"the core moved by {100 * moved:.2f} %")

# %%
TriarchicVisualizer(three, class_names=digits.classes).weights()

# %% [markdown]
# ## For scikit-learn
# The same brain with `fit`, `partial_fit` and `predict`: in pipelines, searches and
# cross-validation. A class that it never met is welcome at any call.

# %%
from plasticish import PlasticClassifier

model = PlasticClassifier(expansion=512)
for task in tasks:
    model.partial_fit(task.train.inputs.numpy(), task.train.labels.numpy())
    score = model.score(digits.test.inputs.numpy(), digits.test.labels.numpy())
    print(f"{len(model.classes_)} classes met: {100 * score:.1f} % of all ten")

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
