"""The continual learner: any torch module that takes tasks one after another and keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from plasticish.core import (
    LEARNERS,
    ArrayLike,
    Batch,
    ConfigError,
    NotReadyError,
    Report,
    as_pair,
    check_positive,
    spawn_seed,
)
from plasticish.memory import ElasticWeights, TaskBuffer

from .continual_consolidation import ContinualConsolidation
from .continual_descent import descend
from .continual_input import as_model_input, check_targets
from .continual_loss import Criterion, among, supervised
from .continual_meta import MetaGate
from .models import ModelSpec, build_model
from .rehearsal import Rehearsal
from .task_table import TaskId, TaskTable

__all__ = ["ContinualLearningSTDP"]

SLEEP_ROWS = 32
BUFFER = {"capacity": 1000, "policy": "class_balanced", "distinct": True}


@LEARNERS.register("continual_learner")
class ContinualLearningSTDP(ContinualConsolidation):
    r"""Keep what earlier tasks taught a module, while it learns the next by any optimizer.

    A step minimises :math:`\ell(f(x), y) + \beta\,\ell(f(x'), y') + \alpha \lVert f(x') - z'
    \rVert^2` over the new batch and a draw from a buffer (DER++ [1]_); the new classes do not
    push down the old ones (ER-ACE [2]_). Then the springs of elastic weight consolidation [3]_ pull
    back what mattered to earlier tasks, in a proximal step that no strength can make diverge.
    Layers with a local rule (:func:`~plasticish.spiking.integration.integrate_stdp_into_model`)
    make their local step last.

    Parameters
    ----------
    model : nn.Module or mapping
        Any module that maps ``[batch, ...]`` to ``[batch, ..., outputs]``, or the spec of one
        (:func:`~plasticish.spiking.models.build_model`): then a checkpoint can build it again.
    consolidation_strength : float
        :math:`\lambda` of the springs, >= 0.
    plasticity_decay : float
        What is left of older importance at each consolidation, in [0, 1].
    importance_update_rate : float
        How much new importance counts.
    use_meta_plasticity : bool
        Whether a controller scales every linear layer's step and the hold of its springs.
    mode : {"class", "domain", "task"}
        Class-incremental: asked among all classes seen, no task id. Domain-incremental: the same
        outputs in other circumstances; targets may be values. Task-incremental: asked among the
        classes of the task, which is told.
    buffer : TaskBuffer or mapping, optional
        What is replayed, or its arguments; by default 1,000 distinct examples, balanced.
    replay : {"der++", "er", None}
        Labels and logits, labels alone, or nothing.
    asymmetric : bool
        Whether new examples compete among the classes of their batch only (class mode with replay).
    dark_weight, replay_weight : float
        :math:`\alpha` and :math:`\beta`, >= 0.
    consolidation_with_replay : float
        Share of ``consolidation_strength`` in force while examples are replayed. The buffer says
        directly what the springs only estimate; at full strength they cost more of the new than
        they save of the old (``docs/design/continual.md``).
    replay_rows : int, optional
        Rows replayed beside a batch; by default as many as are new for ``"er"``, and twice as many
        for ``"der++"``, which has two terms.
    sleep_steps : int
        Replayed batches of a sleep.
    lr : float
        Of the stochastic gradient descent that :meth:`learn` uses, gradients clipped to norm 1.
    seed : int
        Of the model (if built here), the buffer and the controller.

    References
    ----------
    .. [1] P. Buzzega et al., "Dark experience for general continual learning", NeurIPS 2020.
    .. [2] L. Caccia et al., "New insights on reducing abrupt representation change in online
       continual learning", ICLR 2022.
    .. [3] J. Kirkpatrick et al., "Overcoming catastrophic forgetting in neural networks", PNAS 114
       (2017); J. Schwarz et al., "Progress & Compress", ICML 2018.

    Examples
    --------
    >>> learner = ContinualLearningSTDP({"kind": "mlp", "sizes": [2, 16, 2]}, lr=0.5)
    >>> x, y = torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.tensor([0, 1])
    >>> for _ in range(20):
    ...     report = learner.train_step(x, y, task="first")
    >>> learner.end_task("first", [(x, y)])["classes"]
    2
    >>> learner.predict(x)
    tensor([0, 1])
    """

    kind = "continual_learner"

    def __init__(
        self,
        model: nn.Module | ModelSpec,
        consolidation_strength: float = 1000.0,
        plasticity_decay: float = 0.95,
        importance_update_rate: float = 1.0,
        use_meta_plasticity: bool = False,
        *,
        mode: str = "class",
        buffer: TaskBuffer | Mapping[str, Any] | None = None,
        replay: str | None = "der++",
        asymmetric: bool = True,
        dark_weight: float = 0.5,
        replay_weight: float = 1.0,
        consolidation_with_replay: float = 0.01,
        replay_rows: int | None = None,
        sleep_steps: int = 20,
        lr: float = 0.1,
        seed: int = 0,
    ) -> None:
        self.rehearsal = Rehearsal(
            mode, replay, asymmetric, dark_weight, replay_weight, replay_rows
        )
        check_positive(
            lr=lr,
            # zero leaves them out
            consolidation_with_replay=consolidation_with_replay or 1.0,
            sleep_steps=sleep_steps or 1,
        )
        self._spec = None if isinstance(model, nn.Module) else dict(model)
        self.model = model if isinstance(model, nn.Module) else build_model(model, seed)
        self.consolidation_with_replay = consolidation_with_replay
        self.sleep_steps, self.lr, self.seed = sleep_steps, lr, seed
        self.elastic = ElasticWeights(
            consolidation_strength, decay=plasticity_decay, rate=importance_update_rate
        )
        chosen = {**BUFFER, "seed": spawn_seed(seed, 1)} if buffer is None else buffer
        self.buffer = chosen if isinstance(chosen, TaskBuffer) else TaskBuffer(**chosen)
        self.meta = MetaGate(self.model, spawn_seed(seed, 2)) if use_meta_plasticity else None
        self.tasks = TaskTable()
        self.steps = 0
        self._input_shape: tuple[int, ...] | None = None
        self._output_shape: tuple[int, ...] = ()
        self._rested = True
        self._indices = any(isinstance(m, nn.Embedding) for m in self.model.modules())
        trained = [p for p in self.model.parameters() if p.requires_grad]
        if not trained:
            raise ConfigError(
                "the model has no trainable parameter",
                cure="set requires_grad on what should learn",
            )
        self._optimizer = torch.optim.SGD(trained, lr=lr)

    # ------------------------------------------------------------------ learning

    def learn(self, batch: Batch) -> Report:
        """Make one step on ``(inputs, targets)`` with the learner's own optimizer.

        Raises
        ------
        ShapeError, DTypeError, DataError, LabelError
            Unusable input; nothing is learned.
        """
        x, y = as_pair(batch)
        return self.train_step(x, y)

    def train_step(
        self,
        x: ArrayLike,
        y: ArrayLike,
        *,
        optimizer: torch.optim.Optimizer | None = None,
        criterion: Criterion | None = None,
        task: TaskId | None = None,
    ) -> Report:
        """Make one step on a batch, with replay, springs, local rules and meta-plasticity.

        Parameters
        ----------
        x : array ``[batch, ...]``
            Inputs. Bytes are kept as bytes and read as [0, 1]; whole numbers stay whole where the
            model embeds them.
        y : array
            Classes ``[batch]`` (``[batch, time]`` for a model that answers at each time), or, in
            domain mode, values like the outputs.
        optimizer : torch.optim.Optimizer, optional
            Over the model's parameters; by default the learner's own.
        criterion : callable, optional
            Mean loss of outputs and targets; by default cross-entropy for classes, mean squared
            error for values.
        task : int or str, optional
            Whose batch it is; needed in task mode.

        Returns
        -------
        dict
            ``loss`` and its terms ``new``, ``replay`` and ``dark`` as they entered it, and
            ``performance``, the share of the new batch that was answered rightly before the step
            (minus the loss, where targets are values).

        Raises
        ------
        ShapeError, DTypeError, DataError, LabelError, ConfigError
            Unusable input or task, or a criterion that returns no finite scalar; nothing is
            learned.
        """
        inputs, output = self._checked(x)
        targets = check_targets(y, inputs, output, values=self.mode == "domain")
        if task is None and self.mode == "task":
            raise ConfigError("task mode needs a task", cure="say whose batch it is with task=...")
        table = self.tasks.entered(task, targets, output[-1])
        number = self.tasks.number(task)
        held = self.rehearsal.draw(self.buffer, len(inputs))
        answers = self._forward(inputs if held is None else torch.cat([inputs, held.inputs]))
        new = answers[: len(inputs)]
        mask = self.rehearsal.mask(table, targets, number)
        terms = {"new": supervised(among(new, mask), targets, criterion)}
        if held is not None:
            terms |= self.rehearsal.past(table, held, answers[len(inputs) :], criterion)
        report = self._descend(terms, optimizer, _performance(new, targets, mask))
        self.tasks, self._input_shape, self._output_shape = table, tuple(inputs.shape[1:]), output
        if self.rehearsal.replay is not None:
            self.buffer.add(inputs, targets, new.detach(), number)
        self.steps += 1
        self._rested = False
        return report

    def _forward(self, rows: Tensor) -> Tensor:
        self.model.train()
        with nullcontext() if self.meta is None else self.meta.watching():
            answers: Tensor = self.model(as_model_input(rows))
        return answers

    def _descend(
        self,
        terms: dict[str, Tensor],
        optimizer: torch.optim.Optimizer | None,
        performance: float | None = None,
    ) -> Report:
        return descend(
            self.model,
            terms,
            optimizer or self._optimizer,
            clipped=optimizer is None,
            springs=self.elastic,
            firmness=1.0 if self.rehearsal.replay is None else self.consolidation_with_replay,
            gate=self.meta,
            performance=performance,
        )

    # ------------------------------------------------------------------ sleep

    def sleep(self) -> Report:
        """Replay the buffer offline, then consolidate on it; a second sleep in a row does nothing.

        Raises
        ------
        NotReadyError
            If nothing has been learned yet.
        """
        if not self.steps:
            raise NotReadyError("nothing to consolidate yet", cure="call learn((x, y)) first")
        steps = self.sleep_steps if len(self.buffer) and not self._rested else 0
        for _ in range(steps):
            held = self.buffer.sample(SLEEP_ROWS)
            past = self.rehearsal.past(self.tasks, held, self._forward(held.inputs), None)
            self._descend(past, None)
        if steps and self.elastic.strength:
            held = self.buffer.everything()
            self.compute_parameter_importance((held.inputs, held.labels))
        self._rested = True
        return {"replayed": steps}


@torch.no_grad()
def _performance(outputs: Tensor, targets: Tensor, mask: Tensor | None) -> float | None:
    if targets.is_floating_point():
        return None
    return float((among(outputs, mask).argmax(dim=-1) == targets).float().mean())
