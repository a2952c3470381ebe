"""The plastic part of a model as a state: what a trainer saves beside the ``state_dict``."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from plasticish.core import CheckpointError, State
from plasticish.modulation import MetaPlasticityController

from .adaptive_rule import AdaptiveSTDPRule
from .local_learning import LocalLearning, PlasticLinear
from .plasticity_rule import rule_from_dict

__all__ = ["export_plasticity", "import_plasticity"]


def export_plasticity(model: nn.Module) -> State:
    """Return the plastic part of a model: rules, bounds, what they estimate, and the controller.

    Together with the ``state_dict`` it lets training go on bit for bit.

    Raises
    ------
    ConfigError
        If the model has neither local learning nor meta-plasticity.

    Examples
    --------
    >>> from plasticish.spiking.integration import integrate_stdp_into_model
    >>> model = integrate_stdp_into_model(nn.Sequential(nn.Linear(4, 2)), "classical")
    >>> list(export_plasticity(model).values["layers"])
    ['0']
    """
    learning = LocalLearning.of(model)
    layers: dict[str, Any] = {}
    tensors: dict[str, Tensor] = {}
    for name, part in learning.layers.items():
        rule = None if part.rule is None else part.rule.to_dict()
        layers[name] = {"rule": rule, "bound": part.bound, "estimates": list(part.slow)}
        tensors |= {f"layers/{name}/{key}": value.clone() for key, value in part.slow.items()}
    values: dict[str, Any] = {"layers": layers, "controller": None}
    if learning.controller is not None:
        state = learning.controller.export_state()
        values["controller"] = {
            "config": learning.controller.config(),
            "state": dict(state.values),
        }
        tensors |= {f"controller/{key}": tensor for key, tensor in state.tensors.items()}
    return State(values, tensors)


def import_plasticity(model: nn.Module, state: State) -> nn.Module:
    """Put back what :func:`export_plasticity` returned, and return the same model.

    Parameters
    ----------
    model : nn.Module
        A model that was integrated in the same way: the same layers have a rule, or a controller.
    state : State
        Of such a model.

    Raises
    ------
    CheckpointError
        If the state is not of such a model; nothing is changed then.
    ConfigError
        If the model has neither local learning nor meta-plasticity.

    Examples
    --------
    >>> from plasticish.spiking.integration import integrate_stdp_into_model
    >>> model = integrate_stdp_into_model(nn.Sequential(nn.Linear(4, 2)), "classical")
    >>> model is import_plasticity(model, export_plasticity(model))
    True
    """
    learning = LocalLearning.of(model)
    written, steered = state.values.get("layers", {}), state.values.get("controller")
    for what, ours, theirs in (
        ("layers", list(learning.layers), list(written)),
        ("enhanced layers", list(learning.enhanced), [n for n in written if written[n]["rule"]]),
        ("meta-plasticity", learning.controller is not None, steered is not None),
    ):
        if ours != theirs:
            raise CheckpointError(
                f"the plastic part is of another model: its {what} differ",
                got=repr(theirs),
                expected=repr(ours),
                cure="integrate the model in the same way before its state is put back",
            )
    try:
        fresh, controller = _restored(learning, written, steered, state)
    except (LookupError, AttributeError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError("the plastic part is damaged", got=str(error)) from error
    learning.layers, learning.controller = fresh, controller
    return model


def _restored(
    learning: LocalLearning, written: Any, steered: Any, state: State
) -> tuple[dict[str, PlasticLinear], MetaPlasticityController | None]:
    controller = None
    if steered is not None:
        controller = MetaPlasticityController(**steered["config"])
        controller.import_state(State(steered["state"], state.part("controller").tensors))
    layers = {}
    for name, part in learning.layers.items():
        entry = written[name]
        rule: Any = None if part.rule is None else rule_from_dict(entry["rule"])
        if isinstance(part.rule, AdaptiveSTDPRule):  # whose importance is written by its owner
            rule = rule.protecting(part.rule.importance)
        estimates = {
            key: state.tensors[f"layers/{name}/{key}"].to(part.layer.weight.device).clone()
            for key in entry["estimates"]
        }
        layers[name] = PlasticLinear(part.layer, rule, float(entry["bound"]), estimates)
    return layers, controller
