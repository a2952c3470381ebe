r"""Our memory and our consolidation as plugins for Avalanche's strategies.

This module needs Avalanche (extra ``bench``); nothing else of the package does. Avalanche in its
turn needs a torchvision that was built for the torch that is installed.

References
----------
.. [1] P. Buzzega et al., "Dark experience for general continual learning", NeurIPS 2020.
.. [2] L. Caccia et al., "New insights on reducing abrupt representation change in online
   continual learning", ICLR 2022.
.. [3] J. Kirkpatrick et al., "Overcoming catastrophic forgetting in neural networks", PNAS 114
   (2017); J. Schwarz et al., "Progress & Compress", ICML 2018.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from plasticish.core import ConfigError, import_extra, make_generator, spawn_seed
from plasticish.memory import ElasticWeights, Replay, TaskBuffer, fisher_diagonal
from plasticish.memory.checks import check_whole
from plasticish.spiking.continual_loss import among
from plasticish.spiking.rehearsal import Rehearsal
from plasticish.spiking.task_table import TaskTable

__all__ = ["ConsolidationPlugin", "DarkReplayPlugin"]

SLEEP_ROWS = 32
_plugins: Any = import_extra("avalanche.training.plugins", "bench", "a plugin for Avalanche")
_models: Any = import_extra("avalanche.models", "bench", "a plugin for Avalanche")


class _SeenClasses:
    """Which outputs have been trained; the others have no part in any softmax."""

    def __init__(self) -> None:
        self.labels: set[int] = set()

    def add(self, labels: Tensor) -> None:
        self.labels |= set(labels.tolist())

    def mask(self, outputs: Tensor) -> Tensor:
        """Return a row of bools as wide as the outputs, for heads may grow."""
        seen = torch.zeros(outputs.shape[-1], dtype=torch.bool, device=outputs.device)
        seen[sorted(self.labels)] = True
        return seen


class DarkReplayPlugin(_plugins.SupervisedPlugin):  # type: ignore[misc]
    r"""Rehearse old examples beside every new batch, from a :class:`~plasticish.memory.TaskBuffer`.

    To the strategy's loss it adds :math:`\beta\,\ell(f(x'), y') + \alpha \lVert f(x') - z'
    \rVert^2` over a draw from the buffer (DER++ [1]_); new classes do not push down old ones
    (ER-ACE [2]_). What is kept is decided at every batch, so no boundary between experiences is
    needed, and between two it may sleep.

    Parameters
    ----------
    capacity : int
        The most examples kept.
    policy : {"class_balanced", "reservoir"}
        Who stays; see :class:`~plasticish.memory.TaskBuffer`.
    replay : {"der++", "er"}
        Labels and answers of the time, or labels alone. A head that grows needs ``"er"``.
    asymmetric : bool
        Whether the classes of a batch compete among each other only. The strategy's own loss of
        the batch is then replaced by that.
    dark_weight, replay_weight : float
        :math:`\alpha` and :math:`\beta`, >= 0.
    rows : int, optional
        Rows replayed beside a batch; by default as many as are new for ``"er"``, and twice as many
        for ``"der++"``.
    sleep_steps : int
        Replayed batches after each experience, with nothing new among them.
    seed : int
        Of the draws.

    Raises
    ------
    MissingExtraError
        When this module is imported and Avalanche cannot be.
    ConfigError
        If a setting is unknown or out of range.

    Examples
    --------
    >>> from avalanche.training import Naive  # doctest: +SKIP
    >>> Naive(model=model, optimizer=sgd, plugins=[DarkReplayPlugin(200)])  # doctest: +SKIP
    """

    def __init__(
        self,
        capacity: int = 200,
        policy: str = "class_balanced",
        *,
        replay: str = "der++",
        asymmetric: bool = True,
        dark_weight: float = 0.5,
        replay_weight: float = 1.0,
        rows: int | None = None,
        sleep_steps: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.rehearsal = Rehearsal("class", replay, asymmetric, dark_weight, replay_weight, rows)
        self.buffer = TaskBuffer(capacity, policy, distinct=True, seed=seed)
        check_whole(sleep_steps=sleep_steps or 1)
        self.sleep_steps = sleep_steps
        self._seen = _SeenClasses()

    def before_backward(self, strategy: Any, **_: Any) -> None:
        """Add what the past has to say to the loss of the batch."""
        outputs, labels = strategy.mb_output, strategy.mb_y
        self._check_width(outputs)
        held = self.rehearsal.draw(self.buffer, len(labels))
        self._seen.add(labels)
        if self.rehearsal.asymmetric:
            own = torch.zeros_like(outputs[0], dtype=torch.bool)
            own[labels] = True
            alone = strategy._criterion(among(outputs, own), labels)
            strategy.loss = strategy.loss - strategy.criterion() + alone
        if held is not None:
            strategy.loss = strategy.loss + self._past(strategy, held)

    def after_training_iteration(self, strategy: Any, **_: Any) -> None:
        """Offer the batch to the buffer, with the answers that it got."""
        logits = strategy.mb_output.detach() if self.rehearsal.replay == "der++" else None
        tasks = strategy.mb_task_id if len(strategy.mbatch) > 2 else 0
        self.buffer.add(strategy.mb_x, strategy.mb_y, logits, tasks)

    def after_training_exp(self, strategy: Any, **_: Any) -> None:
        """Sleep: rehearse for a while with nothing new to learn."""
        for _step in range(self.sleep_steps):
            strategy.optimizer.zero_grad()
            self._past(strategy, self.buffer.sample(SLEEP_ROWS)).backward()  # type: ignore[no-untyped-call]
            strategy.optimizer.step()

    def _past(self, strategy: Any, held: Replay) -> Tensor:
        answers = _models.avalanche_forward(strategy.model, held.inputs, held.tasks)
        table = TaskTable(classes=self._seen.mask(answers)[None])
        terms = self.rehearsal.past(table, held, answers, strategy._criterion)
        return torch.stack(list(terms.values())).sum()

    def _check_width(self, outputs: Tensor) -> None:
        kept = self.buffer.sample(1).logits if len(self.buffer) else None
        if kept is not None and kept.shape[1:] != outputs.shape[1:]:
            raise ConfigError(
                "the answers have become of another width than those that are replayed",
                got=f"{outputs.shape[-1]} outputs, {kept.shape[-1]} before",
                cure='rehearse labels alone with replay="er", or give the head its full width',
            )


class ConsolidationPlugin(_plugins.SupervisedPlugin):  # type: ignore[misc]
    r"""Hold what mattered to earlier experiences by springs of their Fisher information (EWC [3]_).

    Importance is the Fisher diagonal of single examples; the springs act in a proximal step after
    that of the optimizer, which no strength can make diverge
    (:class:`~plasticish.memory.ElasticWeights`).

    Parameters
    ----------
    strength : float
        :math:`\lambda \ge 0`. Beside replay a hundredth of it serves better.
    decay : float
        What is left of older importance after an experience, in [0, 1].
    num_samples : int
        The most examples of an experience that are looked at.
    seed : int
        Which examples, and the labels that are drawn for them.

    Raises
    ------
    MissingExtraError
        When this module is imported and Avalanche cannot be.
    ConfigError
        If a setting is out of range.

    Examples
    --------
    >>> plugins = [DarkReplayPlugin(200), ConsolidationPlugin(10.0)]  # doctest: +SKIP
    """

    def __init__(
        self,
        strength: float = 1000.0,
        *,
        decay: float = 0.95,
        num_samples: int = 1000,
        seed: int = 0,
    ) -> None:
        super().__init__()
        check_whole(num_samples=num_samples)
        self.elastic = ElasticWeights(strength, decay=decay)
        self.num_samples, self.seed = num_samples, seed
        self._seen = _SeenClasses()

    def after_update(self, strategy: Any, **_: Any) -> None:
        """Pull the weights back, as far as the optimizer's rate allows."""
        if not self.elastic.tasks or not self.elastic.strength:
            return
        groups = strategy.optimizer.param_groups
        steps = {id(weight): group["lr"] for group in groups for weight in group["params"]}
        names = strategy.model.named_parameters()
        rates = {name: float(steps.get(id(weight), 0.0)) for name, weight in names}
        self.elastic.pull(strategy.model, rates)

    def after_training_iteration(self, strategy: Any, **_: Any) -> None:
        """Note which classes there are."""
        self._seen.add(strategy.mb_y)

    def after_training_exp(self, strategy: Any, **_: Any) -> None:
        """Measure what matters to this experience, and hold it from now on."""
        draw = make_generator(spawn_seed(self.seed, self.elastic.tasks))
        dataset = strategy.experience.dataset.eval()
        chosen = torch.randperm(len(dataset), generator=draw)[: self.num_samples].tolist()
        rows = [dataset[index] for index in chosen]
        inputs = torch.stack([row[0] for row in rows]).to(strategy.device)
        labels = torch.tensor([int(row[1]) for row in rows], device=strategy.device)
        importance = fisher_diagonal(
            strategy.model,
            (inputs, labels),
            self.num_samples,
            mode="sampled",
            classes=torch.tensor(sorted(self._seen.labels), device=strategy.device),
            generator=draw,
        )
        self.elastic.consolidate(strategy.model, importance)
