"""The outgoing synapses of a triarchic brain: a slow protected core, a fast fading context."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from plasticish.core import State

from .triarchic_options import TriarchicOptions

__all__ = ["TwoSpeedSynapses"]

ARRAYS = ("core", "context", "importance")


class TwoSpeedSynapses:
    """Synapses from a sparse code to the labels, each with a slow part, a fast part and a lock.

    Parameters
    ----------
    hidden_size, out_size : int
        Units of the code, labels.
    options : TriarchicOptions
        Rates.
    device : torch.device
        Where the weights live.

    Notes
    -----
    Local throughout: a synapse changes by the error of its own label times the activity of its
    own unit. Ba et al. (2016) for the context, Kirkpatrick et al. (2017) for the lock, which is
    earned by use here and not derived from a Fisher matrix.
    """

    def __init__(
        self, hidden_size: int, out_size: int, options: TriarchicOptions, device: torch.device
    ) -> None:
        self.options = options
        shape = (out_size, hidden_size)
        self.core = torch.zeros(shape, device=device)
        self.context = torch.zeros(shape, device=device)
        # In float64: it is added to for life, a little at a time.
        self.importance = torch.zeros(shape, dtype=torch.float64, device=device)

    def logits(self, code: Float[Tensor, "batch hidden"]) -> Float[Tensor, "batch out"]:
        """Return what core and context say together."""
        return self.options.logit_scale * (code @ (self.core + self.context).T)

    def brake(self) -> Float[Tensor, "out hidden"]:
        """Return how firmly each synapse of the core is held, 0 free to 1 locked."""
        return (self.options.brake_gain * self.importance).clamp(0.0, 1.0).float()

    def energy(self) -> float:
        """Return the Frobenius norm of the context."""
        return float(self.context.norm())

    def learn(
        self,
        code: Float[Tensor, "batch hidden"],
        y: Int[Tensor, " batch"],
        free: Bool[Tensor, " batch"],
        storm: bool,
    ) -> dict[str, Any]:
        """Apply the delta rule to the context, and to the core for the examples that are free.

        Returns accuracy and loss before, energy after, and the relative change of the core.
        """
        chosen, target = self.options, one_hot(y, len(self.core)).float()
        logits = self.logits(code)
        error = target - logits.softmax(dim=1)
        correct = logits.argmax(dim=1) == y
        batch = len(y) if chosen.pace is None else chosen.pace
        decay = chosen.context_decay ** (1.0 if chosen.pace is None else len(y) / chosen.pace)
        rate = chosen.context_rate * (chosen.storm_gain if storm else 1.0)
        self.context = decay * (self.context + rate * (error.T @ code) / batch)
        delta = (error * free[:, None]).T @ code / batch
        step = chosen.core_rate * delta * (1 - self.brake())
        self.core = self.core + step
        contribution = (target * (correct & free)[:, None]).T @ code / batch
        self.importance = self.importance + chosen.importance_gain * contribution
        size = float(self.core.norm())
        return {
            "accuracy": float(correct.float().mean()),
            "loss": float(cross_entropy(logits, y)),
            "context_energy": self.energy(),
            "core_change": float(step.norm()) / size if size > 0 else 0.0,
        }

    def vote(self, units: Int[Tensor, " new"], y: Int[Tensor, " new"]) -> None:
        """Let new units speak for their labels."""
        self.core[y, units] = 1.0

    def cut(self, units: Bool[Tensor, " hidden"]) -> None:
        """Remove every synapse of these units."""
        for weights in (self.core, self.context, self.importance):
            weights[:, units] = 0.0

    def export_state(self) -> State:
        """Return the weights."""
        return State(tensors={name: getattr(self, name).clone() for name in ARRAYS})

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned."""
        for name in ARRAYS:
            getattr(self, name).copy_(state.tensors[name])
