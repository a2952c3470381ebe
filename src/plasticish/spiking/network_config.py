"""What a liquid spiking network is made of: one frozen, checked description."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, get_args

from plasticish.core import ConfigError, DTypeError, check_positive

from .cfc import CFC_MODES
from .encoders import ENCODERS
from .heads import POOLINGS, check_ends
from .neurons import LIFParameters
from .sizes import check_known, check_sizes

__all__ = ["TASKS", "LiquidSpikingConfig"]

Task = Literal["classification", "sequence", "control"]
TASKS: tuple[str, ...] = get_args(Task)


@dataclass(frozen=True, kw_only=True)
class LiquidSpikingConfig:
    """Sizes, codes and constants of a :class:`~plasticish.spiking.network.LiquidSpikingNetwork`.

    Attributes
    ----------
    inputs : int
        Features of an input, or the number of symbols if ``tokens``.
    outputs : int
        Classes, symbols, or actions.
    task : {"classification", "sequence", "control"}
        Which head reads the activity.
    tokens : bool
        Inputs are whole numbers below ``inputs`` that are embedded, not features.
    units : int
        Width of every block.
    blocks : int
        Number of hybrid blocks.
    encoder : str
        How a still input becomes time; a name of
        :data:`~plasticish.spiking.encoders.ENCODERS`.
    steps : int
        Ticks that a still input is shown for.
    dt : float
        Length of a tick for neurons and readout, ms, > 0.
    mode, backbone_units, backbone_layers
        Of the liquid cells; see :class:`~plasticish.spiking.cfc.CfC`.
    neurons : LIFParameters
        Constants of the spiking neurons.
    pooling : {"rate", "membrane"}
        How the ticks of a still input, or of a sequence to be classified, become one answer.
    tau_readout : float
        Time constant of the ``"membrane"`` pooling, ms, > 0.
    low, high : float or tuple of float
        Bounds of continuous actions (``task="control"``).
    discrete : bool
        Actions are a choice of one (``task="control"``).
    seed : int
        Of the initial weights and of random codes.

    Raises
    ------
    ConfigError
        If a value is outside its range; the message names the field.

    Examples
    --------
    >>> config = LiquidSpikingConfig.vision(inputs=64, classes=10, units=32)
    >>> LiquidSpikingConfig.from_json(config.to_json()) == config
    True
    >>> LiquidSpikingConfig.from_dict({"inputs": 3, "outputs": 2, "depth": 4})
    Traceback (most recent call last):
        ...
    plasticish.core.errors.ConfigError: unknown field of the network's configuration: got 'depth', \
expected one of: inputs, outputs, task, ...
    """

    inputs: int
    outputs: int
    task: str = "classification"
    tokens: bool = False
    units: int = 64
    blocks: int = 1
    encoder: str = "direct"
    steps: int = 8
    dt: float = 1.0
    mode: str = "default"
    backbone_units: int = 64
    backbone_layers: int = 1
    neurons: LIFParameters = field(default_factory=LIFParameters)
    pooling: str = "rate"
    tau_readout: float = 10.0
    low: float | tuple[float, ...] = -1.0
    high: float | tuple[float, ...] = 1.0
    discrete: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        sizes = ("inputs", "outputs", "units", "blocks", "steps", "backbone_units")
        check_sizes(**{name: getattr(self, name) for name in (*sizes, "backbone_layers")})
        check_positive(dt=self.dt, tau_readout=self.tau_readout)
        choices = {"task": TASKS, "mode": CFC_MODES, "pooling": POOLINGS}
        for name, known in (choices | {"encoder": tuple(ENCODERS)}).items():
            value = getattr(self, name)
            if value not in known:
                raise ConfigError(
                    f"unknown {name}", got=repr(value), expected="one of: " + ", ".join(known)
                )
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or self.seed < 0:
            raise ConfigError("seed is not usable", got=repr(self.seed), expected="an integer >= 0")
        ends = [check_ends(name, getattr(self, name), self.outputs) for name in ("low", "high")]
        if self.task == "control" and any(a >= b for a, b in zip(*ends, strict=True)):
            raise ConfigError(
                "the bounds of an action are empty",
                got=f"low={self.low!r}, high={self.high!r}",
                expected="low < high",
            )

    @classmethod
    def vision(cls, inputs: int, classes: int, **changes: Any) -> LiquidSpikingConfig:
        """Return a classifier of still images, given flat ``[batch, inputs]`` in [0, 1].

        Examples
        --------
        >>> LiquidSpikingConfig.vision(64, 10, encoder="latency").task
        'classification'
        """
        return cls(inputs=inputs, outputs=classes, **{"units": 128, **changes})

    @classmethod
    def language(cls, vocabulary: int, **changes: Any) -> LiquidSpikingConfig:
        """Return a predictor of the next symbol, given whole numbers ``[batch, time]``.

        Examples
        --------
        >>> LiquidSpikingConfig.language(27).tokens
        True
        """
        presets = {"units": 128, "backbone_units": 128}
        return cls(
            inputs=vocabulary,
            outputs=vocabulary,
            task="sequence",
            tokens=True,
            **{**presets, **changes},
        )

    @classmethod
    def control(cls, observations: int, actions: int, **changes: Any) -> LiquidSpikingConfig:
        """Return a controller from observations to bounded actions, or to a choice of one.

        Examples
        --------
        >>> LiquidSpikingConfig.control(3, 1, low=-2.0, high=2.0).high
        2.0
        """
        return cls(inputs=observations, outputs=actions, task="control", **{"steps": 4, **changes})

    def but(self, **changes: Any) -> LiquidSpikingConfig:
        """Return a copy with some fields changed, checked anew."""
        return replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, as JSON can hold them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> LiquidSpikingConfig:
        """Return the configuration that :meth:`to_dict` described.

        Raises
        ------
        ConfigError
            If a field is unknown, missing, or out of range.
        DTypeError
            If it is no mapping.
        """
        if not isinstance(values, Mapping):
            raise DTypeError(
                "the network's configuration is no mapping",
                got=type(values).__name__,
                expected="a LiquidSpikingConfig, or a dict of its fields",
            )
        check_known("the network's configuration", values, cls)
        for name in ("inputs", "outputs"):
            if name not in values:
                raise ConfigError(f"the network's configuration lacks {name}", cure="give it")
        given = dict(values)
        for name in ("low", "high"):
            if isinstance(given.get(name), list):  # JSON has no tuples
                given[name] = tuple(given[name])
        if isinstance(given.get("neurons"), Mapping):
            given["neurons"] = LIFParameters.from_dict(given["neurons"])
        return cls(**given)

    def to_json(self) -> str:
        """Return the fields as JSON text."""
        return json.dumps(self.to_dict(), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> LiquidSpikingConfig:
        """Return the configuration that :meth:`to_json` wrote.

        Raises
        ------
        ConfigError
            If it is not JSON, or not of this kind.
        """
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ConfigError("the network's configuration is not JSON", got=str(error)) from error
        return cls.from_dict(values)
