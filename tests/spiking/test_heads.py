"""Readouts: pooling against sums written out, and actions within their bounds."""

from __future__ import annotations

from math import exp

import pytest
import torch
from torch import Tensor

from plasticish.core import ConfigError
from plasticish.spiking.heads import (
    POOLINGS,
    ClassificationHead,
    ControlHead,
    Head,
    SequenceHead,
    pool_step,
)


def activity(batch: int = 3, time: int = 8, units: int = 4) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(batch, time, units, generator=generator, dtype=torch.float64)


def answered(head: Head, x: Tensor, dt: float | Tensor = 1.0, **more: bool) -> Tensor:
    answer: Tensor = head(x, head.initial_state(x[:, 0]), dt, **more)[0]
    return answer


def test_rate_is_the_reading_of_the_mean_activity() -> None:
    head = ClassificationHead(4, 2).double()
    torch.testing.assert_close(answered(head, activity()), head.readout(activity().mean(1)))


def test_membrane_is_the_exponentially_weighted_sum() -> None:
    head = ClassificationHead(4, 2, pooling="membrane", tau=7.0).double()
    x, dt = activity(), 2.0
    decay = exp(-dt / 7.0)
    weights = torch.tensor([(1 - decay) * decay ** (7 - t) for t in range(8)]).double()
    expected = (head.readout(x) * weights[:, None]).sum(1)
    torch.testing.assert_close(answered(head, x, dt), expected)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_pooling_may_be_interrupted(pooling: str) -> None:
    head = ClassificationHead(4, 2, pooling=pooling).double()
    x = activity()
    spans = torch.rand(3, 8, dtype=torch.float64) + 0.1
    whole, end = head(x, head.initial_state(x[:, 0]), spans)
    _, state = head(x[:, :3], head.initial_state(x[:, 0]), spans[:, :3])
    for t in range(3, 8):
        state = pool_step(head.readout(x[:, t]), state, pooling, spans[:, t : t + 1])
    torch.testing.assert_close(state.pooled, whole)
    assert float(state.ticks) == float(end.ticks) == 8


def test_every_tick_is_read_by_itself() -> None:
    head = SequenceHead(4, 5).double()
    logits = answered(head, activity(), every_tick=True)
    torch.testing.assert_close(logits, head.readout(activity()))


def test_actions_stay_within_bounds_and_reach_their_middle() -> None:
    low, high = (-2.0, 0.0), (2.0, 10.0)
    head = ControlHead(4, 2, low=low, high=high).double()
    wild = answered(head, 1e6 * activity(), every_tick=True)
    assert ((wild >= torch.tensor(low)) & (wild <= torch.tensor(high))).all()
    torch.nn.init.zeros_(head.readout.weight)
    torch.nn.init.zeros_(head.readout.bias)
    middle = answered(head, activity())
    torch.testing.assert_close(middle, torch.tensor([[0.0, 5.0]] * 3).double())


def test_discrete_actions_are_logits() -> None:
    head = ControlHead(4, 3, discrete=True).double()
    torch.testing.assert_close(answered(head, activity()), head.readout(activity().mean(1)))


def test_bad_bounds_and_poolings_are_refused() -> None:
    with pytest.raises(ConfigError, match="low does not bound the actions"):
        ControlHead(4, 2, low=(0.0, 0.0, 0.0))
    with pytest.raises(ConfigError, match="high does not bound the actions"):
        ControlHead(4, 2, high=float("inf"))
    with pytest.raises(ConfigError, match="bounds of an action are empty"):
        ControlHead(4, 2, low=1.0, high=(2.0, 1.0))
    with pytest.raises(ConfigError, match="unknown pooling: got 'max'"):
        ClassificationHead(4, 2, pooling="max")
