r"""Elastic weight consolidation: what mattered is held by springs, the rest stays free.

.. math:: E(\theta) = \frac{\lambda}{2} \sum_i F_i (\theta_i - \theta^*_i)^2

*Offline* [1]_ adds one such quadratic for every task. A sum of quadratics is one quadratic and a
constant [2]_,

.. math::
    F_1 (\theta - \theta_1)^2 + F_2 (\theta - \theta_2)^2
      = (F_1 + F_2)(\theta - \bar\theta)^2 + \frac{F_1 F_2}{F_1 + F_2} (\theta_1 - \theta_2)^2,
    \qquad \bar\theta = \frac{F_1 \theta_1 + F_2 \theta_2}{F_1 + F_2},

so any number of tasks costs two numbers a weight, and is still the sum exactly. *Online* [3]_
keeps one quadratic around the newest weights, and lets older importance fade:
:math:`F \leftarrow \gamma F + \alpha F_{new}`, :math:`\theta^* \leftarrow \theta`.

References
----------
.. [1] J. Kirkpatrick et al., "Overcoming catastrophic forgetting in neural networks", PNAS 114
   (2017).
.. [2] F. Huszár, "Note on the quadratic penalties in elastic weight consolidation", PNAS 115
   (2018).
.. [3] J. Schwarz et al., "Progress & Compress: a scalable framework for continual learning", ICML
   2018.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from plasticish.core import ConfigError, DataError, Persistent, ShapeError, State

__all__ = ["ElasticWeights"]


class ElasticWeights(Persistent):
    """Springs between a module's weights and the values that served earlier tasks.

    Parameters
    ----------
    strength : float
        :math:`\\lambda \\ge 0`.
    online : bool
        One fading quadratic [3]_, or the sum of all tasks' [1]_.
    decay : float
        :math:`\\gamma \\in [0, 1]`: what is left of older importance (online).
    rate : float
        :math:`\\alpha > 0`: how much new importance counts.

    Examples
    --------
    >>> model = torch.nn.Linear(1, 1, bias=False)
    >>> _ = torch.nn.init.zeros_(model.weight)
    >>> springs = ElasticWeights(strength=2.0)
    >>> springs.consolidate(model, {"weight": torch.tensor([[3.0]])})
    >>> _ = torch.nn.init.ones_(model.weight)
    >>> springs.penalty(model).item()  # 2/2 · 3 · 1²
    3.0
    """

    kind = "elastic_weights"

    def __init__(
        self,
        strength: float = 1000.0,
        *,
        online: bool = True,
        decay: float = 0.95,
        rate: float = 1.0,
    ) -> None:
        for name, value, low, high in (
            ("strength", strength, 0.0, float("inf")),
            ("decay", decay, 0.0, 1.0),
            ("rate", rate, 0.0, float("inf")),
        ):
            if not low <= value <= high or value == float("inf"):
                raise ConfigError(
                    f"{name} is out of range",
                    got=repr(value),
                    expected=f"{low} <= {name} <= {high}",
                )
        self.strength, self.online, self.decay, self.rate = strength, online, decay, rate
        self.importance: dict[str, Tensor] = {}
        self.anchor: dict[str, Tensor] = {}
        self.tasks = 0
        self._constant = 0.0
        self._shares: dict[str, tuple[float, Tensor]] = {}

    def consolidate(self, model: nn.Module, importance: Mapping[str, Tensor]) -> None:
        """Hold the weights where they are now, each as strongly as it matters.

        Raises
        ------
        ShapeError, DataError
            If an importance does not fit its parameter, or is negative or not finite; nothing is
            changed.
        """
        weights = _chosen(model, importance)
        for name, new in importance.items():
            if new.shape != weights[name].shape:
                raise ShapeError(
                    f"the importance of {name} has the wrong shape",
                    got=str(tuple(new.shape)),
                    expected=str(tuple(weights[name].shape)),
                )
            if not bool((torch.isfinite(new) & (new >= 0)).all()):
                raise DataError(
                    f"the importance of {name} is not usable", expected="finite numbers >= 0"
                )
        for name, new in importance.items():
            # In float64: the millionth task moves an anchor by less than float32 can tell.
            self._add(name, self.rate * new.detach().double(), weights[name].detach().double())
        self.tasks += 1
        self._shares = {}

    def _add(self, name: str, new: Tensor, weight: Tensor) -> None:
        if name not in self.importance:
            self.importance[name], self.anchor[name] = new.clone(), weight.clone()
            return
        old, anchor = self.importance[name], self.anchor[name]
        if self.online:
            self.importance[name], self.anchor[name] = self.decay * old + new, weight.clone()
            return
        total = old + new
        share = torch.where(total > 0, new / total.clamp_min(torch.finfo(total.dtype).tiny), 0.0)
        self._constant += float((old * share * (weight - anchor).square()).sum(dtype=torch.float64))
        self.importance[name], self.anchor[name] = total, torch.lerp(anchor, weight, share)

    def penalty(self, model: nn.Module) -> Float[Tensor, ""]:
        """Return the energy of the springs, a scalar that passes gradients to the parameters."""
        weights = _chosen(model, self.importance)
        total = next(iter(weights.values())).new_tensor(self._constant)
        for name in sorted(self.importance):  # a checkpoint may have them in another order
            way = weights[name] - self.anchor[name].to(weights[name])
            total = total + (self.importance[name].to(way) * way.square()).sum()
        return 0.5 * self.strength * total

    @torch.no_grad()
    def pull(self, model: nn.Module, rate: float | Mapping[str, float]) -> None:
        r"""Move the weights towards their anchors: the proximal step of the energy.

        .. math::
            \theta \leftarrow \arg\min_u \; E(u) + \frac{1}{2\eta}\lVert u - \theta \rVert^2
                   = \theta + \frac{\eta \lambda F}{1 + \eta \lambda F} (\theta^* - \theta)

        A gradient step on E overshoots, and diverges, wherever :math:`\eta \lambda F > 2`; this one
        is stable for any strength and any importance.

        Parameters
        ----------
        model : nn.Module
            Whose weights move.
        rate : float or mapping of str to float
            :math:`\eta`, the step of the optimizer, for all parameters or by name.
        """
        weights = _chosen(model, self.importance)
        for name in self.importance:
            eta = float(rate if isinstance(rate, int | float) else rate[name])
            weight = weights[name]
            weight.lerp_(self.anchor[name].to(weight), self._share(name, eta).to(weight))

    def _share(self, name: str, eta: float) -> Tensor:
        """Return how far a pull goes; kept from step to step, while the rate stays the same."""
        if name not in self._shares or self._shares[name][0] != eta:
            h = eta * self.strength * self.importance[name]
            self._shares[name] = (eta, h / (1 + h))
        return self._shares[name][1]

    def config(self) -> dict[str, Any]:
        """Return the constructor arguments."""
        return {
            "strength": self.strength,
            "online": self.online,
            "decay": self.decay,
            "rate": self.rate,
        }

    def export_state(self) -> State:
        """Return importance and anchors."""
        parts = {
            "importance": State({}, {name: t.clone() for name, t in self.importance.items()}),
            "anchor": State({}, {name: t.clone() for name, t in self.anchor.items()}),
        }
        nested = State.nest(parts)
        return State({"tasks": self.tasks, "constant": self._constant}, nested.tensors)

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned."""
        tasks, constant = int(state.values["tasks"]), float(state.values["constant"])
        importance, anchor = (
            {name: t.double().clone() for name, t in state.part(part).tensors.items()}
            for part in ("importance", "anchor")
        )
        if {n: t.shape for n, t in importance.items()} != {n: t.shape for n, t in anchor.items()}:
            raise DataError("importance and anchors do not fit each other")
        self.tasks, self._constant = tasks, constant
        self.importance, self.anchor, self._shares = importance, anchor, {}


def _chosen(model: nn.Module, importance: Mapping[str, Tensor]) -> dict[str, Tensor]:
    weights: dict[str, Tensor] = dict(model.named_parameters())
    missing = [name for name in importance if name not in weights]
    if missing:
        raise ConfigError(
            "the importance is of another model",
            got=f"no parameter {missing[0]!r}",
            cure="give the model whose importance was computed",
        )
    return weights
