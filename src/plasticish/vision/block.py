"""One plastic layer: units that learn what is shared, so that it can be explained away."""

from __future__ import annotations

import math
from typing import Any

import torch
from jaxtyping import Float32, Int64
from torch import Tensor
from torch.nn.functional import normalize, pad

from plasticish.core import (
    ArrayLike,
    ConfigError,
    DataError,
    DeviceLike,
    Persistent,
    Registry,
    Report,
    ShapeError,
    State,
    check_features,
    make_generator,
    resolve_device,
)
from plasticish.memory.checks import check_whole

from .settling import open_gates, settle_and_grow

__all__ = ["BLOCKS", "MODES", "NeuromodulatedBlock", "check_mode"]

MODES = ("inference", "plastic", "panic")
FIRST_UNITS = 32  # a newborn block; neurogenesis adds the rest where something is left to explain
PANIC_GAIN = 5.0
NOVEL = 0.8  # a residual that keeps more than this share of its input was not explained at all
RECRUITS = 4  # units born per batch, at most


def check_mode(mode: str) -> None:
    """Raise :class:`ConfigError` unless ``mode`` is one of :data:`MODES`."""
    if mode not in MODES:
        raise ConfigError("unknown mode", got=repr(mode), expected=f"one of {list(MODES)}")


BLOCKS: Registry[type[NeuromodulatedBlock]] = Registry("block", "plasticish.blocks")
"""Every kind of block by its permanent name; a brain makes its own of one of them."""


@BLOCKS.register("neuromodulated_block")
class NeuromodulatedBlock(Persistent):
    r"""Encoder, k winners, decoder, gate, residual: subtract what all inputs share.

    .. math::
        c = \mathrm{kWTA}(E x), \qquad y = x - E^T (\gamma \odot c), \qquad
        \gamma_j = 1 - \sqrt{\frac{r + s}{v_j + s}}

    with unit-norm rows :math:`e_j` as encoder and decoder, :math:`v_j` the variance of unit
    :math:`j`, :math:`r` the mean variance of what no unit explains, and :math:`s` a shrinkage that
    falls with experience. A strong shared component is thus reduced to the level of the rest, as
    in predictive coding [1]_; the gate of a unit opens only once it has matured.

    Awake, winners learn by Oja's subspace rule [2]_ on the deviation :math:`d` from what was
    expected, modulated by a reward :math:`\rho`, each unit at the rate of its own experience:

    .. math:: \Delta e_j = \eta\,(1 - m_j)\,
              \frac{\sum_b \rho_b\, c_{bj}\,(d_b - E^T c_b)}{\sum c_j^2}

    Asleep (:meth:`consolidate`) the same rule runs to its fixed point on the co-activity of
    everything seen: a few sweeps of :math:`E \leftarrow \mathrm{orth}(E C)`. Units whose variance
    stands out of the noise of :math:`n` samples [3]_ mature, the others are recycled.

    Parameters
    ----------
    in_dim : int
        Width of input and output.
    hidden_dim : int
        The most units the block may grow.
    sparsity_k : int
        Winners per input, and the most units that can be mature.
    lr : float
        :math:`\eta`, a factor on each unit's own rate.
    enable_neurogenesis : bool
        Whether units are born for inputs that no unit explains, and while sleep finds more to
        explain.
    device : str or torch.device, optional
        Where the units live.
    seed : int
        Of the newborn units.

    References
    ----------
    .. [1] R. P. N. Rao, D. H. Ballard, "Predictive coding in the visual cortex", Nature
       Neuroscience 2 (1999).
    .. [2] E. Oja, "Neural networks, principal components, and subspaces", Int. J. Neural Systems
       1 (1989).
    .. [3] V. A. Marchenko, L. A. Pastur, "Distribution of eigenvalues for some sets of random
       matrices", Mat. Sb. 72 (1967): noise of unit variance reaches :math:`(1+\sqrt{d/n})^2`.

    Examples
    --------
    >>> block = NeuromodulatedBlock(in_dim=8, hidden_dim=64, sparsity_k=4)
    >>> block(torch.ones(2, 8)).shape  # nothing has matured: the input passes unchanged
    torch.Size([2, 8])
    """

    kind = "neuromodulated_block"

    def __init__(
        self,
        in_dim: int,
        hidden_dim: int = 4096,
        sparsity_k: int = 128,
        lr: float = 1.0,
        enable_neurogenesis: bool = False,
        device: DeviceLike = None,
        *,
        seed: int = 0,
    ) -> None:
        check_whole(in_dim=in_dim, hidden_dim=hidden_dim, sparsity_k=sparsity_k)
        if not isinstance(lr, int | float) or lr < 0 or not math.isfinite(lr):
            raise ConfigError("lr is out of range", got=repr(lr), expected="a number >= 0")
        if sparsity_k > hidden_dim:
            raise ConfigError(
                "more winners than units",
                got=f"sparsity_k={sparsity_k}, hidden_dim={hidden_dim}",
                expected="sparsity_k <= hidden_dim",
            )
        self.device = resolve_device(device)
        self.in_dim, self.hidden_dim, self.sparsity_k, self.lr = in_dim, hidden_dim, sparsity_k, lr
        self.enable_neurogenesis, self.seed, self.frozen = enable_neurogenesis, seed, False
        self._generator = make_generator(seed)
        first = min(FIRST_UNITS, self._most_mature, hidden_dim)
        self.units = self._newborn(first)
        # In float64: it goes on for life, and float32 stands still from 2**24 on.
        self.energy = torch.zeros(first, dtype=torch.float64, device=self.device)
        self._usage = torch.zeros(first, dtype=torch.int64, device=self.device)
        self._gain = torch.zeros(first, device=self.device)
        self._rested: list[float] | None = None  # what the units have settled on

    # ------------------------------------------------------------------ what is in it

    @property
    def _most_mature(self) -> int:
        return min(self.sparsity_k, self.in_dim)

    @property
    def gate(self) -> Float32[Tensor, " units"]:
        """Gate of each unit, in [0, 1): the share of its activity that is subtracted."""
        return self._gain.clone()

    @property
    def maturity(self) -> Float32[Tensor, " hidden_dim"]:
        """1 for each mature unit, 0 for others and for units not yet born."""
        return self._padded((self._gain > 0).float())

    @property
    def usage(self) -> Int64[Tensor, " hidden_dim"]:
        """How often each unit has won while learning."""
        return self._padded(self._usage)

    @property
    def mature(self) -> int:
        """Number of mature units."""
        return int((self._gain > 0).sum())

    def _padded(self, values: Tensor) -> Tensor:
        full = values.new_zeros(self.hidden_dim)
        full[: len(values)] = values
        return full

    def stats(self) -> Report:
        """Return counts and the mean gate as plain numbers."""
        gate = float(self._gain[self._gain > 0].mean()) if self.mature else 0.0
        return {
            "units": len(self.units),
            "mature": self.mature,
            "hidden_dim": self.hidden_dim,
            "mean_gate": gate,
            "frozen": self.frozen,
        }

    # ------------------------------------------------------------------ answering

    def encode(self, x: Float32[Tensor, "batch in_dim"]) -> Float32[Tensor, "batch units"]:
        """Return the code: activity of the ``sparsity_k`` strongest units, 0 elsewhere."""
        activity = x @ self.units.T
        if activity.shape[1] <= self.sparsity_k:
            return activity
        winners = activity.abs().topk(self.sparsity_k, dim=1).indices
        return torch.zeros_like(activity).scatter_(1, winners, activity.gather(1, winners))

    def forward(self, x: ArrayLike) -> Float32[Tensor, "batch in_dim"]:
        """Return ``x`` with what the mature units share explained away.

        Raises
        ------
        ShapeError, DTypeError, DataError
            Unusable input.
        """
        inputs = check_features(x, self.in_dim, device=self.device)
        if not self.mature:
            return inputs.clone()
        units, gain = self._mature_units()
        return inputs - ((inputs @ units.T) * gain) @ units

    __call__ = forward

    def explain_away(self, columns: Float32[Tensor, "in_dim any"]) -> Tensor:
        """Apply the block to columns: ``columns - E^T diag(gate) E columns``."""
        units, gain = self._mature_units()
        return columns - units.T @ (gain[:, None] * (units @ columns))

    def _mature_units(self) -> tuple[Tensor, Tensor]:
        ripe = self._gain > 0
        return self.units[ripe], self._gain[ripe]

    # ------------------------------------------------------------------ learning awake

    def train_step(
        self, x: ArrayLike, reward: Tensor | None = None, mode: str = "plastic"
    ) -> Tensor:
        """Learn from deviations and return what the units left unexplained.

        Parameters
        ----------
        x : array [batch, in_dim]
            Deviations from what was expected (a brain passes input minus class expectation).
        reward : Tensor [batch], optional
            Modulation of each row, >= 0; 1 if not given.
        mode : {"plastic", "panic", "inference"}
            ``"panic"`` learns several times faster and loosens the protection of mature units;
            ``"inference"`` changes nothing.

        Raises
        ------
        ShapeError, DTypeError, DataError, ConfigError
            Unusable input; nothing is changed.
        """
        check_mode(mode)
        inputs = check_features(x, self.in_dim, device=self.device)
        if reward is not None:
            self._check_reward(reward, len(inputs))
        code = self.encode(inputs)
        residual = inputs - code @ self.units
        if mode == "inference" or self.frozen or self.lr == 0:
            return residual
        weighted = code if reward is None else code * reward[:, None].to(code)
        self._rested = None
        self._hebbian(code, weighted, residual, mode)
        if self.enable_neurogenesis:
            self._recruit(inputs, residual)
        return residual

    @staticmethod
    def _check_reward(reward: Tensor, batch: int) -> None:
        if reward.shape != (batch,):
            raise ShapeError(
                "reward does not match the batch",
                got=str(tuple(reward.shape)),
                expected=f"({batch},)",
            )
        if not bool((reward.isfinite() & (reward >= 0)).all()):
            raise DataError("reward is out of range", expected="finite numbers >= 0")

    def _hebbian(self, code: Tensor, weighted: Tensor, residual: Tensor, mode: str) -> None:
        self._usage = self._usage + (code != 0).sum(dim=0)
        self.energy = self.energy + code.square().sum(dim=0, dtype=torch.float64)
        protected = (self._gain > 0).float() * (0.5 if mode == "panic" else 0.9)
        rate = self.lr * (PANIC_GAIN if mode == "panic" else 1.0) * (1 - protected)
        step = (rate / self.energy.float().clamp(min=1e-12)).clamp(max=1e12)[:, None]
        # Normalised rows bound the weights whatever the rate.
        self.units = normalize(self.units + step * (weighted.T @ residual), dim=1)

    def _recruit(self, inputs: Tensor, residual: Tensor) -> None:
        room = self._most_mature - len(self.units)
        left = residual.square().sum(dim=1) / inputs.square().sum(dim=1).clamp(min=1e-12)
        novel = left.topk(min(RECRUITS, max(room, 0), len(left)))
        rows = novel.indices[novel.values > NOVEL]
        if len(rows):
            self._append(normalize(residual[rows], dim=1))

    def _append(self, units: Tensor) -> None:
        self.units = torch.cat([self.units, units])
        self.energy = torch.cat([self.energy, self.energy.new_zeros(len(units))])
        self._usage = torch.cat([self._usage, self._usage.new_zeros(len(units))])
        self._gain = torch.cat([self._gain, self._gain.new_zeros(len(units))])

    def _newborn(self, count: int) -> Tensor:
        drawn = torch.randn(count, self.in_dim, generator=self._generator)
        return normalize(drawn, dim=1).to(self.device)

    # ------------------------------------------------------------------ learning asleep

    def consolidate(self, covariance: Tensor, count: float) -> tuple[Tensor, Report]:
        """Let the units settle on the co-activity of everything seen, and mature or be recycled.

        Parameters
        ----------
        covariance : Tensor [in_dim, in_dim]
            Of the deviations that the block explains.
        count : float
            Examples behind it.

        Returns
        -------
        passed_on : Tensor [in_dim, in_dim]
            Covariance of the block's output: what a deeper block gets.
        report : mapping
            ``units``, ``mature``, ``born`` and ``recycled``.
        """
        # Nothing new since the last sleep: what has settled stays as it is.
        seen = [count, *(float(of) for of in (covariance.trace(), covariance.norm()))]
        rested = [*seen, float(bool(self.enable_neurogenesis))]
        if self.frozen or count < 2 or rested == self._rested:
            return self._passed_on(covariance), {**self.stats(), "born": 0, "recycled": 0}
        before = len(self.units)
        newborn = self._newborn if self.enable_neurogenesis else None
        units, variance = settle_and_grow(self.units, covariance, count, self._most_mature, newborn)
        self.units, self.energy, self._rested = units, variance.double() * count, rested
        self._gain = open_gates(variance, covariance, count)
        usage = pad(self._usage.sort(descending=True).values, (0, len(units)))[: len(units)]
        self._usage = torch.where(self._gain > 0, usage, 0)
        report = {
            **self.stats(),
            "born": max(len(units) - before, 0),
            "recycled": len(units) - self.mature,
        }
        return self._passed_on(covariance), report

    def _passed_on(self, covariance: Tensor) -> Tensor:
        """Covariance of the block's output: what a deeper block gets."""
        half = self.explain_away(covariance)
        return self.explain_away(half.T)

    # ------------------------------------------------------------------ state

    def config(self) -> dict[str, Any]:
        """Return the constructor arguments."""
        return {
            "in_dim": self.in_dim,
            "hidden_dim": self.hidden_dim,
            "sparsity_k": self.sparsity_k,
            "lr": self.lr,
            "enable_neurogenesis": self.enable_neurogenesis,
            "device": str(self.device),
            "seed": self.seed,
        }

    def export_state(self) -> State:
        """Return units, their experience and the generator."""
        return State(
            {"frozen": self.frozen, "rested": self._rested},
            {
                "units": self.units,
                "energy": self.energy,
                "usage": self._usage,
                "gain": self._gain,
                "generator": self._generator.get_state(),
            },
        )

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned."""
        put = {key: tensor.to(self.device) for key, tensor in state.tensors.items()}
        if put["units"].shape[1:] != (self.in_dim,):
            raise ShapeError(
                "the stored units have another width",
                got=str(tuple(put["units"].shape)),
                expected=f"(units, {self.in_dim})",
            )
        self.units, self.energy = put["units"], put["energy"].double()
        self._usage, self._gain = put["usage"], put["gain"]
        self._generator.set_state(state.tensors["generator"].cpu())
        self.frozen = bool(state.values["frozen"])
        self._rested = state.values["rested"]
