"""One step of the continual learner down its loss, and what holds and steers it.

The optimizer goes first, wherever its own rule takes it. Then the gate of meta-plasticity scales
the way that it went, the springs pull back what mattered to earlier tasks (a proximal step, after
the descent), and the layers with a local rule make their step of plasticity last.
"""

from __future__ import annotations

from math import isfinite

import torch
from torch import Tensor, nn

from plasticish.core import DataError, Report
from plasticish.memory import ElasticWeights

from .continual_meta import MetaGate
from .integration import update_plasticity
from .local_learning import LocalLearning

__all__ = ["descend"]

LARGEST_GRADIENT = 1.0


def descend(
    model: nn.Module,
    terms: dict[str, Tensor],
    optimizer: torch.optim.Optimizer,
    *,
    clipped: bool,
    springs: ElasticWeights,
    firmness: float,
    gate: MetaGate | None,
    performance: float | None,
) -> Report:
    """Make one step down the sum of some terms.

    Parameters
    ----------
    model : nn.Module
        What learns; changed.
    terms : dict of str to Tensor
        Scalars that hang on its parameters, by name.
    optimizer : torch.optim.Optimizer
        Over its parameters.
    clipped : bool
        Whether gradients are clipped to norm 1.
    springs : ElasticWeights
        What pulls back.
    firmness : float
        Share of their strength in force.
    gate : MetaGate or None
        Of meta-plasticity, if there is any.
    performance : float or None
        What gate and local rules are told; minus the loss by default.

    Returns
    -------
    dict
        ``loss``, every term, and ``performance``.

    Raises
    ------
    DataError
        If the loss is not finite; nothing is changed.
    """
    loss = torch.stack(list(terms.values())).sum()
    value = loss.item()
    if not isfinite(value):
        raise DataError(
            "the loss is not finite",
            got=str(value),
            cure="lower the learning rate, and use no label smoothing where classes are masked",
        )
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    if clipped:  # inputs of any scale, and batches of one, would else throw plain descent about
        nn.utils.clip_grad_norm_(model.parameters(), LARGEST_GRADIENT)
    before = gate.weights() if gate is not None else {}
    optimizer.step()
    if gate is not None:
        gate.scale(before)
    _pull(model, optimizer, springs, firmness, gate)
    judged = -value if performance is None else performance
    if gate is not None:
        gate.observe(judged, value)
    if LocalLearning.find(model) is not None:
        update_plasticity(model, performance=judged, loss=value)
    parts = {name: term.item() for name, term in terms.items()}
    return {"loss": value, **parts, "performance": judged}


def _pull(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    springs: ElasticWeights,
    firmness: float,
    gate: MetaGate | None,
) -> None:
    if not springs.tasks or not springs.strength or not firmness:
        return
    steps = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    rates = {name: firmness * float(steps.get(id(p), 0.0)) for name, p in model.named_parameters()}
    springs.pull(model, rates if gate is None else gate.stability(rates))
