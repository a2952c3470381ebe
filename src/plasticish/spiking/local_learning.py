r"""Local learning beside a model's own: rules on linear layers that stay what they are.

A layer's weights are signed and have a scale of their own, so a rule works on :math:`u = w / B`
with :math:`B` twice the largest size of a weight when the rule was added (at least
:math:`1/\sqrt{fan_{in}}`), within the symmetric bounds :math:`|u| \le 1`. The rule's own ``w_min``
and ``w_max`` are replaced by these; an amplitude is thus a share of :math:`B`. A weight that an
optimiser has taken beyond :math:`B` is not clipped: it is treated as one at the bound, and may only
come back.

Windows of shuffled examples have nothing to do with each other: traces begin anew with each. What a
rule estimates for a neuron over time (the threshold of BCM, the rate of homeostasis) belongs to no
example: its mean over the batch is carried on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import sqrt
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from plasticish.core import ConfigError, DataError, DTypeError, NotReadyError, Report
from plasticish.modulation import MetaPlasticityController, PlasticityFactors

from .adaptive_rule import AdaptiveSTDPRule
from .layer_choice import spike_sources
from .plasticity_rule import PlasticityRule
from .recording import Recorder, records
from .silence import silent_cause

__all__ = ["LayerFactors", "LocalLearning", "PlasticLinear", "relative_bound"]


Windows = list[tuple[Tensor, Tensor]]
"""Events of both sides of a layer, ``[batch, time, pre]`` and ``[batch, time, post]``."""

# A plain attribute: no module, no parameter, no buffer, so nothing of it is in the state_dict.
_ATTRIBUTE = "_plasticish_local_learning"


class LayerFactors(NamedTuple):
    """By how much meta-plasticity multiplies the plasticity of one layer.

    Attributes
    ----------
    learning_rate : float
        Of the rule, and of an optimiser that listens: scale the gradients of the layer by it.
    time_constant : float
        Of the rule's traces.
    stability : float
        Of the protection of consolidated weights.
    """

    learning_rate: float = 1.0
    time_constant: float = 1.0
    stability: float = 1.0


def relative_bound(weight: Tensor) -> float:
    r"""Return the size that local learning may take a weight to, from the weights as they are.

    Examples
    --------
    >>> relative_bound(torch.tensor([[0.5, -0.25, 0.0, 0.125]])), relative_bound(torch.zeros(3, 4))
    (1.0, 0.5)
    """
    largest = 2.0 * float(weight.detach().abs().max())
    return max(largest, 1.0 / sqrt(weight.shape[1]))


@dataclass
class PlasticLinear:
    """One linear layer under observation, with the rule that changes it, if any.

    Attributes
    ----------
    layer : nn.Linear
        The layer itself.
    rule : PlasticityRule or None
        None where the layer is only watched.
    bound : float
        Size that the rule may take a weight to.
    slow : mapping of str to Tensor
        What the rule estimates of the neurons over time, by the name of its state's entry.
    """

    layer: nn.Linear
    rule: PlasticityRule[Any] | None = None
    bound: float = 1.0
    slow: Mapping[str, Tensor] = field(default_factory=dict)

    def adopt(self, rule: PlasticityRule[Any]) -> None:
        """Take a rule, within bounds of the layer's own."""
        self.bound = relative_bound(self.layer.weight)
        self.rule, self.slow = within_one(rule), {}

    def moved(
        self, windows: Windows, factors: LayerFactors, dt: float, reward: float | None
    ) -> Move:
        """Return what is to be added to the weight, what the rule estimates then, and a report."""
        rule = steered(self.rule, factors)
        weight = self.layer.weight.detach()
        share = (weight / self.bound).clamp(-1.0, 1.0)
        if not bool(torch.isfinite(share).all()):
            raise DataError(
                "the weights of an enhanced layer contain NaN",
                cure="go back to an earlier state of the model, and lower the learning rate",
            )
        given = {"reward": reward} if rule.takes_reward else {}
        change, slow = torch.zeros_like(weight), self.slow
        for pre, post in windows:
            begun = resumed(rule, slow, pre.to(weight), post)
            more, ended = rule.window(pre.to(weight), post.to(weight), begun, share, dt, **given)
            change, slow = change + more, lasting(ended)
        moved = rule.applied(share, change) - share
        report = _report(rule, share, moved, change, windows)
        return Move(self.bound * moved, slow, report)


class Move(NamedTuple):
    """What one update will do to a layer."""

    change: Tensor
    slow: Mapping[str, Tensor]
    report: Report


def within_one(rule: Any) -> Any:
    """Return the rule with the bounds -1 and 1 in the place of its own."""
    if isinstance(rule, AdaptiveSTDPRule):
        return replace(rule, base_rule=within_one(rule.base_rule))
    return replace(rule, w_min=-1.0, w_max=1.0)


def steered(rule: Any, factors: LayerFactors) -> Any:
    """Return the rule with its plasticity multiplied by the factors of meta-plasticity."""
    if factors == LayerFactors():
        return rule
    rule = rule.modulated(factors.learning_rate, factors.time_constant)
    if isinstance(rule, AdaptiveSTDPRule):
        return replace(rule, stability_factor=rule.stability_factor * factors.stability)
    return rule


ESTIMATES = frozenset({"share"})
"""Entries of rules' states that estimate something of a neuron, one copy an example."""


def lasting(state: Any) -> dict[str, Tensor]:
    """Return what a rule's state knows of the neurons, whichever examples came.

    Examples
    --------
    >>> from plasticish.rules.bcm import bcm_state
    >>> list(lasting(bcm_state(batch=8, pre=3, post=2)))
    ['threshold']
    """
    slow = {}
    for name, entry in state._asdict().items():
        if entry.ndim < 2:
            slow[name] = entry
        elif name in ESTIMATES:
            slow[name] = entry.mean(0)
    return slow


def resumed(rule: Any, slow: Mapping[str, Tensor], pre: Tensor, post: Tensor) -> Any:
    """Return fresh traces with these estimates; None, which is a rule's rest, if there are none."""
    if not slow:
        return None
    batch, *_, width = pre.shape
    state = rule.initial_state(batch, width, post.shape[-1], dtype=pre.dtype, device=pre.device)
    carried = {}
    for name, value in slow.items():
        rest = getattr(state, name)
        carried[name] = value.to(rest).expand_as(rest)
    return state._replace(**carried)


def _report(
    rule: PlasticityRule[Any],
    share: Tensor,
    moved: Tensor,
    change: Tensor,
    windows: Windows,
) -> Report:
    if not windows:
        reason = "it was not called in the last forward pass"
    elif bool(moved.any()):
        reason = ""
    else:
        pre, post = windows[0]
        reason = silent_cause(rule, share, change, pre, post, share.numel())
    size = float(share.abs().mean())
    return {
        "changed": float((moved != 0).float().mean()),
        "relative_change": float(moved.abs().mean()) / size if size else 0.0,
        "activity": mean_activity(windows),
        "silent": bool(reason),
        "reason": reason,
    }


def mean_activity(windows: Windows) -> float:
    """Return the mean chance of a postsynaptic spike in a tick; 0 where there was no window."""
    return sum(float(post.mean()) for _, post in windows) / max(len(windows), 1)


class LocalLearning:
    """The plastic part of a model: what is recorded, the rules, and who steers them.

    Parameters
    ----------
    model : nn.Module
        The model.
    layers : mapping of str to nn.Linear
        Layers to be recorded.
    """

    def __init__(self, model: nn.Module, layers: Mapping[str, nn.Linear]) -> None:
        self.layers = {name: PlasticLinear(layer) for name, layer in layers.items()}
        self.recorder = Recorder(model, layers, spike_sources(model))
        self.controller: MetaPlasticityController | None = None

    @classmethod
    def find(cls, model: nn.Module) -> LocalLearning | None:
        """Return what is attached to a model, if anything is."""
        if not isinstance(model, nn.Module):
            raise DTypeError("this is no model", got=type(model).__name__, expected="an nn.Module")
        learning: LocalLearning | None = getattr(model, _ATTRIBUTE, None)
        return learning

    @classmethod
    def of(cls, model: nn.Module) -> LocalLearning:
        """Return what is attached to a model, or refuse."""
        learning = cls.find(model)
        if learning is None:
            raise ConfigError(
                "the model has no local learning",
                got=type(model).__name__,
                cure="call integrate_stdp_into_model or integrate_meta_plasticity first",
            )
        return learning

    @classmethod
    def attach(cls, model: nn.Module, layers: Mapping[str, nn.Linear]) -> LocalLearning:
        """Attach to a model, no part of which has such a thing already."""
        for name, module in model.named_modules():
            if hasattr(module, _ATTRIBUTE) or records(module):
                raise ConfigError(
                    "a part of the model has local learning already",
                    got=repr(name),
                    cure="call remove_plasticity on the model that it was added to first",
                )
        learning = cls(model, layers)
        setattr(model, _ATTRIBUTE, learning)
        return learning

    def detach(self, model: nn.Module) -> None:
        """Leave no trace but the weights as they are."""
        self.recorder.remove()
        delattr(model, _ATTRIBUTE)

    @property
    def enhanced(self) -> dict[str, PlasticLinear]:
        """The layers that have a rule."""
        return {name: part for name, part in self.layers.items() if part.rule is not None}

    def factors(self) -> dict[str, LayerFactors]:
        """Return the factors in force, by layer; all 1 without a controller."""
        if self.controller is None:
            return {name: LayerFactors() for name in self.layers}
        now: PlasticityFactors = self.controller.factors
        rows = zip(
            now.learning_rate.tolist(),
            now.time_constant.tolist(),
            now.stability.tolist(),
            strict=True,
        )
        return {name: LayerFactors(*row) for name, row in zip(self.layers, rows, strict=True)}

    @torch.no_grad()
    def update(self, performance: float | None, loss: float | None, dt: float) -> Report:
        """Learn from what was recorded: compute all, then change all, then forget the record."""
        windows = {name: record.windows() for name, record in self.recorder.records.items()}
        if not any(windows.values()):
            raise NotReadyError(
                "nothing was recorded",
                expected="a forward pass in training mode since the last update",
                cure="call model.train() and run the model on a batch first",
            )
        self._check_signals(performance, loss)
        factors = self.factors()
        moves = {
            name: part.moved(windows[name], factors[name], dt, performance)
            for name, part in self.enhanced.items()
        }
        self._steer([mean_activity(windows[name]) for name in self.layers], performance, loss)
        for name, move in moves.items():
            part = self.layers[name]
            # In place, as an optimiser does it: a graph that still needs the old weight says so.
            part.layer.weight.add_(move.change)
            part.slow = move.slow
        self.recorder.clear()
        return {
            "updated": sum(not move.report["silent"] for move in moves.values()),
            "layers": {name: move.report for name, move in moves.items()},
        }

    def _steer(self, activity: list[float], performance: float | None, loss: float | None) -> None:
        if self.controller is None:
            return
        if performance is None:
            performance = -(loss or 0.0)
        self.controller.observe(activity, performance, -performance if loss is None else loss)

    def _check_signals(self, performance: float | None, loss: float | None) -> None:
        if self.controller is not None and performance is None and loss is None:
            raise ConfigError(
                "meta-plasticity has nothing to judge by",
                got="neither performance nor loss",
                cure="pass performance=… (higher is better), loss=…, or both",
            )
        for name, part in self.enhanced.items():
            if part.rule is not None and part.rule.takes_reward and performance is None:
                raise ConfigError(
                    f"the rule {part.rule.kind!r} of {name!r} learns by reward",
                    got="performance=None",
                    cure="pass performance=…, best as the difference from what was expected",
                )
