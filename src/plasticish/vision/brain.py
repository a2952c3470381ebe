"""A brain that never stops learning: blocks, a fast store, a slow store, and sleep."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from jaxtyping import Float32, Int64
from torch import Tensor
from torch.nn.functional import normalize

from plasticish.core import (
    LEARNERS,
    ArrayLike,
    Batch,
    ConfigError,
    DeviceLike,
    NotReadyError,
    Persistent,
    Report,
    ShapeError,
    State,
    check_features,
    check_images,
    check_labels,
    check_positive,
    make_generator,
    resolve_device,
    spawn_seed,
)
from plasticish.memory import AssociativeCortex, EpisodicMemoryBank

from .block import NeuromodulatedBlock, check_mode
from .explanation import Explanation
from .eyes import PretrainedEyes
from .familiarity import Familiarity
from .layers import LayerStack
from .verdict import combine

__all__ = ["PlasticBrain"]

GLIMPSE = 256  # memories that judge a batch while it is learned: a fixed cost, however old
SURPRISE = 1.0  # how much more a block learns where the memory was wrong
REPLAYED = 2000  # memories on which familiarity is standardised
NEAREST = 10  # memories of each class that speak


@LEARNERS.register("plastic_brain")
class PlasticBrain(LayerStack, Persistent):
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
    expansion : int
        Random units of the cortex beside the features.
    use_cortex, use_hippocampus : bool
        Which stores answer (for ablations; both keep learning).
    use_reward : bool
        Whether blocks learn more from what the memory got wrong.
    enable_neurogenesis : bool
        Whether the blocks may grow; see :meth:`set_neurogenesis`.
    lr : float
        Of the blocks.
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
        expansion: int = 2048,
        use_cortex: bool = True,
        use_hippocampus: bool = True,
        use_reward: bool = True,
        enable_neurogenesis: bool = True,
        lr: float = 1.0,
        seed: int = 0,
    ) -> None:
        check_positive(in_dim=in_dim)
        if num_layers < 0:
            raise ConfigError("num_layers is out of range", got=str(num_layers), expected=">= 0")
        if not (use_cortex or use_hippocampus):
            raise ConfigError("a brain without hippocampus and cortex cannot answer")
        self.device = resolve_device(device)
        self.in_dim, self.seed, self.eyes = in_dim, seed, eyes
        self.use_cortex, self.use_hippocampus = use_cortex, use_hippocampus
        self.use_reward = use_reward
        self._block_arguments = {
            "hidden_dim": hidden_dim,
            "sparsity_k": sparsity_k,
            "lr": lr,
            "enable_neurogenesis": enable_neurogenesis,
        }
        self.layers = [self._new_block(i) for i in range(num_layers)]
        self.memory = EpisodicMemoryBank(
            in_dim, memory_size, num_classes=num_classes, seed=spawn_seed(seed, 0), device=device
        )
        self.cortex = AssociativeCortex(
            in_dim, expansion, num_classes, seed=spawn_seed(seed, 1), device=device
        )
        if eyes is not None:
            self._check_eyes(eyes)
        self._generator = make_generator(spawn_seed(seed, 2))
        self._familiarity: Familiarity | None = None
        self.seen = 0

    # ------------------------------------------------------------------ what is in it

    @property
    def num_classes(self) -> int:
        """Number of classes: fixed, or the largest label ever learned plus one."""
        return max(self.memory.num_classes, self.cortex.num_classes)

    @property
    def novelty_threshold(self) -> float:
        """Novelty that one memory in a hundred exceeds; infinite before the first sleep."""
        return math.inf if self._familiarity is None else self._familiarity.threshold

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

    # ------------------------------------------------------------------ seeing

    def see(self, x: ArrayLike) -> Float32[Tensor, "batch in_dim"]:
        """Return features at unit root-mean-square, from features or (through eyes) from images.

        Raises
        ------
        ShapeError, DTypeError, DataError
            Unusable input, or eyes whose width is not ``in_dim``.
        """
        if getattr(x, "ndim", 2) == 4:
            images = check_images(x)
            x = self._eyes()(images)
        features = check_features(x, self.in_dim, device=self.device)
        return normalize(features, dim=1, eps=1e-20) * math.sqrt(self.in_dim)

    def _eyes(self) -> PretrainedEyes:
        if self.eyes is None:
            eyes = PretrainedEyes(device=self.device)
            self._check_eyes(eyes)
            self.eyes = eyes
        return self.eyes

    def _check_eyes(self, eyes: PretrainedEyes) -> None:
        if eyes.width != self.in_dim:
            raise ShapeError(
                "these eyes do not fit the brain",
                got=f"features of width {eyes.width}",
                expected=f"in_dim = {self.in_dim}",
                cure=f"build the brain with in_dim={eyes.width}, or give it other eyes",
            )

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
        hits = (
            self._glimpse(features, labels)
            if mode != "inference"
            else self._answer(features, labels)
        )
        if mode != "inference":
            if memorize:
                self.memory.store(features, labels)
                self.cortex.learn((features, labels))
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
        return self.train_step(*batch)

    def _glimpse(self, features: Tensor, labels: Tensor) -> Tensor | None:
        """Return 1 where the nearest of a few random memories has the right label, else 0."""
        if not len(self.memory):
            return None
        drawn = torch.randint(len(self.memory), (GLIMPSE,), generator=self._generator)
        keys, theirs = self.memory.examples(drawn.to(self.device))
        return (theirs[(features @ keys.T).argmax(dim=1)] == labels).float()

    def _answer(self, features: Tensor, labels: Tensor) -> Tensor | None:
        return (self.predict(features) == labels).float() if len(self.memory) else None

    def _teach_blocks(
        self, features: Tensor, labels: Tensor, hits: Tensor | None, mode: str
    ) -> None:
        expected = self.cortex.expectations()
        if not self.layers or not len(expected):
            return
        # A class that was never memorised is expected to look like the average of the others.
        unseen = self.cortex.class_counts == 0
        expected[unseen[: len(expected)]] = expected[~unseen[: len(expected)]].mean(dim=0)
        inside = labels.clamp(max=len(expected) - 1)
        deviation = features - expected[inside]
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
        covariance = moments.within.float()
        reports = []
        for block in self.layers:
            covariance, report = block.consolidate(covariance, moments.total)
            reports.append(report)
        self._reencode(moments.means[moments.known].float())
        return {"layers": reports, "mature": self._mature_share(), "seen": self.seen}

    def _reencode(self, means: Tensor) -> None:
        centre = means.mean(dim=0)
        self.memory.set_metric(self._explaining_transform(), centre)
        memories = self.memory.examples(self._some_memories())[0]
        project = self.memory.metric.project
        self._familiarity = Familiarity.fit(project(means), project(memories))

    def _some_memories(self) -> Tensor:
        count = len(self.memory)
        return torch.linspace(0, count - 1, min(REPLAYED, count), device=self.device).long()

    # ------------------------------------------------------------------ answering

    def predict_proba(self, x: ArrayLike) -> Float32[Tensor, "batch classes"]:
        """Return the probability of each class; rows sum to one.

        Raises
        ------
        NotReadyError
            If nothing was ever learned.
        ShapeError, DTypeError, DataError
            Unusable input.
        """
        return self._judge(self.see(x))[0]

    def predict(self, x: ArrayLike) -> Int64[Tensor, " batch"]:
        """Return the most probable label of each row."""
        return self.predict_proba(x).argmax(dim=1)

    def _judge(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        if not len(self.memory):
            raise NotReadyError("the brain has learned nothing yet", cure="teach it first")
        counts = self.memory.class_counts
        present = (counts > 0).nonzero().flatten()
        similarity = self.memory.class_similarity(features, NEAREST)
        classes = self.num_classes
        if similarity.shape[1] < classes:
            pad = similarity.new_full((len(similarity), classes - similarity.shape[1]), -1.0)
            similarity = torch.cat([similarity, pad], dim=1)
        if not (self.cortex.slept and self.use_cortex):
            return combine(similarity, present, None, present)
        evidence, known = self.cortex.evidence(features), self.cortex.known_classes
        together = combine(similarity, present, evidence, known)
        return together if self.use_hippocampus else (together[2], *together[1:])

    def evaluate(self, loader: Iterable[Batch] | Batch) -> dict[str, Any]:
        """Return ``accuracy``, ``per_class`` accuracy and ``count`` over a loader or one batch.

        Raises
        ------
        NotReadyError, ShapeError, DTypeError, DataError, LabelError
            Nothing was learned, or unusable input.
        """
        batches = [loader] if isinstance(loader, tuple) else loader
        right: dict[int, int] = {}
        count: dict[int, int] = {}
        for x, y in batches:
            guess = self.predict(x).cpu()
            labels = check_labels(y, len(guess))
            for label in set(labels.tolist()):
                mine = labels == label
                right[label] = right.get(label, 0) + int((guess[mine] == label).sum())
                count[label] = count.get(label, 0) + int(mine.sum())
        total = sum(count.values())
        return {
            "accuracy": sum(right.values()) / total if total else math.nan,
            "per_class": {label: right[label] / count[label] for label in sorted(count)},
            "count": total,
        }

    def why(self, x: ArrayLike) -> Explanation:
        """Return what every part said: blocks, the memories that woke, both votes, novelty."""
        features = self.see(x)
        together, hippocampus, cortex = self._judge(features)
        return Explanation(
            labels=together.argmax(dim=1),
            proba=together,
            hippocampus=hippocampus,
            cortex=cortex,
            recall=self.memory.recall(features),
            novelty=self.novelty(features),
            layers=self._layer_activity(features),
        )

    def novelty(self, x: ArrayLike) -> Float32[Tensor, " batch"]:
        """Return how strange each input is: about 0 for the familiar, higher for stranger.

        Before the first sleep it is the distance (1 - cosine) to the nearest memory.

        Raises
        ------
        NotReadyError, ShapeError, DTypeError, DataError
            Nothing was learned, or unusable input.
        """
        features = self.see(x)
        if self._familiarity is None:
            return 1.0 - self.memory.max_similarity(features)
        return self._familiarity.score(self.memory.metric.project(features))

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
            "seed": self.seed,
            **self._block_arguments,
        }

    def export_state(self) -> State:
        """Return the state of every part."""
        parts = {"memory": self.memory.export_state(), "cortex": self.cortex.export_state()}
        parts |= {f"block{i}": block.export_state() for i, block in enumerate(self.layers)}
        parts["self"] = State(
            {
                "seen": self.seen,
                "eyes": None if self.eyes is None else self.eyes.config(),
                "blocks": [block.config() for block in self.layers],
            },
            {"generator": self._generator.get_state()},
        )
        if self._familiarity is not None:
            parts["familiarity"] = self._familiarity.state()
        return State.nest(parts)

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned."""
        own = state.part("self")
        self.layers = [NeuromodulatedBlock(**config) for config in own.values["blocks"]]
        for i, block in enumerate(self.layers):
            block.import_state(state.part(f"block{i}"))
        self.memory.import_state(state.part("memory"))
        self.cortex.import_state(state.part("cortex"))
        self._generator.set_state(own.tensors["generator"].cpu())
        self.seen = int(own.values["seen"])
        if self.eyes is None and own.values["eyes"] is not None:
            self.eyes = PretrainedEyes(**own.values["eyes"], device=self.device)
        self._familiarity = (
            Familiarity.from_state(state.part("familiarity"), self.device)
            if "familiarity" in state.values
            else None
        )
