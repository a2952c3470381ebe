"""A network of spikes that learns by local rules, and learns how plastic each layer should be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Float32, Int64
from torch import Tensor, nn
from torch.nn.functional import one_hot

from plasticish.core import (
    LEARNERS,
    ArrayLike,
    Batch,
    ConfigError,
    NotReadyError,
    Persistent,
    Report,
    State,
    as_pair,
    check_features,
    check_labels,
    check_positive,
    make_generator,
    spawn_seed,
)
from plasticish.memory import TaskBuffer
from plasticish.modulation import MetaPlasticityController, PlasticityFactors

from .delta_rule import DeltaRule, delta_change, normalised_error
from .meta_layer import MetaPlasticLayer
from .meta_network_checks import Activities, check_activities, check_rule, checked_sizes
from .plasticity_rule import PlasticityRule, rule_from_dict
from .rate_code import RateCode
from .stdp_rules import ClassicalSTDP
from .winners import winner_spikes

__all__ = ["MetaPlasticNetwork"]

CHUNK = 8
REPLAYS = 10
MEAN_WEIGHT = 0.25


@LEARNERS.register("meta_plastic_network")
class MetaPlasticNetwork(nn.Module, Persistent):
    r"""Layers of spiking winners under a readout, all local, all under one controller.

    Features become regular spike trains (:class:`~plasticish.spiking.rate_code.RateCode`). Hidden
    layers are leaky integrate-and-fire neurons of which the few most excited spike
    (:func:`~plasticish.spiking.winners.winner_spikes`); they learn without labels by a rule of
    spike timing, after which the weights of each neuron are scaled back to their mean (synaptic
    scaling; Turrigiano 2008). The last layer answers with a weighted count of the spikes below it
    and learns by the delta rule (:mod:`plasticish.spiking.delta_rule`) on spikes that a teacher
    forces on it. No error is sent back through the network.

    A :class:`~plasticish.modulation.MetaPlasticityController` watches accuracy, loss and the
    activity of each layer, and multiplies learning rate, time constants and stability of each
    layer's rule. A batch is learned in chunks of 8, each followed by new factors.

    A small class-balanced memory is replayed to the readout in :meth:`sleep`.

    Parameters
    ----------
    layer_sizes : sequence of int
        Width of the input, of each hidden layer (none, one or several) and number of classes.
    meta_lr, history_length
        As in :class:`~plasticish.modulation.MetaPlasticityController`.
    stdp_rule : PlasticityRule, or what its ``to_dict`` returned, optional
        Of the hidden layers, with ``0 <= w_min < 0.25 < w_max``; by default pair STDP at a
        learning rate of 0.001.
    learning_rate : float
        Of the readout, > 0; at 1 a single example is answered rightly at once.
    steps : int
        Length of the spike trains.
    active : float
        Share of a hidden layer that may spike in a step, in (0, 1].
    replay_size : int
        Examples that the memory holds.
    hidden_dim, bounds
        As in :class:`~plasticish.modulation.MetaPlasticityController`. A learning rate of 2 or
        more, factor included, may not settle.
    seed : int
        Of weights, phases, memory, replay and controller.

    Raises
    ------
    ConfigError, DTypeError
        If a size or setting is out of range, or the rule is none.

    References
    ----------
    Turrigiano, G. G. (2008). The self-tuning neuron: synaptic scaling of excitatory synapses.
    Cell 135.

    Examples
    --------
    >>> network = MetaPlasticNetwork([4, 32, 2])
    >>> x, y = torch.tensor([[1.0, 1, 0, 0], [0, 0, 1, 1]]), torch.tensor([0, 1])
    >>> for _ in range(5):
    ...     report = network.learn((x, y))
    >>> network.predict(x)
    tensor([0, 1])
    >>> network.forward(x).shape
    torch.Size([2, 2])
    """

    kind = "meta_plastic_network"

    def __init__(
        self,
        layer_sizes: Sequence[int],
        meta_lr: float = 1e-3,
        history_length: int = 100,
        *,
        stdp_rule: PlasticityRule[Any] | Mapping[str, Any] | None = None,
        learning_rate: float = 1.0,
        steps: int = 20,
        active: float = 0.0625,
        replay_size: int = 200,
        hidden_dim: int = 32,
        bounds: Sequence[float] = (0.4, 1.9),
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.layer_sizes = checked_sizes(layer_sizes)
        check_positive(learning_rate=learning_rate, steps=steps, active=active)
        if active > 1:
            raise ConfigError("active is out of range", got=repr(active), expected="in (0, 1]")
        self.learning_rate, self.steps, self.active, self.seed = learning_rate, steps, active, seed
        rule = ClassicalSTDP(learning_rate=0.001) if stdp_rule is None else stdp_rule
        self._rule = rule_from_dict(rule) if isinstance(rule, Mapping) else rule
        check_rule(self._rule, MEAN_WEIGHT)
        pairs = list(pairwise(self.layer_sizes))
        self.hidden = nn.ModuleList(
            MetaPlasticLayer(pre, post, self._rule, bias=False, seed=spawn_seed(seed, 0, i))
            for i, (pre, post) in enumerate(pairs[:-1])
        )
        self.readout = MetaPlasticLayer(
            *pairs[-1], DeltaRule(learning_rate=learning_rate), bias=False, importance_rate=0.0
        )
        self.readout.weight.zero_()
        self._scale()
        self.controller = MetaPlasticityController(
            len(pairs),
            hidden_dim,
            history_length,
            meta_lr,
            bounds=bounds,
            seed=spawn_seed(seed, 1),
        )
        self.code = RateCode(self.layer_sizes[0], steps, spawn_seed(seed, 2))
        self.memory = TaskBuffer(replay_size, "class_balanced", seed=spawn_seed(seed, 3))
        self._generator = make_generator(spawn_seed(seed, 4))
        self._rested = True

    @property
    def layers(self) -> list[MetaPlasticLayer]:
        """Every layer, from the input on; the last is the readout."""
        return [*self._hidden(), self.readout]

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return self.layer_sizes[-1]

    def _hidden(self) -> list[MetaPlasticLayer]:
        return [layer for layer in self.hidden if isinstance(layer, MetaPlasticLayer)]

    def _scale(self) -> None:
        for layer in self._hidden():
            weight = layer.weight
            scaled = weight * (MEAN_WEIGHT / weight.mean(1, keepdim=True).clamp_min(1e-12))
            layer.weight = scaled.clamp(layer.rule.w_min, layer.rule.w_max)

    def _adapt(self, factors: PlasticityFactors) -> None:
        own = torch.stack([factors.learning_rate, factors.time_constant, factors.stability])
        for layer, (rate, time, stability) in zip(self.layers, own.T.tolist(), strict=True):
            layer.adapt(rate, time, stability)

    # ------------------------------------------------------------------ answering

    def forward(self, x: ArrayLike) -> Float32[Tensor, "batch classes"]:
        """Return the answer of each output unit; 1 is a class for sure, 0 none at all.

        Raises
        ------
        ShapeError, DTypeError, DataError
            Unusable features.
        """
        features = check_features(x, self.layer_sizes[0], name="features")
        return self._answer(self._trains(features)[-1])

    def spikes(self, x: ArrayLike) -> list[Tensor]:
        """Return the trains of the input and of each hidden layer, each [batch, time, units].

        Raises
        ------
        ShapeError, DTypeError, DataError
            Unusable features.
        """
        return self._trains(check_features(x, self.layer_sizes[0], name="features"))

    def predict(self, x: ArrayLike) -> Int64[Tensor, " batch"]:
        """Return the class whose unit answers most.

        Raises
        ------
        NotReadyError
            If nothing was ever learned.
        ShapeError, DTypeError, DataError
            Unusable features.
        """
        features = check_features(x, self.layer_sizes[0], name="features")
        if not self.code.count:
            raise NotReadyError("nothing was learned yet", cure="call learn((x, y)) first")
        return self._answer(self._trains(features)[-1]).argmax(1)

    def _trains(self, features: Tensor) -> list[Tensor]:
        trains = [self.code.spikes(features)]
        for layer in self._hidden():
            drive = layer(trains[-1])
            rest = drive.new_zeros(layer.out_features)
            trains.append(winner_spikes(drive, rest, self._winners(layer)))
        return trains

    def _winners(self, layer: MetaPlasticLayer) -> int:
        return max(1, round(self.active * layer.out_features))

    def _answer(self, train: Tensor) -> Tensor:
        answer: Tensor = self.readout(train.sum(1))
        return answer

    # ------------------------------------------------------------------ learning

    def learn(self, batch: Batch) -> Report:
        """Learn a batch ``(x [batch, in], y [batch])``.

        Returns
        -------
        dict
            ``accuracy`` and ``loss`` of the answers before each chunk was learned, and the report
            of the last :meth:`update_meta_plasticity`.

        Raises
        ------
        ShapeError, DTypeError, DataError, LabelError
            Unusable input; nothing is learned.
        """
        x, y = as_pair(batch)
        features = check_features(x, self.layer_sizes[0], name="features")
        labels = check_labels(
            y,
            len(features),
            num_classes=self.num_classes,
            cure="its classes are fixed: build it with a larger last entry of layer_sizes",
        )
        self.code.note(features)
        right, losses, report = 0, 0.0, {}
        for part, told in zip(
            torch.split(features, CHUNK), torch.split(labels, CHUNK), strict=True
        ):
            trains = self._trains(part)
            counts = trains[-1].sum(1)
            answer = self.readout(counts)
            error = one_hot(told, self.num_classes).to(answer.dtype) - answer
            correct = int((answer.argmax(1) == told).sum())
            loss = float(error.square().mean())
            # The teacher forces the same error in every step, so the trace of it is its count.
            forced = normalised_error(counts, error)[:, None].expand(-1, self.steps, -1)
            pairs = [*pairwise(trains), (trains[-1], forced)]
            report = dict(self.update_meta_plasticity(pairs, correct / len(part), loss))
            right, losses = right + correct, losses + loss * len(part)
        self.memory.add(features.clone(), labels.clone())
        self._rested = False
        total = len(features)
        return {"accuracy": right / total, "loss": losses / total, **report}

    def update_meta_plasticity(
        self, layer_activities: Activities, performance: float, loss: float
    ) -> Report:
        """Tell the controller how it went, then let each layer learn from its spikes.

        Parameters
        ----------
        layer_activities : sequence of (pre, post), one a layer
            Trains ``[batch, time, in]`` and ``[batch, time, out]``. For the readout ``post`` are
            signed events, teacher-forced spikes less own ones; plain spikes make it Hebbian.
        performance : float
            Such as accuracy; higher is better.
        loss : float
            Lower is better.

        Returns
        -------
        dict
            ``layers``, the report of each; ``learning_rate``, ``time_constant``, ``stability``,
            the factors of each; ``surprise``, by how much it went worse than usual.

        Raises
        ------
        ShapeError, DTypeError, DataError
            Not one pair a layer, trains that do not fit it, NaN; nothing is changed.
        """
        check_activities(self.layers, layer_activities)
        activity = torch.stack([post.abs().mean() for _, post in layer_activities])
        factors = self.controller.observe(activity, performance, loss)
        self._adapt(factors)
        reports = [
            dict(layer.update_weights_stdp(pre, post))
            for layer, (pre, post) in zip(self.layers, layer_activities, strict=True)
        ]
        self._scale()
        return {
            "layers": reports,
            "learning_rate": factors.learning_rate.tolist(),
            "time_constant": factors.time_constant.tolist(),
            "stability": factors.stability.tolist(),
            "surprise": float(self.controller.history.surprise[-1]),
        }

    def sleep(self) -> Report:
        """Replay the memory to the readout, in a new order each time, with a falling rate.

        Without anything new since the last sleep, nothing changes.
        """
        replayed = 0
        if not self._rested:
            kept = self.memory.everything()
            counts = self._trains(kept.inputs)[-1].sum(1)
            targets = one_hot(kept.labels, self.num_classes).to(counts.dtype)
            for turn in range(REPLAYS):
                order = torch.randperm(len(counts), generator=self._generator)
                for rows in torch.split(order, CHUNK):
                    self._replay(counts[rows], targets[rows], self.learning_rate / (turn + 1))
                replayed += len(order)
            self._rested = True
        return {"replayed": replayed, "remembered": len(self.memory)}

    def _replay(self, counts: Tensor, targets: Tensor, rate: float) -> None:
        error = normalised_error(counts, targets - self.readout(counts))
        self.readout.weight = self.readout.weight + rate * delta_change(counts, error)

    # ------------------------------------------------------------------ state

    def stats(self) -> Report:
        """Return counts, and the factors in force."""
        factors = self.controller.factors
        return {
            "seen": self.code.count,
            "steps": self.controller.steps,
            "remembered": len(self.memory),
            "learning_rate": factors.learning_rate.tolist(),
            "time_constant": factors.time_constant.tolist(),
            "stability": factors.stability.tolist(),
        }

    def config(self) -> dict[str, Any]:
        """Return the constructor arguments."""
        return {
            "layer_sizes": list(self.layer_sizes),
            "meta_lr": self.controller.meta_lr,
            "history_length": self.controller.history_length,
            "stdp_rule": self._rule.to_dict(),
            "learning_rate": self.learning_rate,
            "steps": self.steps,
            "active": self.active,
            "replay_size": self.memory.capacity,
            "hidden_dim": self.controller.policy.hidden_dim,
            "bounds": list(self.controller.policy.bounds),
            "seed": self.seed,
        }

    def export_state(self) -> State:
        """Return weights, importance, moments of the code, memory, controller and generator."""
        own = {name: tensor.clone() for name, tensor in self.state_dict().items()}
        own["generator"] = self._generator.get_state()
        return State.nest(
            {
                "network": State({"rested": self._rested}, own),
                "code": self.code.export_state(),
                "memory": self.memory.export_state(),
                "controller": self.controller.export_state(),
            }
        )

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned."""
        own = state.part("network")
        tensors = {name: tensor.clone() for name, tensor in own.tensors.items()}
        self._generator.set_state(tensors.pop("generator"))
        self.load_state_dict(tensors)
        self._rested = bool(own.values["rested"])
        self.code.import_state(state.part("code"))
        self.memory.import_state(state.part("memory"))
        self.controller.import_state(state.part("controller"))
        self._adapt(self.controller.factors)
