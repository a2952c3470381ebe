"""What a meta-plastic network refuses: sizes, rules and activities that do not fit it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from plasticish.core import ConfigError, ShapeError
from plasticish.rules.spike_checks import check_spikes

from .meta_layer import MetaPlasticLayer
from .plasticity_rule import PlasticityRule

__all__ = ["Activities", "check_activities", "check_rule", "checked_sizes"]

Activities = Sequence[tuple[Tensor, Tensor]]
"""Pre- and postsynaptic trains of each layer, ``[batch, time, units]``."""


def checked_sizes(sizes: Sequence[int]) -> tuple[int, ...]:
    """Return the widths of the layers.

    Raises
    ------
    ConfigError
        If they are fewer than two, or one is not a whole number > 0.
    """
    whole = all(isinstance(size, int) and not isinstance(size, bool) and size > 0 for size in sizes)
    if len(sizes) < 2 or not whole:
        raise ConfigError(
            "layer_sizes are unusable",
            got=repr(list(sizes)),
            expected="at least two whole numbers > 0",
            cure="give the width of the input, of the hidden layers, and the number of classes",
        )
    return tuple(sizes)


def check_rule(rule: PlasticityRule[Any], mean_weight: float) -> None:
    """Refuse a rule whose bounds do not hold the mean that weights are scaled to.

    Raises
    ------
    ConfigError
        If they do not.
    """
    if not 0 <= rule.w_min < mean_weight < rule.w_max:
        raise ConfigError(
            "the bounds of the rule do not suit a layer of winners",
            got=f"[{rule.w_min:g}, {rule.w_max:g}]",
            expected=f"0 <= w_min < {mean_weight} < w_max",
            cure=f"synaptic scaling holds the mean weight of each neuron at {mean_weight}",
        )


def check_activities(layers: Sequence[MetaPlasticLayer], activities: Activities) -> None:
    """Refuse activities that are not one pair of trains a layer, each of its widths.

    Raises
    ------
    ShapeError, DTypeError, DataError
        Another number of pairs; trains that do not fit the layer or each other; NaN.
    """
    if len(activities) != len(layers):
        raise ShapeError(
            "the activities do not fit the network",
            got=f"{len(activities)} pairs",
            expected=f"{len(layers)}, one (pre, post) a layer",
        )
    for i, (layer, (pre, post)) in enumerate(zip(layers, activities, strict=True)):
        check_spikes(pre, post, axes=3, dt=1.0)
        got, fit = (pre.shape[2], post.shape[2]), (layer.in_features, layer.out_features)
        if got != fit:
            raise ShapeError(
                f"the spikes do not fit layer {i}",
                got=f"{got[0]} pre and {got[1]} post",
                expected=f"{fit[0]} pre and {fit[1]} post",
            )
