"""Everything that a conversational learner is built with, in one frozen object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from plasticish.core import ConfigError, check_positive
from plasticish.modulation import (
    AcetylcholineParameters,
    AdenosineParameters,
    NorepinephrineParameters,
)
from plasticish.rules.short_term import ShortTermParameters
from plasticish.rules.tagging import TaggingParameters

from .teachers.address import base_url
from .teachers.protocol import Stage
from .vocabulary import BYTES

__all__ = ["PlasticLearnerConfig"]

_INDICES = 1 << 16
_WHOLE = {
    "n_neurons": 64,
    "vocab_size": BYTES,
    "seed": 0,
    "max_reply_tokens": 1,
    "first_words_turns": 0,
    "short_sentences_turns": 0,
}
_PARTS: dict[str, type] = {
    "acetylcholine": AcetylcholineParameters,
    "norepinephrine": NorepinephrineParameters,
    "adenosine": AdenosineParameters,
    "short_term": ShortTermParameters,
    "tagging": TaggingParameters,
}


@dataclass(frozen=True, kw_only=True)
class PlasticLearnerConfig:
    """Size, rates, switches, and who teaches.

    Attributes
    ----------
    n_neurons : int
        Cells of the recurrent network, 64 to 65,536 (their indices have 16 bits).
    vocab_size : int
        Ids of the tokenizer, 256 to 65,536.
    initial_connectivity : float
        Share of all possible synapses that may ever exist, in (0, 1]: it sets the budget of
        synapses, within which they grow where they are needed.
    plasticity_rate : float
        Hebbian learning rate in (0, 1]: share of the way to its bound that one coincidence moves a
        synapse.
    value_rate : float
        Learning rate of the values of cues in (0, 1]; see :class:`plasticish.modulation.Dopamine`.
    teacher_api_url : str or None
        Address of an OpenAI-compatible server, with or without /chat/completions; None for none.
    teacher_model : str or None
        Its model; the first that it lists by default.
    teacher_language : str
        In which it teaches.
    teacher_timeout_s : float
        Within which it has to answer, in s, > 0.
    first_words_turns, short_sentences_turns : int
        Turns after which these stages of its language end,
        ``0 <= first_words_turns <= short_sentences_turns``.
    max_reply_tokens : int
        Tokens of a reply, at most; >= 1.
    memory_dir : str
        Folder of the state; not blank.
    seed : int
        Of everything random, >= 0.
    use_dopamine, use_acetylcholine, use_norepinephrine, use_adenosine : bool
        Whether each neuromodulator acts; one that is off has its neutral value.
    use_short_term_plasticity, use_tagging, use_sleep_replay, use_structural_plasticity : bool
        Whether each of these mechanisms acts.
    acetylcholine, norepinephrine, adenosine : parameters
        See :mod:`plasticish.modulation`.
    short_term, tagging : parameters
        See :mod:`plasticish.rules`.

    Raises
    ------
    ConfigError
        If a value is outside its range; the message names the field.

    Examples
    --------
    >>> config = PlasticLearnerConfig(
    ...     n_neurons=14173,
    ...     vocab_size=800,
    ...     initial_connectivity=0.08,
    ...     plasticity_rate=0.01,
    ...     teacher_api_url="http://localhost:1234/v1/chat/completions",
    ... )
    >>> config.synapses_per_neuron, config.max_synapses
    (1134, 16072182)
    >>> PlasticLearnerConfig.from_dict(config.to_dict()) == config
    True
    """

    n_neurons: int = 14173
    vocab_size: int = 800
    initial_connectivity: float = 0.08
    plasticity_rate: float = 0.01
    value_rate: float = 0.8
    teacher_api_url: str | None = None
    teacher_model: str | None = None
    teacher_language: str = "English"
    teacher_timeout_s: float = 30.0
    first_words_turns: int = 100
    short_sentences_turns: int = 500
    max_reply_tokens: int = 60
    memory_dir: str = "memory"
    seed: int = 0
    use_dopamine: bool = True
    use_acetylcholine: bool = True
    use_norepinephrine: bool = True
    use_adenosine: bool = True
    use_short_term_plasticity: bool = True
    use_tagging: bool = True
    use_sleep_replay: bool = True
    use_structural_plasticity: bool = True
    acetylcholine: AcetylcholineParameters = field(default_factory=AcetylcholineParameters)
    norepinephrine: NorepinephrineParameters = field(default_factory=NorepinephrineParameters)
    adenosine: AdenosineParameters = field(default_factory=AdenosineParameters)
    short_term: ShortTermParameters = field(default_factory=ShortTermParameters.working_memory)
    tagging: TaggingParameters = field(default_factory=TaggingParameters)

    def __post_init__(self) -> None:
        self._check_kinds()
        for name, least in _WHOLE.items():
            _check_whole(name, getattr(self, name), least)
        for name in ("n_neurons", "vocab_size"):
            if getattr(self, name) > _INDICES:
                raise ConfigError(
                    f"{name} is out of range",
                    got=repr(getattr(self, name)),
                    expected=f"at most {_INDICES}: indices have 16 bits",
                )
        shares = ("initial_connectivity", "plasticity_rate", "value_rate")
        check_positive(
            teacher_timeout_s=self.teacher_timeout_s,
            **{name: getattr(self, name) for name in shares},
        )
        for name in shares:
            if getattr(self, name) > 1:
                raise ConfigError(
                    f"{name} is out of range", got=repr(getattr(self, name)), expected="at most 1"
                )
        for name in ("memory_dir", "teacher_language"):
            if not getattr(self, name).strip():
                raise ConfigError(f"{name} is blank", expected="a text")
        Stage.after(0, self.first_words_turns, self.short_sentences_turns)
        if self.teacher_api_url is not None:
            base_url(self.teacher_api_url)

    def _check_kinds(self) -> None:
        kinds: dict[str, type] = {
            one.name: type(one.default)
            for one in fields(self)
            if isinstance(one.default, bool | str)
        }
        for name, kind in {**kinds, **_PARTS}.items():
            if not isinstance(getattr(self, name), kind):
                raise ConfigError(
                    f"{name} has the wrong type",
                    got=repr(getattr(self, name)),
                    expected=kind.__name__,
                )
        for name in ("teacher_api_url", "teacher_model"):
            if not isinstance(getattr(self, name), str | None):
                raise ConfigError(
                    f"{name} has the wrong type",
                    got=repr(getattr(self, name)),
                    expected="a text, or None",
                )

    @property
    def synapses_per_neuron(self) -> int:
        """How many synapses one cell may send out."""
        return max(round(self.initial_connectivity * self.n_neurons), 1)

    @property
    def max_synapses(self) -> int:
        """How many synapses there may be in all."""
        return self.n_neurons * self.synapses_per_neuron

    def stage(self, turns: int) -> Stage:
        """Return the language that a learner takes in after ``turns`` turns.

        Examples
        --------
        >>> PlasticLearnerConfig().stage(0)
        <Stage.FIRST_WORDS: 'first words'>
        """
        return Stage.after(turns, self.first_words_turns, self.short_sentences_turns)

    def to_dict(self) -> dict[str, Any]:
        """Return what :meth:`from_dict` makes an equal config of; JSON holds it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PlasticLearnerConfig:
        """Return the config of a mapping; what it leaves out has its default.

        Raises
        ------
        ConfigError
            If a field is unknown, of the wrong type, or out of range.

        Examples
        --------
        >>> PlasticLearnerConfig.from_dict({"neurons": 100})
        Traceback (most recent call last):
            ...
        plasticish.core.errors.ConfigError: there is no such field of a PlasticLearnerConfig: got \
'neurons', expected one of: acetylcholine, adenosine, ...
        """
        given = dict(values)
        _check_names(cls, given)
        for name, part in _PARTS.items():
            if isinstance(given.get(name), Mapping):
                _check_names(part, given[name])
        try:
            for name, part in _PARTS.items():
                if isinstance(given.get(name), Mapping):
                    given[name] = part(**given[name])
            return cls(**given)
        except TypeError as error:
            raise ConfigError(
                "a field has the wrong type", got=str(error), cure="compare it with to_dict()"
            ) from error


def _check_whole(name: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ConfigError(
            f"{name} is out of range", got=repr(value), expected=f"a whole number >= {least}"
        )


def _check_names(kind: type, given: Mapping[str, Any]) -> None:
    known = sorted(one.name for one in fields(kind))
    if unknown := sorted(set(given) - set(known)):
        raise ConfigError(
            f"there is no such field of a {kind.__name__}",
            got=", ".join(map(repr, unknown)),
            expected="one of: " + ", ".join(known),
        )
