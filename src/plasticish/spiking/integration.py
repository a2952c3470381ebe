"""Local learning added to any model, and taken away again.

>>> import torch
>>> from torch import nn
>>> model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
>>> model = integrate_stdp_into_model(model, stdp_type="classical", layers_to_enhance=["0"])
>>> enhanced_layers(model)
['0']
>>> loss = model(torch.rand(16, 4)).square().mean()
>>> loss.backward()  # an optimiser may step here, as ever
>>> update_plasticity(model)["updated"]
1
>>> model = remove_plasticity(model)

The model stays the same object with the same modules, parameters and ``state_dict``: forward hooks
record what its linear layers do in training mode (:mod:`plasticish.spiking.recording`), and
:func:`update_plasticity` makes one step of the rule on it
(:mod:`plasticish.spiking.local_learning`). What they estimate can be saved
(:mod:`plasticish.spiking.plasticity_state`). Order: forward, backward, optimiser, local step; the
weights change in place, so a graph that is still to be gone back through must not wait.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from torch import nn

from plasticish.core import ConfigError, DTypeError, Report
from plasticish.modulation import MetaPlasticityController

from . import rate_rules, stdp_rules  # noqa: F401 - they enter their rules into RULES
from .layer_choice import chosen_layers, linear_layers
from .local_learning import LayerFactors, LocalLearning
from .plasticity_rule import RULES, PlasticityRule

__all__ = [
    "enhanced_layers",
    "integrate_meta_plasticity",
    "integrate_stdp_into_model",
    "plasticity_factors",
    "remove_plasticity",
    "update_plasticity",
]


TARGET_RATE = 0.1
"""Share of ticks with a spike that homeostasis holds: what an activity of 1 is recorded as."""


def integrate_stdp_into_model(
    model: nn.Module,
    stdp_type: str | PlasticityRule[Any] = "homeostatic",
    learning_rate: float = 0.01,
    layers_to_enhance: Sequence[str] | None = None,
) -> nn.Module:
    """Give linear layers of a model a local rule, and return the same model.

    Parameters
    ----------
    model : nn.Module
        Any model with at least one ``nn.Linear`` that owns its weight.
    stdp_type : str or PlasticityRule
        A name of :data:`~plasticish.spiking.plasticity_rule.RULES` (for the published parameters
        of that rule; a target rate, where it has one, is 0.1), or a rule with parameters of one's
        own. Its ``w_min`` and ``w_max`` are replaced by bounds relative to each layer.
    learning_rate : float
        Of a rule that is given by name, >= 0; a rule object brings its own.
    layers_to_enhance : sequence of str, optional
        Names of layers, or of modules that hold some, or parts of names. None means the layers
        whose postsynaptic spikes the model declares, or every linear layer where it declares none.

    Returns
    -------
    nn.Module
        ``model`` itself.

    Raises
    ------
    ConfigError
        If the model has no linear layer, a name matches none, the rule is unknown or its rate out
        of range, or the model has local learning already. Nothing is changed then.
    DTypeError
        If it is no model, or the rule is none.

    Examples
    --------
    >>> from plasticish.spiking.network import LiquidSpikingNetwork
    >>> model = LiquidSpikingNetwork({"inputs": 4, "outputs": 2, "blocks": 2})
    >>> enhanced_layers(integrate_stdp_into_model(model, "classical"))
    ['hybrid_blocks.0.synapse', 'hybrid_blocks.1.synapse']
    """
    rule = _rule(stdp_type, learning_rate)
    layers = chosen_layers(model, layers_to_enhance)
    learning = LocalLearning.find(model)
    if learning is not None and learning.enhanced:
        raise ConfigError(
            "the model has local learning already",
            got=f"{len(learning.enhanced)} enhanced layers",
            cure="call remove_plasticity(model) first",
        )
    if learning is None:
        learning = LocalLearning.attach(model, layers)
    for name in layers:
        learning.layers[name].adopt(rule)
    return model


def integrate_meta_plasticity(
    model: nn.Module,
    meta_lr: float = 0.001,
    *,
    hidden_dim: int = 128,
    history_length: int = 100,
    seed: int = 0,
) -> nn.Module:
    """Let a controller steer the plasticity of the enhanced layers, or of every linear layer.

    At every :func:`update_plasticity` it is told the activity of the layers, performance and loss,
    and its factors multiply each layer's rule at the next one. An optimiser can listen too, by
    :func:`plasticity_factors`; where no layer has a rule that is all that the factors are for.

    Parameters
    ----------
    model : nn.Module
        Any model with at least one ``nn.Linear``, enhanced or not.
    meta_lr, hidden_dim, history_length, seed
        As of :class:`~plasticish.modulation.MetaPlasticityController`.

    Returns
    -------
    nn.Module
        ``model`` itself.

    Raises
    ------
    ConfigError
        If the model has no linear layer or has a controller already, if a rule in it cannot be
        modulated, or an argument is out of range. Nothing is changed then.

    Examples
    --------
    >>> model = integrate_meta_plasticity(nn.Sequential(nn.Linear(4, 2)))
    >>> plasticity_factors(model)
    {'0': LayerFactors(learning_rate=1.0, time_constant=1.0, stability=1.0)}
    """
    learning = LocalLearning.find(model)
    layers = linear_layers(model) if learning is None else learning.layers
    if learning is not None:
        if learning.controller is not None:
            raise ConfigError(
                "the model has meta-plasticity already", cure="call remove_plasticity(model) first"
            )
        for name, part in learning.enhanced.items():
            if not hasattr(part.rule, "modulated"):
                raise ConfigError(
                    f"the rule of {name!r} cannot be modulated",
                    got=type(part.rule).__name__,
                    expected="a method modulated(learning_rate, time_constant)",
                )
    controller = MetaPlasticityController(
        len(layers), hidden_dim, history_length, meta_lr, seed=seed
    )
    learning = learning or LocalLearning.attach(model, linear_layers(model))
    learning.controller = controller
    return model


def remove_plasticity(model: nn.Module) -> nn.Module:
    """Take local learning and meta-plasticity away; the weights stay as they are.

    Returns
    -------
    nn.Module
        ``model`` itself, with no trace of either.

    Raises
    ------
    ConfigError
        If there is nothing to take away.

    Examples
    --------
    >>> model = integrate_stdp_into_model(nn.Sequential(nn.Linear(4, 2)), "classical")
    >>> enhanced_layers(remove_plasticity(model))
    []
    """
    LocalLearning.of(model).detach(model)
    return model


def enhanced_layers(model: nn.Module) -> list[str]:
    """Return the names of exactly those layers that have a local rule."""
    learning = LocalLearning.find(model)
    return [] if learning is None else list(learning.enhanced)


def update_plasticity(
    model: nn.Module,
    *,
    performance: float | None = None,
    loss: float | None = None,
    dt: float = 1.0,
) -> Report:
    """Make one local step on what the layers did in the last forward pass in training mode.

    Parameters
    ----------
    model : nn.Module
        A model with local learning, meta-plasticity, or both.
    performance : float, optional
        How well it went, higher is better; the reward of a rule that learns by reward.
    loss : float, optional
        Lower is better. With meta-plasticity at least one of the two is needed.
    dt : float
        Length of a tick, ms, > 0.

    Returns
    -------
    dict
        ``updated``, the number of layers that changed, and ``layers``: for each enhanced one
        ``changed`` (share of its weights), ``relative_change`` (mean size of the change over mean
        size of the weights), ``activity`` (chance of a postsynaptic spike in a tick), ``silent``
        and ``reason``, why nothing changed.

    Raises
    ------
    ConfigError
        If the model has neither, ``dt`` is not > 0, or a signal is missing.
    NotReadyError
        If there was no forward pass in training mode since the last update.
    DataError
        If activity, weights or signals are not finite. In all cases nothing is changed.

    Examples
    --------
    >>> import torch
    >>> model = integrate_stdp_into_model(nn.Sequential(nn.Linear(4, 2)), "classical")
    >>> _ = model(torch.rand(8, 4))
    >>> list(update_plasticity(model)["layers"]["0"])
    ['changed', 'relative_change', 'activity', 'silent', 'reason']
    """
    return LocalLearning.of(model).update(performance, loss, dt)


def plasticity_factors(model: nn.Module) -> dict[str, LayerFactors]:
    """Return the factors of meta-plasticity by layer; all 1 before the first update.

    An optimiser listens by scaling the gradients of a layer before its step.

    Raises
    ------
    ConfigError
        If the model has no meta-plasticity.

    Examples
    --------
    >>> model = integrate_meta_plasticity(nn.Sequential(nn.Linear(4, 2)))
    >>> for name, factors in plasticity_factors(model).items():
    ...     for parameter in model.get_submodule(name).parameters():
    ...         if parameter.grad is not None:
    ...             parameter.grad.mul_(factors.learning_rate)
    """
    learning = LocalLearning.of(model)
    if learning.controller is None:
        raise ConfigError(
            "the model has no meta-plasticity", cure="call integrate_meta_plasticity(model) first"
        )
    return learning.factors()


def _rule(stdp_type: str | PlasticityRule[Any], learning_rate: float) -> PlasticityRule[Any]:
    if isinstance(stdp_type, str):
        make: Any = RULES[stdp_type]
        names = {field.name for field in fields(make)}
        if "learning_rate" not in names:
            raise ConfigError(
                f"the rule {stdp_type!r} is not complete by its name",
                cure=f"give the rule itself: {make.__name__}(…)",
            )
        preset = {"target_rate": TARGET_RATE} if "target_rate" in names else {}
        made: PlasticityRule[Any] = make(learning_rate=learning_rate, **preset)
        return made
    if not isinstance(stdp_type, PlasticityRule) or not is_dataclass(stdp_type):
        raise DTypeError(
            "this is no plasticity rule",
            got=type(stdp_type).__name__,
            expected="one of: " + ", ".join(RULES) + "; or a rule such as ClassicalSTDP()",
        )
    return stdp_type
