"""A package of somebody else that adds one of each to plasticish, without a fork."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from plasticish import EpisodicMemoryBank, NeuromodulatedBlock
from plasticish.bench import Context, Findings, Metric, scenario
from plasticish.conversation import TeacherReply
from plasticish.core import Persistent, State
from plasticish.data import LabelledSet, Source
from plasticish.spiking import RuleObject
from plasticish.vision import Backbone


@dataclass(frozen=True, kw_only=True)
class Coincidence(RuleObject):
    """A rule: spikes at once strengthen, a presynaptic one alone weakens."""

    kind: ClassVar[str] = "coincidence"
    cost: float = 0.1

    def initial_state(self, batch, pre, post, *, dtype=None, device=None):
        return ()

    def step(self, pre, post, state, weight=None, dt=1.0):
        together = torch.einsum("bo,bi->oi", post, pre) / len(pre)
        return together - self.cost * pre.mean(dim=0), ()

    def window(self, pre, post, state, weight=None, dt=1.0):
        steps = [self.step(pre[:, t], post[:, t], state)[0] for t in range(pre.shape[1])]
        return torch.stack(steps).sum(dim=0), ()


class WholeBlock(NeuromodulatedBlock):
    """A block: every unit wins, none competes."""

    kind = "whole_block"

    def encode(self, x):
        return x @ self.units.T


class LoudMemory(EpisodicMemoryBank):
    """A memory: it says what it keeps."""

    kind = "loud_memory"

    def store(self, x, y):
        print(f"storing {len(x)}")
        return super().store(x, y)


def grid(weights, image_size):
    """Eyes: four by four pixels in three colours are the features."""
    return Backbone(torch.nn.Flatten(), image_size or 4, mean=(0, 0, 0), std=(1, 1, 1))


def stripes(argument, options):
    """A source: upright stripes and lying ones."""
    upright = torch.zeros(20, 8, 8)
    upright[:, :, ::2] = 1.0
    pictures = torch.cat([upright, upright.transpose(1, 2)]).reshape(40, 64)
    noisy = pictures + 0.1 * torch.randn(
        40, 64, generator=torch.Generator().manual_seed(options.seed)
    )
    labels = torch.arange(2).repeat_interleave(20)
    train = LabelledSet(noisy[::2], labels[::2], ("upright", "lying"), "stripes")
    test = LabelledSet(noisy[1::2], labels[1::2], ("upright", "lying"), "stripes")
    return Source(train, test, "stripes")


class Parrot:
    """A teacher: one should answer in the very words."""

    name = "parrot"

    def reply(self, prompt, *, history=(), stage=None):
        return TeacherReply(teacher=self.name, text=prompt)

    def lesson(self, *, history=(), stage=None):
        return None


class Majority(Persistent):
    """A learner: whatever it is asked, it answers the commonest label."""

    kind = "majority"

    def __init__(self):
        self.counts = torch.zeros(0)

    def learn(self, batch):
        counts = torch.bincount(batch[1], minlength=len(self.counts)).float()
        counts[: len(self.counts)] += self.counts
        self.counts = counts
        return {"learned": len(batch[1])}

    def predict(self, x):
        return torch.full((len(x),), int(self.counts.argmax()))

    def sleep(self):
        return {}

    def stats(self):
        return {"seen": int(self.counts.sum())}

    def config(self):
        return {}

    def export_state(self):
        return State({}, {"counts": self.counts.clone()})

    def import_state(self, state):
        self.counts = state.tensors["counts"].clone()


@scenario(
    "example/coin",
    title="a coin",
    question="Does heads come up half of the time?",
    protocol="A thousand tosses.",
    data="none",
    metrics=[Metric("heads", "%")],
)
def coin(context: Context) -> Findings:
    """Toss it."""
    findings = Findings()
    tosses = (torch.rand(1000, generator=torch.Generator().manual_seed(s)) for s in context.seeds)
    findings.add("coin", heads=[100 * float((toss < 0.5).float().mean()) for toss in tosses])
    return findings
