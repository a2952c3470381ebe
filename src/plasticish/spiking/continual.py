"""The continual learner: any torch module that takes tasks one after another and keeps them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from math import isfinite
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from plasticish.core import (
    LEARNERS,
    ArrayLike,
    Batch,
    ConfigError,
    DataError,
    NotReadyError,
    Report,
    ShapeError,
    as_batches,
    as_pair,
    check_positive,
    make_generator,
    spawn_seed,
)
from plasticish.memory import ElasticWeights, TaskBuffer, fisher_diagonal

from .continual_input import as_model_input, check_inputs, check_targets
from .continual_loss import Criterion, among, supervised
from .continual_meta import MetaGate
from .continual_state import ContinualState
from .integration import update_plasticity
from .local_learning import LocalLearning
from .models import ModelSpec, build_model
from .rehearsal import Rehearsal
from .task_table import TaskId, TaskTable

__all__ = ["ContinualLearningSTDP"]

LARGEST_GRADIENT = 1.0
SLEEP_ROWS = 32
BUFFER = {"capacity": 1000, "policy": "class_balanced", "distinct": True}


@LEARNERS.register("continual_learner")
class ContinualLearningSTDP(ContinualState):
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

    @property
    def mode(self) -> str:
        """How the tasks are told apart: ``"class"``, ``"domain"`` or ``"task"``."""
        return self.rehearsal.mode

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device

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

    def _checked(self, x: ArrayLike) -> tuple[Tensor, tuple[int, ...]]:
        """Return checked inputs and the shape of an answer."""
        inputs = check_inputs(x, self._input_shape, indices=self._indices, device=self.device)
        if self._input_shape is not None:
            return inputs, self._output_shape
        try:
            output = self._answer(inputs[:1])
        except (RuntimeError, ValueError, IndexError) as error:
            raise ShapeError(
                "inputs have the wrong shape",
                got=str(tuple(inputs.shape)),
                expected=f"what the model takes ({error})",
            ) from error
        return inputs, tuple(output.shape[1:])

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
        own = optimizer is None
        optimizer = optimizer or self._optimizer
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
        if own:  # inputs of any scale, and batches of one, would else throw plain descent about
            nn.utils.clip_grad_norm_(self.model.parameters(), LARGEST_GRADIENT)
        before = self.meta.weights() if self.meta is not None else {}
        optimizer.step()
        if self.meta is not None:
            self.meta.scale(before)
        self._pull(optimizer)
        judged = -value if performance is None else performance
        if self.meta is not None:
            self.meta.observe(judged, value)
        if LocalLearning.find(self.model) is not None:
            update_plasticity(self.model, performance=judged, loss=value)
        parts = {name: term.item() for name, term in terms.items()}
        return {"loss": value, **parts, "performance": judged}

    def _pull(self, optimizer: torch.optim.Optimizer) -> None:
        share = 1.0 if self.rehearsal.replay is None else self.consolidation_with_replay
        if not self.elastic.tasks or not self.elastic.strength or not share:
            return
        steps = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
        rates = {
            name: share * float(steps.get(id(p), 0.0)) for name, p in self.model.named_parameters()
        }
        self.elastic.pull(self.model, rates if self.meta is None else self.meta.stability(rates))

    # ------------------------------------------------------------------ consolidation

    def compute_parameter_importance(
        self, dataloader: Any, num_samples: int = 1000, *, task: TaskId | None = None
    ) -> dict[str, Tensor]:
        """Measure what matters for these examples, and hold it from now on.

        Parameters
        ----------
        dataloader : iterable of (inputs, targets)
            A loader, or one pair.
        num_samples : int
            The most examples that are looked at, one gradient each, of a label that is drawn from
            the model's own answer (:func:`~plasticish.memory.fisher_diagonal`, sampled).
        task : int or str, optional
            In task mode, among whose classes the model answers; by default all seen.

        Returns
        -------
        dict of str to Tensor
            The Fisher diagonal on these examples alone, by name of parameter.

        Raises
        ------
        DataError
            If there are none; nothing is changed.
        """
        pairs = [(as_model_input(self._checked(x)[0]), y) for x, y in as_batches(dataloader)]
        classes = self.tasks.seen
        if self.mode == "task" and task is not None:
            classes = self.tasks.classes[self.tasks.of(task)]
        # Outputs that no example ever had a part in have never been trained: their answers mean
        # nothing, and would pass for great uncertainty.
        known = classes.nonzero().flatten() if bool(classes.any()) else None
        likelihood = "gaussian" if self.steps and known is None else "categorical"
        importance = fisher_diagonal(
            self.model,
            pairs,
            num_samples,
            mode="sampled",
            classes=known,
            likelihood=likelihood,
            generator=make_generator(spawn_seed(self.seed, 3, self.elastic.tasks)),
        )
        self.elastic.consolidate(self.model, importance)
        return importance

    def end_task(self, task: TaskId | None = None, dataloader: Any = None) -> Report:
        """Consolidate a task and close it; its id does not come again.

        Parameters
        ----------
        task : int or str, optional
            Which; by default the one that is on.
        dataloader : iterable of (inputs, targets), optional
            Its examples; by default those of it that the buffer holds.

        Raises
        ------
        NotReadyError
            If nothing was learned of it.
        ConfigError
            If it is over already.
        """
        number = self.tasks.number(task)
        if number >= len(self.tasks.names):
            raise NotReadyError("nothing was learned of this task", cure="train on it first")
        name = self.tasks.names[number]
        if self.elastic.strength:
            examples = self._held(number) if dataloader is None else dataloader
            if examples is not None:
                self.compute_parameter_importance(examples, task=name)
        self.tasks = self.tasks.closed(name)
        return {"task": name, **self.stats()}

    def _held(self, number: int) -> tuple[Tensor, Tensor] | None:
        if not len(self.buffer):
            return None
        held = self.buffer.everything()
        own = held.tasks == number
        return (held.inputs[own], held.labels[own]) if bool(own.any()) else None

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

    # ------------------------------------------------------------------ answers

    def scores(self, x: ArrayLike, task: TaskId | None = None) -> Float[Tensor, "batch ..."]:
        """Return the outputs for each row; classes that do not take part are minus infinity.

        Raises
        ------
        NotReadyError
            If nothing has been learned yet.
        ConfigError
            In task mode, if the task is unknown.
        ShapeError, DTypeError, DataError
            Unusable input.
        """
        if self._input_shape is None:
            raise NotReadyError("nothing has been learned yet", cure="call learn((x, y)) first")
        outputs = self._answer(self._checked(x)[0])
        if not bool(self.tasks.classes.any()):
            return outputs
        if self.mode == "task":
            return among(outputs, self.tasks.classes[self.tasks.of(task)])
        return among(outputs, self.tasks.seen)

    def predict(self, x: ArrayLike, task: TaskId | None = None) -> Tensor:
        """Return the class of each row (the outputs, where targets are values); as :meth:`scores`.

        ``task`` is needed in task mode and not looked at otherwise.
        """
        scores = self.scores(x, task)
        return scores.argmax(dim=-1) if bool(self.tasks.classes.any()) else scores

    @torch.no_grad()
    def _answer(self, inputs: Tensor) -> Tensor:
        with self._evaluating():
            outputs: Tensor = self.model(as_model_input(inputs))
        return outputs

    @contextmanager
    def _evaluating(self) -> Iterator[None]:
        modes = {module: module.training for module in self.model.modules()}
        self.model.eval()
        try:
            yield
        finally:
            for module, training in modes.items():
                module.training = training

    def stats(self) -> Report:
        """Return counts as plain numbers."""
        return {
            "steps": self.steps,
            "tasks": len(self.tasks.names),
            "classes": int(self.tasks.seen.sum()),
            "buffer": len(self.buffer),
            "consolidations": self.elastic.tasks,
        }


@torch.no_grad()
def _performance(outputs: Tensor, targets: Tensor, mask: Tensor | None) -> float | None:
    if targets.is_floating_point():
        return None
    return float((among(outputs, mask).argmax(dim=-1) == targets).float().mean())
