"""Meta-plasticity of an optimizer: a controller watches the layers and scales what they learn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from plasticish.modulation import MetaPlasticityController

from .layer_choice import linear_layers

__all__ = ["MetaGate"]


class MetaGate:
    """Between a module and its optimizer: one factor of learning and one of stability a layer.

    The optimizer's step is scaled rather than the gradient: adaptive optimizers would divide a
    factor on the gradient out again.

    Parameters
    ----------
    model : nn.Module
        With at least one linear layer.
    seed : int
        Of the controller.
    bounds : pair of float
        Smallest and largest factor. Narrower than the controller's own: beside replay and springs
        a tenfold learning rate does more harm than surprise is worth.
    """

    def __init__(
        self, model: nn.Module, seed: int = 0, bounds: tuple[float, float] = (0.5, 2.0)
    ) -> None:
        self.model, self.layers = model, list(linear_layers(model))
        self.controller = MetaPlasticityController(len(self.layers), bounds=bounds, seed=seed)
        self._activity: dict[str, Tensor] = {}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Note the mean size of what each layer puts out, in what runs inside."""
        hooks = [
            self.model.get_submodule(name).register_forward_hook(self._note(name))
            for name in self.layers
        ]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _note(self, name: str):  # type: ignore[no-untyped-def]
        def hook(module: nn.Module, inputs: object, output: Tensor) -> None:
            self._activity[name] = output.detach().abs().mean()

        return hook

    def observe(self, performance: float, loss: float) -> None:
        """Tell the controller how it went; its factors hold from now on."""
        silent = torch.zeros(())
        activity = [self._activity.get(name, silent).float().cpu() for name in self.layers]
        self.controller.observe(torch.stack(activity), performance, loss)

    def parameters(self) -> dict[str, int]:
        """Return the number of its layer, by name of parameter."""
        return {
            f"{layer}.{name}" if layer else name: number
            for number, layer in enumerate(self.layers)
            for name, _ in self.model.get_submodule(layer).named_parameters()
        }

    def weights(self) -> dict[str, Tensor]:
        """Return a copy of the weights that are steered."""
        weights = dict(self.model.named_parameters())
        return {name: weights[name].detach().clone() for name in self.parameters()}

    @torch.no_grad()
    def scale(self, before: dict[str, Tensor]) -> None:
        """Scale the way from ``before`` to where the optimizer went."""
        factors = self.controller.factors.learning_rate.tolist()
        weights = dict(self.model.named_parameters())
        for name, number in self.parameters().items():
            weights[name].copy_(torch.lerp(before[name], weights[name], factors[number]))

    def stability(self, rates: dict[str, float]) -> dict[str, float]:
        """Return the pull of the springs by parameter, as firm as the controller wants it."""
        factors = self.controller.factors.stability.tolist()
        numbers = self.parameters()
        return {n: r * factors[numbers[n]] if n in numbers else r for n, r in rates.items()}
