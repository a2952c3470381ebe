r"""What linear layers did in the last forward pass, as events that a local rule understands.

The presynaptic side of a layer is its input. The postsynaptic side are the spikes of the module
that is declared to make them, or else the layer's own output. What is below zero is silence.

*Time* is the last axis but one of an input with three axes or more; without one, several calls in
one forward pass (as in a loop over time) are its steps. Spikes, all 0 or 1, are taken as they are,
and graded activity :math:`a` as the chance of a spike in a tick of a Poisson process,

.. math:: p = 1 - e^{-g\,\max(a, 0)}, \qquad g = 0.1

A single call without time is a still picture: its rates are shown to the rule for 10 ticks. A rule
is linear in the events of any one tick, so what it makes of rates is, as long as spikes of one tick
do not pair, the expectation over all spike trains that have these rates.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils.hooks import RemovableHandle

from .tracing import values_readable

__all__ = ["RATE_GAIN", "STILL_TICKS", "LayerRecord", "Recorder", "event_rates", "records"]

RATE_GAIN = 0.1
"""Chance of a spike per tick and unit of activity: 1 fires in about every tenth tick."""

STILL_TICKS = 10
"""Ticks that a still input is shown for: within the reach of a pair of spikes at dt = 1 ms."""


def event_rates(activity: Tensor) -> Tensor:
    """Return ``1 - exp(-0.1 * max(activity, 0))``.

    Examples
    --------
    >>> [round(p, 3) for p in event_rates(torch.tensor([-3.0, 0.0, 1.0, 100.0])).tolist()]
    [0.0, 0.0, 0.095, 1.0]
    """
    return -torch.expm1(-RATE_GAIN * activity.clamp(min=0.0))


@dataclass
class LayerRecord:
    """Both sides of one layer over the last forward pass, one entry a call."""

    pre: list[Tensor] = field(default_factory=list)
    post: list[Tensor] = field(default_factory=list)

    def clear(self) -> None:
        """Forget, and free what was held."""
        self.pre, self.post = [], []

    def windows(self) -> list[tuple[Tensor, Tensor]]:
        """Return pairs of events ``[batch, time, pre]`` and ``[batch, time, post]``.

        Examples
        --------
        >>> record = LayerRecord([torch.ones(2, 3)] * 5, [torch.zeros(2, 4)] * 5)
        >>> [(pre.shape, post.shape) for pre, post in record.windows()]
        [(torch.Size([2, 5, 3]), torch.Size([2, 5, 4]))]
        """
        pre, post = _in_time(self.pre), _in_time(self.post)
        # A layer whose neurons were not all run (a block that was left early) has no pairs.
        return list(zip(pre, post, strict=False))


def _in_time(calls: list[Tensor]) -> list[Tensor]:
    still = all(call.ndim < 3 for call in calls)
    if still and len(calls) > 1 and len({call.shape for call in calls}) == 1:
        return [_events(torch.stack([_batched(call) for call in calls], dim=1))]
    windows = []
    for call in calls:
        if call.ndim < 3:
            shown = event_rates(_batched(call)).unsqueeze(1)
            windows.append(shown.expand(-1, STILL_TICKS, -1))
        else:
            windows.append(_events(call.reshape(-1, *call.shape[-2:])))
    return windows


def _batched(call: Tensor) -> Tensor:
    return call.unsqueeze(0) if call.ndim == 1 else call


def _events(activity: Tensor) -> Tensor:
    spikes = bool(((activity == 0) | (activity == 1)).all())
    return activity if spikes else event_rates(activity)


class Recorder:
    """Forward hooks that keep what the named layers did in the last forward pass in training mode.

    Parameters
    ----------
    model : nn.Module
        The model; a call of it begins a new record.
    layers : mapping of str to nn.Linear
        Layers to be recorded.
    sources : mapping of str to nn.Module
        Where the spikes of a layer's neurons come from, if not from the layer itself.

    Notes
    -----
    Activity is copied, without its gradient: what a later operation does in place is not seen, and
    no graph is kept alive. A layer that is called outside a call of the model keeps its last call
    alone, so memory stays bounded however a model is driven. In evaluation mode, and within
    ``torch.func`` transforms, nothing is recorded.
    """

    def __init__(
        self,
        model: nn.Module,
        layers: Mapping[str, nn.Linear],
        sources: Mapping[str, nn.Module],
    ) -> None:
        self.records = {name: LayerRecord() for name in layers}
        self._within = False
        self._paused = False
        attended = _attentions(model, layers.values())
        handles = [
            model.register_forward_pre_hook(_Begin(self)),
            model.register_forward_hook(_End(self), always_call=True),
        ]
        for name, layer in layers.items():
            source, attention = sources.get(name), attended.get(layer)
            hook = _Record(self, name, pre=True, post=source is None)
            handles.append((attention or layer).register_forward_hook(hook, with_kwargs=True))
            if source is not None:
                hook = _Record(self, name, pre=False, post=True)
                handles.append(source.register_forward_hook(hook, with_kwargs=True))
        self._handles: list[RemovableHandle] = handles

    def remove(self) -> None:
        """Take all hooks away and free what was recorded."""
        for handle in self._handles:
            handle.remove()
        self._handles = []
        self.clear()

    def clear(self) -> None:
        """Forget what was recorded."""
        for record in self.records.values():
            record.clear()

    def begin(self) -> None:
        """Begin a forward pass."""
        if not self._paused:
            self.clear()
            self._within = True

    def end(self) -> None:
        """End a forward pass."""
        self._within = self._within and self._paused

    def keep(self, name: str, pre: Tensor | None, post: Tensor | None) -> None:
        """Keep one call of a layer, or of what makes its spikes."""
        record = self.records[name]
        for side, activity in (("pre", pre), ("post", post)):
            if activity is not None:
                calls: list[Tensor] = getattr(record, side)
                if not self._within:
                    calls.clear()
                calls.append(activity.detach().clamp(min=0.0))


@dataclass
class _Begin:
    recorder: Recorder

    def __call__(self, module: nn.Module, args: Any) -> None:
        self.recorder.begin()


@dataclass
class _End:
    recorder: Recorder

    def __call__(self, module: nn.Module, args: Any, output: Any) -> None:
        self.recorder.end()


# Hooks are objects, not closures, so that a deep copy of the model records into its own recorder.
@dataclass
class _Record:
    recorder: Recorder
    name: str
    pre: bool
    post: bool

    def __call__(
        self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any
    ) -> None:
        recorder = self.recorder
        post = output if isinstance(output, Tensor) else output[0]
        if recorder._paused or not module.training or not values_readable(post):
            return
        if isinstance(module, nn.MultiheadAttention):
            recorder._paused = True
            try:
                entered = _before_projection(module, args, kwargs)
            finally:
                recorder._paused = False
            recorder.keep(self.name, _batch_first(module, entered), _batch_first(module, post))
            return
        pre = (args[0] if args else next(iter(kwargs.values()))) if self.pre else None
        recorder.keep(self.name, pre, post if self.post else None)


def records(module: nn.Module) -> bool:
    """Return whether a recorder listens to the module."""
    return any(isinstance(hook, _Record) for hook in module._forward_hooks.values())


def _attentions(model: nn.Module, layers: Iterable[nn.Module]) -> dict[nn.Module, nn.Module]:
    """Return the attention module by its output projection, whose own forward is never called."""
    wanted = set(layers)
    return {
        module.out_proj: module
        for module in model.modules()
        if isinstance(module, nn.MultiheadAttention) and module.out_proj in wanted
    }


@torch.no_grad()
def _before_projection(
    attention: nn.MultiheadAttention, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Tensor:
    """Return what enters the output projection: attention with the identity in its place."""
    projection = attention.out_proj
    replaced = {"out_proj.weight": torch.eye(projection.in_features).to(projection.weight)}
    if projection.bias is not None:
        replaced["out_proj.bias"] = torch.zeros_like(projection.bias)
    dropout, attention.dropout = attention.dropout, 0.0  # draws no random numbers either
    try:
        attended: Tensor = functional_call(attention, replaced, args, kwargs)[0]
    finally:
        attention.dropout = dropout
    return attended


def _batch_first(attention: nn.MultiheadAttention, activity: Tensor) -> Tensor:
    if activity.ndim == 2:
        return activity.unsqueeze(0)
    return activity if attention.batch_first else activity.transpose(0, 1)
