"""Models that a few plain values describe, so that a checkpoint can build them again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from plasticish.core import ConfigError, Registry, make_generator, spawn_seed

__all__ = ["MLP", "MODELS", "ModelSpec", "build_model"]

ModelSpec = Mapping[str, Any]
"""``{"kind": name in MODELS, **arguments}``, as JSON can hold it."""

MODELS: Registry[Callable[..., nn.Module]] = Registry("model", "plasticish.models")
"""What makes a module from keyword arguments, ``seed`` among them; by permanent name."""


def build_model(spec: ModelSpec, seed: int = 0) -> nn.Module:
    """Return the module that ``spec`` describes, with weights drawn from ``seed``.

    Raises
    ------
    ConfigError
        If the kind is unknown, or its arguments are.

    Examples
    --------
    >>> model = build_model({"kind": "mlp", "sizes": [4, 8, 2]})
    >>> model(torch.zeros(3, 4)).shape
    torch.Size([3, 2])
    """
    arguments = dict(spec)
    if "kind" not in arguments:
        raise ConfigError(
            "this model has no kind", got=str(arguments), expected="one of: " + ", ".join(MODELS)
        )
    make = MODELS[arguments.pop("kind")]
    try:
        return make(**arguments, seed=seed)
    except TypeError as error:
        raise ConfigError(f"the model {spec['kind']!r} cannot be made", got=str(error)) from error


@MODELS.register("mlp")
class MLP(nn.Sequential):
    """Linear layers with ReLUs between them; examples of any shape are flattened.

    Parameters
    ----------
    sizes : sequence of int
        Widths of the input, the hidden layers and the output: two at least.
    seed : int
        Of the weights: uniform within ``±sqrt(1 / fan_in)``, as torch has them.

    Examples
    --------
    >>> [name for name, _ in MLP([4, 8, 2]).named_parameters()]
    ['1.weight', '1.bias', '3.weight', '3.bias']
    """

    def __init__(self, sizes: Sequence[int], *, seed: int = 0) -> None:
        if len(sizes) < 2 or min(sizes) < 1:
            raise ConfigError(
                "the sizes of the network are not usable",
                got=str(list(sizes)),
                expected="two or more widths > 0",
            )
        layers: list[nn.Module] = [nn.Flatten()]
        for number, (fan_in, fan_out) in enumerate(pairwise(sizes)):
            layers += [nn.ReLU()] if number else []
            layers.append(_linear(fan_in, fan_out, make_generator(spawn_seed(seed, number))))
        super().__init__(*layers)


def _linear(fan_in: int, fan_out: int, generator: torch.Generator) -> nn.Linear:
    # Not initialised by torch: that would draw from the global generator.
    layer: nn.Linear = nn.utils.skip_init(nn.Linear, fan_in, fan_out)  # type: ignore[no-untyped-call]
    parameters: tuple[Tensor, ...] = (layer.weight, layer.bias)
    for parameter in parameters:
        nn.init.uniform_(parameter, -(fan_in**-0.5), fan_in**-0.5, generator=generator)
    return layer
