"""A plastic brain as one of Avalanche's strategies.

This module needs Avalanche (extra ``bench``); nothing else of the package does.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from plasticish.core import import_extra
from plasticish.vision import PlasticBrain

__all__ = ["PlasticBrainStrategy"]

_NEVER = -30.0  # logarithm of the probability of a class that the brain has not met
_templates: Any = import_extra("avalanche.training.templates", "bench", "a strategy for Avalanche")


class PlasticBrainStrategy(_templates.SupervisedTemplate):  # type: ignore[misc]
    """Take a :class:`~plasticish.vision.PlasticBrain` through Avalanche's streams.

    Every batch is learned once, without an optimizer, and the brain sleeps after each experience.
    Avalanche's evaluators, loggers and plugins work as with any strategy that trains by itself; of
    the callbacks, those around the backward pass are never called. Metrics of training see what
    the brain answered before it learned the batch.

    Parameters
    ----------
    brain : PlasticBrain
        The learner; it takes features, or images if it has eyes.
    train_mb_size, eval_mb_size : int
        Rows of a batch.
    train_epochs : int
        How often an experience is gone through; once is enough for a brain.
    **options
        Whatever else ``SupervisedTemplate`` takes: ``plugins``, ``evaluator``, ``eval_every``.

    Raises
    ------
    MissingExtraError
        When this module is imported and Avalanche cannot be.

    Examples
    --------
    >>> strategy = PlasticBrainStrategy(brain=PlasticBrain(in_dim=64))  # doctest: +SKIP
    >>> for experience in benchmark.train_stream:  # doctest: +SKIP
    ...     strategy.train(experience)
    ...     strategy.eval(benchmark.test_stream)
    """

    def __init__(
        self,
        *,
        brain: PlasticBrain,
        train_mb_size: int = 64,
        train_epochs: int = 1,
        eval_mb_size: int = 256,
        **options: Any,
    ) -> None:
        super().__init__(
            model=nn.Identity(),  # there has to be one; what answers is the brain
            optimizer=None,
            criterion=functional.cross_entropy,
            train_mb_size=train_mb_size,
            train_epochs=train_epochs,
            eval_mb_size=eval_mb_size,
            device=brain.device,
            **options,
        )
        self.brain = brain

    def forward(self) -> Tensor:
        """Return the logarithm of the probability of each class, ``[batch, classes]``."""
        rows, width = len(self.mb_x), int(self.mb_y.max()) + 1
        if not self.brain.seen:
            return torch.zeros(rows, width, device=self.device)
        logarithms = self.brain.predict_proba(self.mb_x).log().clamp_min(_NEVER)
        missing = width - logarithms.shape[1]
        return functional.pad(logarithms, (0, max(0, missing)), value=_NEVER)

    def training_epoch(self, **kwargs: Any) -> None:
        """Have the brain learn every batch."""
        for self.mbatch in self.dataloader:  # noqa: B020
            if self._stop_training:
                break
            self._unpack_minibatch()
            self._before_training_iteration(**kwargs)
            self._before_forward(**kwargs)
            self.mb_output = self.forward()
            self._after_forward(**kwargs)
            self.loss = self.criterion()
            self._before_update(**kwargs)
            self.brain.learn((self.mb_x, self.mb_y))
            self._after_update(**kwargs)
            self._after_training_iteration(**kwargs)

    def make_optimizer(self, **kwargs: Any) -> None:
        """Do nothing: a brain has none."""

    def _after_training_exp(self, **kwargs: Any) -> None:
        self.brain.sleep()
        super()._after_training_exp(**kwargs)
