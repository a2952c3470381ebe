"""TriarchicBrain: a sparse base, a slow protected core and a fast context that fades."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from plasticish.core import (
    LEARNERS,
    ArrayLike,
    Batch,
    ConfigError,
    DeviceLike,
    Persistent,
    State,
    as_batches,
    as_pair,
    check_features,
    check_labels,
    resolve_device,
)
from plasticish.memory.checks import check_whole

from .triarchic_layers import TriarchicLayers
from .triarchic_options import TriarchicOptions

__all__ = ["TriarchicBrain"]

ROWS = 1024  # inputs answered at once: bounds the [rows, hidden_size] code in memory


@LEARNERS.register("triarchic_brain")
class TriarchicBrain(Persistent):
    """Three layers that learn by local rules: base (structure), core (slow), context (fast).

    With ``h`` the L2-normalised k-winner code of an input, ``B`` the batch size::

        error      = onehot(y) - softmax(h (w_core + w_context)^T)
        delta      = error^T h / B
        w_context  = (w_context + 0.5 delta) * 0.8
        brake      = clamp(2 importance, 0, 1)
        w_core    += 0.05 delta (1 - brake)
        importance += 2 contribution,   contribution = onehot(y)[correct]^T h[correct] / B

    and an input to which the base hardly responds gets a unit that was never used. These are the
    prototype's equations; every option (:class:`TriarchicOptions`) is a departure from them, and
    :meth:`protected` is the one set of options that reaches all of its claims at once.

    Parameters
    ----------
    in_size : int
        Width of the features.
    hidden_size : int
        Units of the base.
    out_size : int
        Number of labels; a larger label is refused.
    sparsity_k : int
        Units that answer an input, below ``hidden_size``.
    device : str, torch.device or None
        Where to compute; None is the CPU.
    seed : int
        Of the random projection.
    **options
        Fields of :class:`TriarchicOptions`.

    Attributes
    ----------
    layers : TriarchicLayers
        Its parts: ``base`` (projection, births, usage), ``synapses``, ``sense`` (of storms).
    w_core, w_context, importance : Tensor, float32 ``[out_size, hidden_size]``

    Raises
    ------
    ConfigError
        A size or option out of range, or an unknown option.

    References
    ----------
    Ba et al. (2016), Using fast weights to attend to the recent past (context); Kirkpatrick et
    al. (2017), Overcoming catastrophic forgetting (core); Olshausen & Field (1996) (base).

    Examples
    --------
    >>> brain = TriarchicBrain(4, hidden_size=64, out_size=2, sparsity_k=4)
    >>> x, y = torch.eye(4), torch.tensor([0, 0, 1, 1])
    >>> for _ in range(30):
    ...     report = brain.update_batch(x, y)
    >>> brain.predict(x)
    tensor([0, 0, 1, 1])
    >>> brain.get_memory_accuracy((x, y))
    1.0
    """

    kind: ClassVar[str] = "triarchic_brain"

    def __init__(
        self,
        in_size: int,
        hidden_size: int = 8192,
        out_size: int = 10,
        sparsity_k: int = 32,
        device: DeviceLike = None,
        *,
        seed: int = 0,
        **options: Any,
    ) -> None:
        sizes = {"in_size": in_size, "hidden_size": hidden_size, "out_size": out_size}
        check_whole(**sizes, sparsity_k=sparsity_k)
        if sparsity_k >= hidden_size:
            raise ConfigError(
                "sparsity_k is out of range",
                got=repr(sparsity_k),
                expected=f"below hidden_size ({hidden_size})",
            )
        self.in_size, self.hidden_size, self.out_size = in_size, hidden_size, out_size
        self.sparsity_k, self.seed = sparsity_k, seed
        self.options = TriarchicOptions.of(options)
        self.device = resolve_device(device)
        self.layers = TriarchicLayers(
            in_size,
            hidden_size,
            out_size,
            sparsity_k,
            seed=seed,
            options=self.options,
            device=self.device,
        )

    @classmethod
    def protected(
        cls,
        in_size: int,
        hidden_size: int = 8192,
        out_size: int = 10,
        sparsity_k: int = 32,
        device: DeviceLike = None,
        *,
        seed: int = 0,
        **options: Any,
    ) -> TriarchicBrain:
        """Return a brain with :meth:`TriarchicOptions.protected`, ``options`` on top.

        Examples
        --------
        >>> TriarchicBrain.protected(1280).options.grow_while_young
        True
        """
        chosen = {**asdict(TriarchicOptions.protected()), **options}
        return cls(in_size, hidden_size, out_size, sparsity_k, device, seed=seed, **chosen)

    @property
    def w_core(self) -> Tensor:
        """Slow weights."""
        return self.layers.synapses.core

    @property
    def w_context(self) -> Tensor:
        """Fast weights."""
        return self.layers.synapses.context

    @property
    def importance(self) -> Tensor:
        """What locks the slow weights."""
        return self.layers.synapses.importance

    def encode(self, x: ArrayLike) -> Float[Tensor, "batch hidden"]:
        """Return the sparse code of features ``[batch, in_size]``: unit length, k non-zero."""
        return self.layers.code(self._prepare(x))

    def forward(self, x: ArrayLike) -> Float[Tensor, "batch out"]:
        """Return the logits, core and context together, for features ``[batch, in_size]``."""
        parts = torch.split(self._prepare(x), ROWS)
        return torch.cat([self.layers.synapses.logits(self.layers.code(part)) for part in parts])

    __call__ = forward

    def predict(self, x: ArrayLike) -> Int[Tensor, " batch"]:
        """Return the most likely label of each input."""
        return self.forward(x).argmax(dim=1)

    def predict_proba(self, x: ArrayLike) -> Float[Tensor, "batch out"]:
        """Return the softmax of the logits."""
        return self.forward(x).softmax(dim=1)

    def update_batch(self, x: ArrayLike, y: ArrayLike) -> dict[str, Any]:
        """Learn one batch and report on it.

        Parameters
        ----------
        x : array ``[batch, in_size]``
            Features.
        y : array of int ``[batch]``
            Labels in ``[0, out_size)``.

        Returns
        -------
        dict
            ``accuracy`` and ``loss`` before learning; ``context_energy``, the Frobenius norm of
            ``w_context``; ``core_change``, ``|change of w_core| / |w_core|`` by the delta rule
            (what new units bring comes on top); ``grown`` units; ``storm`` and ``storm_score``;
            ``seen``, examples of the batch.

        Raises
        ------
        ShapeError, DTypeError, DataError, LabelError
            Bad input; nothing was changed.
        """
        inputs = self._prepare(x)
        labels = check_labels(
            y,
            len(inputs),
            num_classes=self.out_size,
            device=self.device,
            cure="build it with a larger out_size",
        )
        return self.layers.learn(inputs, labels)

    def learn(self, batch: Batch) -> dict[str, Any]:
        """Learn ``(x, y)``: :meth:`update_batch`."""
        return self.update_batch(*as_pair(batch))

    def sleep(self) -> dict[str, Any]:
        """Let the context fade away and the storm pass; the core and the base stay as they are."""
        report = {"context_energy": self.layers.synapses.energy(), "storm": self.layers.storm}
        self.layers.rest()
        return report

    def get_memory_accuracy(self, data: Iterable[Any]) -> float:
        """Return the accuracy, in [0, 1], on ``(x, y)`` or on a loader of such batches.

        Raises
        ------
        DataError, DTypeError
            If the loader is empty, or this is neither a batch nor a loader.
        """
        hits = total = 0
        for x, y in as_batches(data):
            answers = self.predict(x)
            labels = check_labels(y, len(answers), device=self.device)
            hits += int((answers == labels).sum())
            total += len(labels)
        check_features(torch.zeros(total, 1), 1, name="evaluation batches")  # refuses none at all
        return hits / total

    def get_stats(self) -> dict[str, Any]:
        """Return plain numbers about the inside.

        Shares are of 1: ``sparsity`` of the units that answer an input, ``used_units`` that ever
        did, ``locked`` synapses of the core that can change no more.
        """
        return self.layers.stats()

    stats = get_stats

    def config(self) -> dict[str, Any]:
        """Return the constructor arguments."""
        sizes = {name: getattr(self, name) for name in ("in_size", "hidden_size", "out_size")}
        rest = {"sparsity_k": self.sparsity_k, "device": str(self.device), "seed": self.seed}
        return {**sizes, **rest, **asdict(self.options)}

    def export_state(self) -> State:
        """Return the layers, the sense of storms and the counters."""
        return self.layers.export_state()

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned."""
        self.layers.import_state(state)

    def _prepare(self, x: ArrayLike) -> Float[Tensor, "batch width"]:
        return self.layers.prepare(check_features(x, self.in_size, device=self.device))
