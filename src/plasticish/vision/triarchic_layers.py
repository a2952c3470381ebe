"""The three layers of a triarchic brain wired together: what happens when a batch is learned."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import normalize, one_hot

from plasticish.core import State

from .sparse_base import SparseBase
from .storm import StormSense
from .triarchic_options import TriarchicOptions
from .two_speed import TwoSpeedSynapses

__all__ = ["TriarchicLayers"]

COUNTS = ("steps", "seen", "calm", "storm")
PARTS = ("base", "synapses", "sense")


class TriarchicLayers:
    """Base, synapses and the sense of storms; inputs are checked by the brain around them.

    Parameters
    ----------
    in_size, hidden_size, out_size, sparsity_k, seed : int
        As of :class:`TriarchicBrain`.
    options : TriarchicOptions
        How they change.
    device : torch.device
        Where they live.
    """

    def __init__(
        self,
        in_size: int,
        hidden_size: int,
        out_size: int,
        sparsity_k: int,
        *,
        seed: int,
        options: TriarchicOptions,
        device: torch.device,
    ) -> None:
        self.options = options
        self.out_size = out_size
        # Every label has a claim on its share of the units, and is young until it has used it.
        self.share = max(1, hidden_size // out_size)
        self.steps = self.seen = 0
        self.calm = 0  # when the last batch began over which nothing drifted
        self.storm = False
        self.base = SparseBase(
            in_size,
            hidden_size,
            sparsity_k,
            empty=options.grow_while_young,
            contrast=options.contrast,
            seed=seed,
            device=device,
        )
        self.synapses = TwoSpeedSynapses(hidden_size, out_size, options, device)
        self.sense = StormSense(
            in_size,
            out_size,
            memory=options.storm_memory,
            familiar=options.familiar,
            threshold=options.storm_threshold,
            device=device,
        )

    def prepare(self, features: Float[Tensor, "batch width"]) -> Float[Tensor, "batch width"]:
        """Compress features if asked, and keep their directions: their length says little."""
        if self.options.power != 1:
            features = features.sign() * features.abs() ** self.options.power
        # A power of two changes no digit, and keeps the squares of huge or tiny rows in range.
        exponent = torch.frexp(features.abs().amax(dim=1, keepdim=True)).exponent.clamp(-120, 120)
        return normalize(torch.ldexp(features, -exponent), dim=1)

    def code(self, x: Float[Tensor, "batch width"]) -> Float[Tensor, "batch hidden"]:
        """Return the sparse code of prepared inputs."""
        return self.base.code(self.base.responses(x))

    def learn(self, x: Float[Tensor, "batch width"], y: Int[Tensor, " batch"]) -> dict[str, Any]:
        """Learn prepared inputs and report."""
        if self.options.grow_while_young:
            report = self._learn_and_imprint(x, y)
        else:
            grown = self.base.grow_if_unfamiliar(x, self.options.novelty, self.seen)
            free = self._open(x, y)
            report = {**self._learn_code(self.base.responses(x), y, free), "grown": grown}
        self.steps += 1
        self.seen += len(x)
        storm = {"storm": self.storm, "storm_score": self.sense.score}
        return {**report, **storm, "seen": len(x)}

    def rest(self) -> None:
        """Let the context fade away and the storm pass."""
        self.synapses.context.zero_()
        self.sense.reset()
        self.storm = False

    def stats(self) -> dict[str, Any]:
        """Return plain numbers about the inside."""
        return {
            "steps": self.steps,
            "seen": self.seen,
            "storm": self.storm,
            "seen_labels": int((self.sense.count > 0).sum()),
            "sparsity": self.base.sparsity_k / len(self.base.usage),
            "used_units": int((self.base.usage > 0).sum()),
            "grown_units": int(self.base.born.sum()),
            "importance": float(self.synapses.importance.mean()),
            "locked": float((self.synapses.brake() >= 1).float().mean()),
            "core_norm": float(self.synapses.core.norm()),
            "context_energy": self.synapses.energy(),
            "storm_score": self.sense.score,
        }

    def export_state(self) -> State:
        """Return the parts and the counters."""
        parts = {name: getattr(self, name).export_state() for name in PARTS}
        return State.nest({"brain": State({name: getattr(self, name) for name in COUNTS}), **parts})

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned."""
        own = state.part("brain").values
        self.steps, self.seen, self.calm = (int(own[name]) for name in ("steps", "seen", "calm"))
        self.storm = bool(own["storm"])
        for name in PARTS:
            getattr(self, name).import_state(state.part(name))

    def _open(
        self, x: Float[Tensor, "batch width"], y: Int[Tensor, " batch"]
    ) -> Bool[Tensor, " batch"]:
        """Return which examples the core may learn from; what a storm shifts is not among them."""
        was, self.storm = self.storm, self.sense.sense(x, y)
        if self.storm and not was:
            self._take_back()
        elif self.sense.is_calm:
            self.calm = self.seen
        familiar = self.sense.is_familiar(y)
        free = ~familiar if self.storm else torch.ones_like(familiar)
        # Expectations follow what is learned and nothing else: a long storm stays a storm.
        self.sense.learn(x[free], y[free])
        return free

    def _learn_and_imprint(
        self, x: Float[Tensor, "batch width"], y: Int[Tensor, " batch"]
    ) -> dict[str, Any]:
        """Learn through the units there are, then let new examples of young labels become units."""
        young = self._is_young(y)
        free = self._open(x, y)
        responses = self.base.responses(x)
        twins = self.base.twins(responses)
        if self.options.habituation:
            responses = responses.masked_fill(twins, -1.0)
        report = self._learn_code(responses, y, free)
        fresh = young & free & ~twins.any(dim=1)
        units = self.base.imprint(x[fresh], self.seen)
        self.synapses.vote(units, y[fresh][: len(units)])
        return {**report, "grown": len(units)}

    def _take_back(self) -> None:
        """Prune the units that a storm made before it was noticed."""
        if self.options.grow_while_young:
            since = max(self.calm, self.seen - self.options.storm_memory)
            familiar = self.sense.is_familiar(self.synapses.core.argmax(dim=0))
            units = (self.base.birth > since) & familiar
            self.base.prune(units)
            self.synapses.cut(units)

    def _is_young(self, y: Int[Tensor, " batch"]) -> Bool[Tensor, " batch"]:
        """Return whether each label has not used its share of the units yet.

        Earlier rows of the batch count too, so that a large batch cannot take more than the share.
        """
        rank = one_hot(y, self.out_size).cumsum(dim=0).gather(1, y[:, None])[:, 0] - 1
        return self.sense.count[y] + rank < self.share

    def _learn_code(
        self,
        responses: Float[Tensor, "batch rows"],
        y: Int[Tensor, " batch"],
        free: Bool[Tensor, " batch"],
    ) -> dict[str, Any]:
        code = self.base.code(responses)
        self.base.count(code)
        return self.synapses.learn(code, y, free, self.storm)
