"""Brains that learn parts of one stream, and become one brain again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, TypeVar

from plasticish.core import ConfigError, NotReadyError, Report, make_generator
from plasticish.memory import AssociativeCortex, EpisodicMemoryBank
from plasticish.memory.priorities import skip_draws

from .glimpse import Glimpse

if TYPE_CHECKING:
    import torch

    from .eyes import PretrainedEyes

__all__ = ["Merging"]

M = TypeVar("M", bound="Merging")
MAY_DIFFER = ("device",)


class Merging(ABC):
    """The half of a brain that divides a stream: nothing here looks at an example."""

    memory: EpisodicMemoryBank
    cortex: AssociativeCortex
    eyes: PretrainedEyes | None
    seen: int
    _glimpse: Glimpse
    _generator: torch.Generator

    @abstractmethod
    def config(self) -> dict[str, Any]:
        """Return the constructor arguments."""

    def branch(self: M, after: int = 0) -> M:
        """Return an empty brain for a later part of this brain's stream, to be merged back.

        Its random draws are those that this brain would make for that part, so that after
        :meth:`merge` the very same memories are kept as if one brain had seen it all.

        Parameters
        ----------
        after : int
            How many examples lie between what this brain has seen and where the part begins.

        Examples
        --------
        >>> import torch
        >>> from plasticish import PlasticBrain
        >>> x = torch.randn(40, 8, generator=torch.Generator().manual_seed(0))
        >>> y = (x[:, 0] > 0).long()
        >>> brain = PlasticBrain(in_dim=8, hidden_dim=8, sparsity_k=4)
        >>> first, second = brain.branch(), brain.branch(after=20)
        >>> _ = first.learn((x[:20], y[:20])), second.learn((x[20:], y[20:]))
        >>> _ = brain.merge(first)
        >>> brain.merge(second)["seen"]
        40
        """
        if isinstance(after, bool) or not isinstance(after, int) or after < 0:
            raise ConfigError(
                "after is out of range", got=repr(after), expected="a count of examples, >= 0"
            )
        branch = type(self)(**self.config(), eyes=self.eyes)  # type: ignore[call-arg]
        branch.memory.follow(self.memory, after)
        generator = make_generator(0)
        generator.set_state(self._generator.get_state())
        branch._generator = skip_draws(generator, after)
        return branch

    def merge(self: M, other: M) -> Report:
        r"""Take over what ``other`` has learned, as if its stream had come next; it stays as it is.

        * **Cortex**: the sums add up, :math:`G = G_1 + G_2`, :math:`Q = Q_1 + Q_2`,
          :math:`n = n_1 + n_2`; whatever is read out of them is that of one brain which saw both
          streams, to rounding.
        * **Hippocampus**: the eviction policy chooses among both. If ``other`` is a
          :meth:`branch`, that gives the memories that one brain would hold, also of a full bank.
        * **Blocks**: what they learned awake depends on the order of the stream and has no sum.
          This brain keeps its own units, and the next :meth:`sleep` lets them settle on the merged
          sums. They are close to those of a single brain, not equal.

        Readout, metric and strangeness stay in force until the next :meth:`sleep`, as after
        learning. Merging the same brain twice counts its stream twice; whoever gives work to many
        keeps the parts apart (:class:`~plasticish.training.ShardedTrainer` does, by their place in
        the stream).

        Parameters
        ----------
        other : PlasticBrain
            With the same configuration and seed, on any device.

        Returns
        -------
        mapping
            ``seen``, ``classes`` and ``memories`` of the whole.

        Raises
        ------
        ConfigError
            If ``other`` is this very brain or was made with other arguments; nothing is changed.
        NotReadyError
            If it has learned nothing; nothing is changed.
        """
        if other is self:
            raise ConfigError("a brain cannot be merged with itself")
        if type(other) is not type(self):
            raise ConfigError(
                "these brains cannot be merged",
                got=type(other).__name__,
                expected=type(self).__name__,
            )
        mine, theirs = self.config(), other.config()
        for name in mine:
            if name not in MAY_DIFFER and mine[name] != theirs[name]:
                raise ConfigError(
                    "these brains cannot be merged",
                    got=f"{name}={theirs[name]!r}",
                    expected=f"{name}={mine[name]!r}",
                    cure="make both with the same arguments, or one as a branch of the other",
                )
        if not other.seen:
            raise NotReadyError("the other brain has learned nothing yet", cure="teach it first")
        self.cortex.merge(other.cortex)
        self.memory.merge(other.memory)
        self._glimpse.merge(other._glimpse)
        skip_draws(self._generator, other.seen)
        self.seen += other.seen
        return {
            "seen": self.seen,
            "classes": max(self.memory.num_classes, self.cortex.num_classes),
            "memories": len(self.memory),
        }
