"""What every layer that owns plastic weights does: keep them, change them by a rule, and report."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from plasticish.core import ConfigError, DataError, DTypeError, Report, ShapeError, make_generator

from .plasticity_rule import PlasticityRule
from .silence import silent_cause

__all__ = ["PlasticModule", "initial_weight"]


class PlasticModule(nn.Module):
    """Mixin before ``nn.Linear`` or ``nn.Conv2d``: the weight belongs to a rule.

    The weight is a buffer, so that no optimiser sees it and gradients pass through it as through
    a constant; with ``trainable=True`` it is a parameter as ever. Its key in ``state_dict`` is the
    same either way. The mask belongs to the architecture and the traces to the moment: neither is
    in ``state_dict``, which so fits the plain torch layer both ways.

    Attributes
    ----------
    stdp_rule : PlasticityRule
        May be replaced at any time, for instance by ``rule.modulated(…)``.
    mask : Tensor or None
        Boolean, of the shape of the weight: which connections exist.
    traces : tuple of Tensor or None
        What the last update with ``carry=True`` left; assign it to restore it, None to forget it.
    """

    weight: Tensor
    bias: Any  # Tensor or None; the plain layers annotate it each in its own way
    mask: Tensor | None
    stdp_rule: PlasticityRule[Any]
    traces: Any

    def _own(
        self,
        rule: PlasticityRule[Any],
        mask: Tensor | None,
        trainable: bool,
        seed: int,
    ) -> None:
        """Take the weight over from the plain layer, and draw it."""
        _check_rule(rule)
        self.stdp_rule, self.trainable, self.seed = rule, trainable, seed
        self.traces = None
        self._told: set[str] = set()
        self.register_buffer("mask", _checked_mask(mask, self.weight), persistent=False)
        if not trainable:
            weight = self.weight.detach()
            del self.weight
            self.register_buffer("weight", weight)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weight from the seed, within the bounds of the rule; the bias becomes zero."""
        # The plain layer calls this in its constructor, before it has a rule.
        if "stdp_rule" not in self.__dict__:
            return
        with torch.no_grad():
            self.weight.copy_(initial_weight(self.weight, self.stdp_rule, self.seed))
            if self.mask is not None:
                self.weight.masked_fill_(~self.mask, 0.0)
            if self.bias is not None:
                self.bias.zero_()

    def seen_weight(self) -> Tensor:
        """Return the weight as ``forward`` uses it: no gradient reaches a missing connection."""
        if self.mask is None or not self.trainable:
            return self.weight
        weight: Tensor = _Masked.apply(self.weight, self.mask)  # type: ignore[no-untyped-call]
        return weight

    def _learn(
        self,
        pre: Tensor,
        post: Tensor,
        dt: float,
        reward: Tensor | float | None,
        *,
        carry: bool,
        scale: float = 1.0,
    ) -> Report:
        """Change the weight by spikes ``[batch, time, neurons]``; assign when all is computed."""
        rule = self.stdp_rule
        given = _reward_argument(rule, reward)
        weight = self.weight.detach().flatten(1)
        self._check_weight(weight, pre)
        with torch.no_grad():
            state = self.traces if carry else None
            change, state = rule.window(pre, post, state, weight, dt, **given)
            change = change if scale == 1.0 else change * scale
            if self.mask is not None:
                change = change.masked_fill(~self.mask.flatten(1), 0.0)
            fresh = rule.applied(weight, change)
            if self.mask is not None:
                # Where bounds exclude 0, clipping would grow connections that do not exist.
                fresh = fresh.masked_fill(~self.mask.flatten(1), 0.0)
            report = self._reported(weight, fresh, change, pre, post)
            self._assign(fresh.reshape(self.weight.shape))
        if carry:
            self.traces = state
        self._tell(report["reason"])
        return report

    def _assign(self, weight: Tensor) -> None:
        if self.trainable:
            self.weight.copy_(weight)
        else:
            # A new tensor: a graph recorded before goes back through the weight that it used.
            self.weight = weight.contiguous()

    def _check_weight(self, weight: Tensor, pre: Tensor) -> None:
        if weight.dtype != pre.dtype or weight.device != pre.device:
            raise DTypeError(
                "the spikes and the layer differ in type or device",
                got=f"{pre.dtype} on {pre.device}",
                expected=f"{weight.dtype} on {weight.device}",
                cure="move the spikes with spikes.to(layer.weight)",
            )
        refuse_outside(weight, self.mask, self.stdp_rule)

    def _reported(
        self, weight: Tensor, fresh: Tensor, change: Tensor, pre: Tensor, post: Tensor
    ) -> Report:
        moved = fresh != weight
        # Connections that do not exist cannot change, and are not counted.
        existing = weight.numel() if self.mask is None else int(self.mask.sum())
        share = int(moved.sum()) / max(existing, 1)
        reason = "" if share else silent_cause(self.stdp_rule, weight, change, pre, post, existing)
        return {
            "changed": share,
            "mean_change": float((fresh - weight).abs().sum()) / max(existing, 1),
            "silent": bool(reason),
            "reason": reason,
        }

    def _tell(self, reason: str) -> None:
        """Warn of a silence, once for each reason."""
        if not reason or reason in self._told:
            return
        self._told.add(reason)
        warnings.warn(
            f"{type(self).__name__} changed no weight: {reason}. (Said once; every report of an "
            "update has it under 'reason'.)",
            UserWarning,
            stacklevel=4,
        )

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> PlasticModule:
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        if self.traces is not None:
            self.traces = type(self.traces)(*(fn(trace) for trace in self.traces))
        return self

    def _load_from_state_dict(
        self, state_dict: Mapping[str, Any], prefix: str, *rest: Any, **more: Any
    ) -> None:
        weight = state_dict.get(f"{prefix}weight")
        if self.mask is not None and weight is not None and weight.shape == self.mask.shape:
            stray = int((weight.to(self.mask.device)[~self.mask] != 0).sum())
            if stray:
                raise DataError(
                    f"{prefix}weight has connections that the mask of this layer excludes",
                    got=f"{stray} weights that are not 0",
                    expected="0 wherever mask is False",
                    cure="build the layer with the mask that the weights were learned with",
                )
        super()._load_from_state_dict(state_dict, prefix, *rest, **more)


class _Masked(torch.autograd.Function):
    """The weight itself, whose gradient is 0 where the mask is False."""

    generate_vmap_rule = True

    @staticmethod
    def forward(weight: Tensor, mask: Tensor) -> Tensor:
        return weight.view_as(weight)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(inputs[1])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (mask,) = ctx.saved_tensors
        return gradient.masked_fill(~mask, 0.0), None


def initial_weight(like: Tensor, rule: PlasticityRule[Any], seed: int) -> Tensor:
    r"""Return weights drawn evenly from the part of :math:`\pm 1/\sqrt{fan_{in}}` within bounds.

    Where bounds exclude that interval, from an interval of its length at their nearer end.

    Examples
    --------
    >>> from plasticish.spiking.stdp_rules import ClassicalSTDP
    >>> drawn = initial_weight(torch.empty(8, 4), ClassicalSTDP(w_min=0.0), seed=0)
    >>> bool(drawn.min() >= 0), bool(drawn.max() <= 0.5)
    (True, True)
    """
    reach = like[0].numel() ** -0.5
    low, high = max(rule.w_min, -reach), min(rule.w_max, reach)
    if low >= high and rule.w_min > 0:
        low, high = rule.w_min, min(rule.w_max, rule.w_min + 2 * reach)
    elif low >= high:
        low, high = max(rule.w_min, rule.w_max - 2 * reach), rule.w_max
    # Drawn on the CPU, so that a seed means the same weights on every device.
    drawn = torch.rand(like.shape, generator=make_generator(seed), dtype=torch.float64)
    weight: Tensor = (low + (high - low) * drawn).to(like)
    return weight.clamp(rule.w_min, rule.w_max)


def refuse_outside(weight: Tensor, mask: Tensor | None, rule: PlasticityRule[Any]) -> None:
    """Raise :class:`DataError` for a weight that is NaN or outside the bounds of the rule."""
    if mask is not None and not rule.w_min <= 0 <= rule.w_max:
        weight = weight[mask.view_as(weight)]  # a missing connection is 0 whatever the bounds
    if torch.equal(weight.clamp(rule.w_min, rule.w_max), weight):
        return
    raise DataError(
        "the weights are outside the bounds of the rule",
        got=f"[{float(weight.min()):.4g}, {float(weight.max()):.4g}]",
        expected=f"[{rule.w_min:g}, {rule.w_max:g}]",
        cure="clamp them first, or give the rule wider w_min and w_max",
    )


def _check_rule(rule: object) -> None:
    if not isinstance(rule, PlasticityRule):
        raise DTypeError(
            "this is no plasticity rule",
            got=type(rule).__name__,
            expected="such as ClassicalSTDP() or TripletSTDP()",
        )


def _checked_mask(mask: Tensor | None, weight: Tensor) -> Tensor | None:
    if mask is None:
        return None
    if mask.dtype != torch.bool:
        raise DTypeError(
            "the mask is not boolean",
            got=str(mask.dtype),
            expected="torch.bool, True where a connection exists",
            cure="compare, as in mask > 0",
        )
    if mask.shape != weight.shape:
        raise ShapeError(
            "the mask does not fit the weight",
            got=str(tuple(mask.shape)),
            expected=str(tuple(weight.shape)),
        )
    return mask.detach().clone().to(weight.device)


def _reward_argument(
    rule: PlasticityRule[Any], reward: Tensor | float | None
) -> dict[str, Tensor | float]:
    if not rule.takes_reward and reward is not None:
        raise ConfigError(
            f"the rule {rule.kind!r} takes no reward",
            got="a reward",
            cure="leave it out, or give the layer RewardModulatedSTDP",
        )
    # A rule that needs a reward and gets none says so itself.
    return {} if reward is None else {"reward": reward}
