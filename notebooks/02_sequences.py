# A memory of sequences, in cells: `python notebooks/build.py` makes the notebook beside it.
# ruff: noqa: B018, E402

# %% [markdown]
# # A memory that grows
# `PlasticMemory` reads sequences one by one. It keeps a *tree* of what they share from the start, a
# *library* of what they share anywhere, and counts from which one layer predicts what comes next.
# No gradient goes through it, and what it learned yesterday stays when it learns tomorrow.

# %% [markdown]
# ## Refactoring
# Two names that begin alike share a node: the abstraction of both. A node's count is the number of
# names below it, its `r_level` the number of abstractions stacked below it.

# %%
from plasticish.sequence import PlasticMemory

memory = PlasticMemory()
memory.learn(["emma", "emily", "olivia", "ava", "emilia"])
memory.visualize(with_counts=True, with_r_levels=True)

# %% [markdown]
# When a sequence is learned, two signals travel from its leaf to the root: counts (blue) and levels
# (green). No node needs to know more than its neighbours.

# %%
memory.learn(["emmy"])
memory.visualize_activation()

# %% [markdown]
# The same, from the first name on:

# %%
from plasticish.data import load_first_names
from plasticish.sequence import animate_growth

names = load_first_names()
growth = animate_growth(names, 12)
growth

# %% [markdown]
# ## Potentiation
# A path can be strengthened, by a fraction too, and weakened by a negative amount. What is expected
# follows at once.


# %%
def chance(prefix, symbol):
    return f"{100 * memory.predict(prefix)[symbol]:.0f} %"


print("i after em:", chance("em", "i"))
memory.potentiate("emily", 2.5)
print("emily strengthened:", chance("em", "i"))
memory.potentiate("emily", -3.25)
print("emily weakened to a quarter:", chance("em", "i"))

# %% [markdown]
# ## Forgetting
# What is forgotten leaves the tree as if it had never come.

# %%
nodes = len(memory.tree)
memory.learn(["eleanor", "eleanor"])
grown = len(memory.tree)
memory.forget("eleanor")
nodes, grown, len(memory.tree)

# %% [markdown]
# ## Generalising
# Now 4,663 first names of the United States census, in random order; 500 others are kept aside.
# Each letter is predicted before it is counted: the surprise falls while it reads.

# %%
import torch

order = torch.randperm(len(names), generator=torch.Generator().manual_seed(0)).tolist()
shuffled = [names[i] for i in order]
learned, others = shuffled[:-500], shuffled[-500:]
memory = PlasticMemory()
for first in range(0, len(learned), 1000):
    report = memory.learn(learned[first : first + 1000])
    print(f"{report['nats']:.3f} nats a letter")

# %% [markdown]
# It completes, and it invents names that are in no list:

# %%
known = set(names)
invented = [name for name in memory.generate(30) if name not in known]
memory.infer("kath"), invented[:8]

# %% [markdown]
# ## Sleeping
# Replay mixes the experts anew, each letter's own count left out, so that every name is met as a
# stranger. How well names are known that it never met is measured before and after.


# %%
def surprise(asked):
    tokens = sum(map(len, asked)) + len(asked)
    return -memory.log_likelihood(asked).sum() / tokens


awake = surprise(others)
memory.sleep()
rested = surprise(others)
print(f"awake {awake:.3f}, rested {rested:.3f} nats a letter")

# %% [markdown]
# ## Concepts
# Patterns that recur anywhere have become concepts, built of smaller ones. A name that it never saw
# is made of them too.

# %%
for level in (1, 2, 3):
    print(level, [(c.expansion, c.count) for c in memory.concepts(level)[:6]])
print([part.expansion for part in memory.parse("bellarosa")])

# %%
memory.draw_library(concept=memory.parse("bellarosa")[0].name, fired="bellarosa")

# %% [markdown]
# ## Why?
# Which experts and which stored names make it expect what it expects:

# %%
why = memory.why("marian")
print(f"{why.symbol!r} with {100 * why.probability:.0f} %")
for reason in why.reasons[:4]:
    print(f"{reason.expert}: {reason.counted:g} of {reason.seen:g}, push {reason.push:+.2f}")
print(why.paths)

# %% [markdown]
# ## Two languages in one head
# Names, and then names written backwards: what one teaches misleads in the other. A
# `RecognisingMemory` is not told that the language changed. It notices, by surprise, gives what is
# strange a context of its own, and asks itself which one a question is from.

# %%
from plasticish.sequence import RecognisingMemory

forwards, backwards = learned[:600], [name[::-1] for name in learned[600:1200]]
two = RecognisingMemory("plain")
found = two.learn(forwards + backwards)["contexts"]
for strangers in (others[:20], [name[::-1] for name in others[:20]]):
    belief = two.recognise(strangers)
    print(f"{strangers[0]} and 19 others: {[f'{100 * p:.0f} %' for p in belief.tolist()]}")
found, two.within(0).generate(4), two.within(found - 1).generate(4)

# %% [markdown]
# ## Beside others
# The same split for everybody: counts of pairs, the count-based standard, and the memory. (With a
# transformer, which takes minutes: `plasticish memory compare --transformer`.)

# %%
from plasticish.cli.memory_rivals import compare_learners

compared = compare_learners(names, seed=0)["learners"]
for one in compared:
    print(f"{one['learner']:28} {one['nats']:.3f} nats  {one['seconds']:6.2f} CPU s")

# %% [markdown]
# ## It goes on tomorrow
# A checkpoint is safetensors and JSON. The memory that is read back answers alike, and learns on.

# %%
import tempfile

again = PlasticMemory.load(memory.save(tempfile.mkdtemp()))
assert again.infer("kath") == memory.infer("kath")
again.learn(["zoë"])["new_symbols"]
