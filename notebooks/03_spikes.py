# Spikes and torch modules, in cells: `python notebooks/build.py` makes the notebook beside it.
# ruff: noqa: E402, I001

# %% [markdown]
# # Synapses that learn by themselves
# A synapse needs no gradient to learn: it sees when the cell before it and the cell behind it fire.
# Here are the rules by which it may change, layers and networks that follow them, and a way to keep
# what *any* torch module learned while it learns the next thing.

# %% [markdown]
# ## Timing
# If the presynaptic spike comes first it may have caused the other: the synapse grows. If it comes
# too late it shrinks. Each rule states its equation, units and paper
# (`plasticish.rules`, and a page each in the documentation).

# %%
from plasticish import ClassicalSTDP, TripletSTDP
from plasticish.visualization import plot_pairing_frequency, plot_stdp_window

rules = {"pairs": ClassicalSTDP(), "triplets": TripletSTDP()}
plot_stdp_window(rules, title="Sixty pairs of spikes, one a second")

# %% [markdown]
# A rule of pairs cannot explain what is measured in cortex: the same pairing at a higher rate
# strengthens more. A rule of triplets can.

# %%
plot_pairing_frequency(rules)

# %% [markdown]
# ## A layer finds a pattern
# Forty fibres fire at random. Every now and then ten of them fire one after another, in the same
# order. Nobody tells the layer; its synapses from these ten grow all the same.

# %%
import torch

from plasticish.visualization import plot_raster

draw = torch.Generator().manual_seed(0)
spikes = (torch.rand(4000, 40, generator=draw) < 0.01).float()
for start in range(50, 4000, 100):
    for fibre in range(10):
        spikes[start + fibre, fibre] = 1.0
plot_raster(spikes[:400], groups={"the pattern": 10, "the others": 30})

# %%
from plasticish import STDPLayer

post = torch.zeros(4000, 1)
post[torch.arange(60, 4000, 100)] = 1.0  # the cell fires once after each, and by chance
post[torch.rand(4000, generator=draw) < 0.002] = 1.0
layer = STDPLayer(40, 1, stdp_rule=ClassicalSTDP(learning_rate=0.5))
before = layer.weight.clone()
report = layer.update_weights_stdp(spikes[None], post[None], dt=1.0)
grown = (layer.weight - before)[0]
print(f"the ten: {grown[:10].mean():+.3f}, the others: {grown[10:].mean():+.3f}")

# %% [markdown]
# ## A network without backpropagation
# `MetaPlasticNetwork` learns the digits by local rules alone, each once. A controller watches how
# well it goes, and learns how plastic each layer should be: plasticity of plasticity.

# %%
from plasticish import MetaPlasticNetwork
from plasticish.data import BatchLoader, class_splits, load_digits
from plasticish.visualization import plot_meta_plasticity

digits = load_digits()
local = MetaPlasticNetwork(layer_sizes=[64, 256, 10], meta_lr=0.01, history_length=40)
steps = [local.learn(batch) for batch in BatchLoader(digits.train, 16, seed=0)]
right = (local.predict(digits.test.inputs) == digits.test.labels).float().mean()
print(f"{100 * float(right):.0f} % of the test digits, without a gradient")
factors = ("learning_rate", "time_constant", "stability")
plot_meta_plasticity(*([step[name] for step in steps] for name in factors))

# %% [markdown]
# ## Keep what a module learned
# A liquid spiking network learns three pairs of digits, one after another. Beside an optimizer a
# small buffer is rehearsed, and weights that mattered are held by springs.

# %%
from plasticish import ContinualLearningTrainer, LiquidSpikingConfig, LiquidSpikingNetwork

tasks = class_splits(digits)[:3]
config = LiquidSpikingConfig.vision(64, 10, units=24, backbone_units=24, steps=4)
print(sum(weights.numel() for weights in LiquidSpikingNetwork(config).parameters()), "weights")


# %%
def live(**protection):
    network = LiquidSpikingNetwork(config)
    trainer = ContinualLearningTrainer(network, use_meta_plasticity=False, **protection)
    optimizer = torch.optim.Adam(network.parameters(), lr=5e-3)
    for number, task in enumerate(tasks):
        train, exam = BatchLoader(task.train, 32, seed=0), BatchLoader(task.test, 256)
        trainer.train_on_task(number, train, exam, 2, optimizer, torch.nn.CrossEntropyLoss())
    return trainer


# %%
from plasticish.visualization import plot_accuracy_matrices

kept = live(replay_buffer_size=200)
lost = live(consolidation_strength=0.0, use_experience_replay=False)
matrices = {"With protection it": kept.matrix.R, "Without it": lost.matrix.R}
plot_accuracy_matrices(matrices, [task.name for task in tasks])

# %% [markdown]
# ## Any module
# The same is one object for a module and an optimizer of your own, step by step.
# `compute_parameter_importance` says which weights matter for a task: Fisher information, of single
# examples.

# %%
from plasticish import ContinualLearningSTDP

_ = torch.manual_seed(0)  # from which torch draws the weights of its own modules
model = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))
learner = ContinualLearningSTDP(model, consolidation_strength=1000.0)
for number, task in enumerate(tasks):
    loader = BatchLoader(task.train, 16, seed=0)
    for x, y in (batch for _ in range(4) for batch in loader):
        learner.train_step(x, y, task=number)
    learner.end_task(number, BatchLoader(task.train, 256))
    right = [float((learner.predict(t.test.inputs) == t.test.labels).float().mean()) for t in tasks]
    print(f"after {task.name}:", [f"{100 * share:.0f} %" for share in right[: number + 1]])

# %% [markdown]
# ## Synapses of a module that exists
# One call puts a rule on the linear layers of any module; one takes it off again. Beside an
# optimizer it does no harm on digits, and no good: that is what was measured
# (docs/design/liquid.md).

# %%
from plasticish import enhanced_layers, integrate_stdp_into_model
from plasticish import remove_plasticity, update_plasticity

_ = integrate_stdp_into_model(model, stdp_type="homeostatic", learning_rate=0.01)
print("enhanced:", enhanced_layers(model))
_ = model(digits.train.inputs[:32])
report = update_plasticity(model, performance=0.9, loss=0.1)
print("layers changed:", report["updated"])
_ = remove_plasticity(model)
enhanced_layers(model)

# %% [markdown]
# ## It goes on tomorrow

# %%
import tempfile

spec = {"kind": "mlp", "sizes": [64, 64, 10]}
learner = ContinualLearningSTDP(spec, lr=0.1)
for x, y in BatchLoader(tasks[0].train, 16, seed=0):
    learner.learn((x, y))
again = ContinualLearningSTDP.load(learner.save(tempfile.mkdtemp()))
assert torch.equal(again.scores(digits.test.inputs), learner.scores(digits.test.inputs))
again.stats()
