"""A brain that never stops learning: blocks, a fast store, a slow store, and sleep."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from plasticish.core import (
    LEARNERS,
    ArrayLike,
    Batch,
    ConfigError,
    DeviceLike,
    NotReadyError,
    Persistent,
    Report,
    State,
    as_pair,
    check_labels,
    make_generator,
    resolve_device,
    spawn_seed,
)
from plasticish.memory import MEMORIES, AssociativeCortex, Moments
from plasticish.memory.checks import check_whole, refuse_absurd

from .answering import Answering
from .block import BLOCKS, NeuromodulatedBlock, check_mode
from .eyes import PretrainedEyes
from .familiarity import Familiarity
from .glimpse import Glimpse
from .merging import Merging

__all__ = ["PlasticBrain"]

SURPRISE = 1.0  # how much more a block learns where the memory was wrong
MOST_LAYERS = 100  # each sees what the one before left, and a few leave nothing
REPLAYED = 2000  # memories on which familiarity is standardised


@LEARNERS.register("plastic_brain")
class PlasticBrain(Merging, Answering, Persistent):
    r"""Learns classes one after another, in one pass, without a gradient and without forgetting.

    * **Hippocampus** (:class:`~plasticish.memory.EpisodicMemoryBank`): keeps every example at
      once and recalls the nearest.
    * **Cortex** (:class:`~plasticish.memory.AssociativeCortex`): Hebbian sums of everything seen,
      read out as a shrunken discriminant after sleep.
    * **Blocks** (:class:`NeuromodulatedBlock`): learn what varies within classes, to explain it
      away before the hippocampus compares; each deeper block gets what the one before left.
    * **Sleep**: solves the cortex, lets the blocks settle and mature, and re-encodes the memories
      under the new metric.

    Features are rescaled to unit root-mean-square on the way in. The answer multiplies the votes
    of the two stores (:func:`plasticish.vision.verdict.combine`).

    Parameters
    ----------
    in_dim : int
        Width of the features.
    hidden_dim, sparsity_k : int
        Of each block: the most units, and the winners per input.
    num_layers : int
        Number of blocks; 0 compares features as they are. More than one was measured to gain
        nothing (``see/ablation``), so one is the default.
    memory_size : int
        The most memories kept; a full bank lets the largest class give way.
    num_classes : int, optional
        Fixes the classes; ``None`` lets them grow as labels appear.
    device : str or torch.device, optional
        Where everything lives.
    eyes : PretrainedEyes, optional
        What turns images into features. If images come and no eyes were given, ResNet18 is made
        on first need.
    expansion : int, optional
        Random units of the cortex beside the features.
    use_cortex, use_hippocampus : bool
        Which stores answer (for ablations; both keep learning).
    use_reward : bool
        Whether blocks learn more from what the memory got wrong. It was measured to change
        nothing after sleep (``see/ablation``), so it is off.
    enable_neurogenesis : bool
        Whether the blocks may grow beyond their first units; see :meth:`set_neurogenesis`. It was
        measured to gain nothing over the 32 units that a block is born with (``see/ablation``),
        so it is off.
    lr : float
        Of the blocks.
    block, memory : str
        Names of what the blocks and the hippocampus are, in :data:`~plasticish.vision.BLOCKS` and
        :data:`~plasticish.memory.MEMORIES`; a package of one's own adds to them.
    seed : int
        Of every random draw.

    Examples
    --------
    >>> generator = torch.Generator().manual_seed(0)
    >>> x = torch.randn(60, 16, generator=generator)
    >>> y = (x[:, 0] > 0).long()
    >>> brain = PlasticBrain(in_dim=16, hidden_dim=64, sparsity_k=8, num_layers=1)
    >>> report = brain.train_step(x, y)
    >>> _ = brain.sleep()
    >>> brain.evaluate((x, y))["accuracy"] > 0.9
    True
    """

    kind = "plastic_brain"

    def __init__(
        self,
        in_dim: int = 512,
        hidden_dim: int = 4096,
        sparsity_k: int = 128,
        num_layers: int = 1,
        memory_size: int = 60000,
        num_classes: int | None = None,
        device: DeviceLike = None,
        *,
        eyes: PretrainedEyes | None = None,
        expansion: int | None = None,
        use_cortex: bool = True,
        use_hippocampus: bool = True,
        use_reward: bool = False,
        enable_neurogenesis: bool = False,
        lr: float = 1.0,
        block: str = "neuromodulated_block",
        memory: str = "episodic_memory",
        seed: int = 0,
    ) -> None:
        check_whole(in_dim=in_dim)
        whole = isinstance(num_layers, int) and not isinstance(num_layers, bool)
        if not whole or not 0 <= num_layers <= MOST_LAYERS:
            raise ConfigError(
                "num_layers is out of range",
                got=repr(num_layers),
                expected=f"an integer >= 0, at most {MOST_LAYERS}",
            )
        if not (use_cortex or use_hippocampus):
            raise ConfigError(
                "a brain without hippocampus and cortex cannot answer",
                cure="leave use_cortex or use_hippocampus on",
            )
        self.device = resolve_device(device)
        self.in_dim, self.seed, self.eyes = in_dim, seed, eyes
        self.use_cortex, self.use_hippocampus = use_cortex, use_hippocampus
        self.use_reward = use_reward
        self.block, self._memory_kind = block, memory
        self._block_arguments = {
            "hidden_dim": hidden_dim,
            "sparsity_k": sparsity_k,
            "lr": lr,
            "enable_neurogenesis": enable_neurogenesis,
        }
        self.layers = [self._new_block(i) for i in range(num_layers)]
        self.memory = MEMORIES[memory](
            in_dim, memory_size, num_classes=num_classes, seed=spawn_seed(seed, 0), device=device
        )
        self.cortex = AssociativeCortex(
            in_dim, expansion, num_classes, seed=spawn_seed(seed, 1), device=device
        )
        if eyes is not None:
            self._check_eyes(eyes)
        self._generator = make_generator(spawn_seed(seed, 2))
        self._glimpse = Glimpse(in_dim, self.device)
        self._familiarity: Familiarity | None = None
        self.seen = 0

    # ------------------------------------------------------------------ what is in it

    def stats(self) -> Report:
        """Return plain numbers about every part."""
        return {
            "seen": self.seen,
            "classes": self.num_classes,
            "memory": self.memory.stats(),
            "cortex": self.cortex.stats(),
            "layers": [block.stats() for block in self.layers],
            "memory_fill": self.memory.fill,
            "mature": self._mature_share(),
        }

    def get_stats(self) -> Report:
        """Return :meth:`stats`, under the name that the prototype had for it."""
        return self.stats()

    def _mature_share(self) -> float:
        room = sum(block.sparsity_k for block in self.layers)
        return sum(block.mature for block in self.layers) / room if room else 0.0

    # ------------------------------------------------------------------ learning awake

    def train_step(
        self, x: ArrayLike, y: ArrayLike, mode: str = "plastic", memorize: bool = True
    ) -> dict[str, Any]:
        """Learn one batch, after judging it by what a glimpse of the memory already says.

        Parameters
        ----------
        x : array [batch, in_dim], or images [batch, channels, height, width]
            Inputs.
        y : array [batch]
            Integer labels.
        mode : {"plastic", "panic", "inference"}
            ``"panic"`` lets the blocks learn faster under a storm; ``"inference"`` learns nothing.
        memorize : bool
            Whether the two stores keep the batch; if not, only the blocks learn.

        Returns
        -------
        dict
            ``accuracy`` (of the glimpse, before learning; NaN while the memory is empty),
            ``reward`` (mean), ``memory_fill``, ``mature`` (shares) and ``seen`` (examples).

        Raises
        ------
        ShapeError, DTypeError, DataError, LabelError, ConfigError
            Unusable input; nothing is learned.
        """
        check_mode(mode)
        features = self.see(x)
        labels = check_labels(
            y, len(features), num_classes=self.memory.fixed_classes, device=self.device
        )
        refuse_absurd(labels)  # before any part has learned
        hits = (
            self._glimpse.hits(features, labels)
            if mode != "inference"
            else self._answer(features, labels)
        )
        if mode != "inference":
            if memorize:
                self.memory.store(features, labels)
                self.cortex.learn((features, labels))
                self._glimpse.keep(features, labels, self._generator)
                self.seen += len(features)
            self._teach_blocks(features, labels, hits, mode)
        accuracy = math.nan if hits is None else float(hits.mean())
        return {
            "accuracy": accuracy,
            "reward": 0.0 if hits is None else 2 * accuracy - 1,
            "memory_fill": self.memory.fill,
            "mature": self._mature_share(),
            "seen": self.seen,
        }

    def learn(self, batch: Batch) -> Report:
        """Learn one batch ``(x, y)`` in plastic mode; see :meth:`train_step`."""
        return self.train_step(*as_pair(batch))

    def _answer(self, features: Tensor, labels: Tensor) -> Tensor | None:
        return (self.predict(features) == labels).float() if len(self.memory) else None

    def _teach_blocks(
        self, features: Tensor, labels: Tensor, hits: Tensor | None, mode: str
    ) -> None:
        expected = self.cortex.expectations()
        if not self.layers or not len(expected):
            return
        # A class that was never memorised is expected to look like the average of the others.
        seen = self.cortex.class_counts[: len(expected)] > 0
        average = expected[seen].mean(dim=0, keepdim=True)
        expected = torch.cat([torch.where(seen[:, None], expected, average), average])
        deviation = features - expected[labels.clamp(max=len(expected) - 1)]
        reward = None
        if self.use_reward and hits is not None:
            reward = 1.0 + SURPRISE * (1.0 - hits)
        for block in self.layers:
            deviation = block.train_step(deviation, reward, mode)

    # ------------------------------------------------------------------ learning asleep

    def sleep(self) -> dict[str, Any]:
        """Solve the cortex, let the blocks settle, and re-encode the memories.

        Raises
        ------
        NotReadyError
            If nothing was ever learned.
        """
        report: dict[str, Any] = dict(self.cortex.sleep())
        report["layers"] = self.consolidate()["layers"]
        return report

    def consolidate(self) -> dict[str, Any]:
        """Let the blocks settle and mature on the co-activity of everything seen; recycle others.

        The half of :meth:`sleep` that concerns blocks and memories.

        Raises
        ------
        NotReadyError
            If nothing was ever learned.
        """
        if not self.cortex.seen:
            raise NotReadyError("there is nothing to sleep on yet", cure="learn something first")
        moments = self.cortex.moments()
        # With one example a class nothing varies within classes, and the rest is rounding.
        covariance = moments.within.float() * (moments.total > len(moments.known))
        reports = []
        for block in self.layers:
            covariance, report = block.consolidate(covariance, moments.total)
            reports.append(report)
        self._reencode(moments)
        return {"layers": reports, "mature": self._mature_share(), "seen": self.seen}

    def _reencode(self, moments: Moments) -> None:
        centre = moments.means[moments.known].float().mean(dim=0)
        self.memory.set_metric(self._explaining_transform(), centre)
        memories = self.memory.examples(self._some_memories())[0]
        # With an example or two a class there is no telling what is usual among them.
        enough = moments.total > 2 * len(moments.known)
        self._familiarity = Familiarity.fit(moments, memories) if enough else None

    def _some_memories(self) -> Tensor:
        count = len(self.memory)
        return torch.linspace(0, count - 1, min(REPLAYED, count), device=self.device).long()

    # ------------------------------------------------------------------ state

    def config(self) -> dict[str, Any]:
        """Return the constructor arguments."""
        return {
            "in_dim": self.in_dim,
            "num_layers": len(self.layers),
            "memory_size": self.memory.memory_size,
            "num_classes": self.memory.fixed_classes,
            "device": str(self.device),
            "expansion": self.cortex.expansion,
            "use_cortex": self.use_cortex,
            "use_hippocampus": self.use_hippocampus,
            "use_reward": self.use_reward,
            "block": self.block,
            "memory": self._memory_kind,
            "seed": self.seed,
            **self._block_arguments,
        }

    def export_state(self) -> State:
        """Return the state of every part."""
        parts = {
            "memory": self.memory.export_state(),
            "cortex": self.cortex.export_state(),
            "glimpse": self._glimpse.export_state(),
        }
        parts |= {f"block{i}": block.export_state() for i, block in enumerate(self.layers)}
        parts["self"] = State(
            {
                "seen": self.seen,
                "eyes": None if self.eyes is None else self.eyes.config(),
                "blocks": [block.config() for block in self.layers],
                "block_kinds": [block.kind for block in self.layers],
            },
            {"generator": self._generator.get_state()},
        )
        if self._familiarity is not None:
            parts["familiarity"] = self._familiarity.state()
        return State.nest(parts)

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned."""
        own = state.part("self")
        configs = own.values["blocks"]
        kinds = own.values.get("block_kinds", [NeuromodulatedBlock.kind] * len(configs))
        self.layers = [BLOCKS[kind](**config) for kind, config in zip(kinds, configs, strict=True)]
        for i, block in enumerate(self.layers):
            block.import_state(state.part(f"block{i}"))
        self.memory.import_state(state.part("memory"))
        self.cortex.import_state(state.part("cortex"))
        self._glimpse.import_state(state.part("glimpse"))
        self._generator.set_state(own.tensors["generator"].cpu())
        self.seen = int(own.values["seen"])
        if self.eyes is None and own.values["eyes"] is not None:
            self.eyes = PretrainedEyes(**own.values["eyes"], device=self.device)
        self._familiarity = (
            Familiarity.from_state(state.part("familiarity"), self.device)
            if "familiarity" in state.values
            else None
        )
