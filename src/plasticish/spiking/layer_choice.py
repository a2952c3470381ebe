"""Which linear layers of a model a local rule may have, and which are meant by a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import nn
from torch.nn.parameter import UninitializedParameter

from plasticish.core import ConfigError, DTypeError, NotReadyError

__all__ = ["chosen_layers", "linear_layers", "spike_sources"]


def linear_layers(model: nn.Module) -> dict[str, nn.Linear]:
    """Return every linear layer that owns its weight, by its name; a shared one once.

    A weight that is made anew from others at every call (a parametrisation such as weight
    normalisation) or that is no parameter is not the layer's own: what a rule adds would be lost.

    Raises
    ------
    DTypeError, ConfigError, NotReadyError
        If it is no model, has no such layer, or one is lazy and has no weight yet.
    """
    if not isinstance(model, nn.Module):
        raise DTypeError("this is no model", got=type(model).__name__, expected="an nn.Module")
    found = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and module._parameters.get("weight") is not None
    }
    if not found:
        raise ConfigError(
            "the model has no Linear layer",
            got=type(model).__name__,
            expected="at least one nn.Linear that owns its weight",
            cure="local learning needs one; a convolution can learn by STDPConv2d",
        )
    for name, layer in found.items():
        if isinstance(layer.weight, UninitializedParameter):
            raise NotReadyError(
                f"the layer {name!r} is lazy and has no weight yet",
                cure="run the model on one batch first",
            )
    return found


def chosen_layers(model: nn.Module, wanted: Sequence[str] | None) -> dict[str, nn.Linear]:
    """Return the layers that ``wanted`` means.

    Parameters
    ----------
    model : nn.Module
        Any model.
    wanted : sequence of str, optional
        Each entry is the name of a layer, or else of a module that holds layers, or else a part of
        names; the first of these that fits is meant. None means the layers whose postsynaptic
        spikes are known (:func:`spike_sources`), or every layer where there are none.

    Raises
    ------
    ConfigError, DTypeError
        If an entry matches nothing (all names are listed), or there are none.

    Examples
    --------
    >>> model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    >>> list(chosen_layers(model, ["2"]))
    ['2']
    >>> chosen_layers(model, ["fc"])
    Traceback (most recent call last):
        ...
    plasticish.core.errors.ConfigError: no layer matches: got 'fc', expected a part of one of: \
'0', '2'
    """
    layers = linear_layers(model)
    if wanted is None:
        spiking = spike_sources(model)
        return {name: layers[name] for name in layers if name in spiking} or layers
    if isinstance(wanted, str):
        raise DTypeError(
            "layers_to_enhance is a single text",
            got=repr(wanted),
            expected="a list of names",
            cure=f"write [{wanted!r}]",
        )
    names = {name for entry in wanted for name in _matching(entry, list(layers))}
    if not names:
        raise ConfigError(
            "layers_to_enhance is empty", cure="name at least one layer, or give None for all"
        )
    return {name: layer for name, layer in layers.items() if name in names}


def _matching(entry: str, names: list[str]) -> list[str]:
    if entry in names:
        return [entry]
    below = [name for name in names if name.startswith(f"{entry}.")]
    matches = below or [name for name in names if entry and entry in name]
    if not matches:
        raise ConfigError(
            "no layer matches",
            got=repr(entry),
            expected="a part of one of: " + ", ".join(repr(name) for name in names),
        )
    return matches


def spike_sources(model: nn.Module) -> dict[str, nn.Module]:
    """Return, by the name of a linear layer, the module whose output its neurons' spikes are.

    A module says so of its children by an attribute ``postsynaptic``, a mapping from the name of a
    linear child to the name of a spiking one, as
    :class:`~plasticish.spiking.hybrid.HybridBlock` does.
    """
    sources = {}
    for name, module in model.named_modules():
        declared = getattr(module, "postsynaptic", None)
        if not isinstance(declared, Mapping):
            continue
        for linear, spiking in declared.items():
            sources[f"{name}.{linear}" if name else linear] = module.get_submodule(spiking)
    return sources
