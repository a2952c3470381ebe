r"""A layer that learns by spikes and whose plasticity can be turned up and down.

The importance of a synapse is the running mean of the product of the activities that it joins,
relative to the layer's average (the local form of memory aware synapses; Aljundi et al. 2018):

.. math:: \Omega_{ji} \leftarrow (1 - \alpha)\,\Omega_{ji} + \alpha\,
          \frac{\overline{|y_j|\,|x_i|}}{\mathrm{mean}_{ji}\,\overline{|y_j|\,|x_i|}}

References
----------
Aljundi, R., Babiloni, F., Elhoseiny, M., Rohrbach, M. & Tuytelaars, T. (2018). Memory aware
synapses: learning what (not) to forget. ECCV.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from plasticish.core import ConfigError, Report

from .adaptive_rule import AdaptiveSTDPRule
from .layer import STDPLayer
from .plasticity_rule import PlasticityRule
from .stdp_rules import ClassicalSTDP

__all__ = ["MetaPlasticLayer"]


class MetaPlasticLayer(STDPLayer):
    """An :class:`STDPLayer` with an :class:`AdaptiveSTDPRule` that protects what it uses most.

    Parameters
    ----------
    in_features, out_features : int
        Sizes of the last axis of input and output.
    base_rule : PlasticityRule, optional
        What is modulated; by default ``ClassicalSTDP(learning_rate=0.01)``.
    bias : bool
        Whether there is a bias.
    importance_rate : float
        Share :math:`\\alpha` of each update in the importance, in [0, 1]; 0 protects nothing.
    mask, trainable, seed, device, dtype
        As in :class:`STDPLayer`.

    Attributes
    ----------
    importance : Tensor of shape (out_features, in_features)
        Importance of each synapse, a buffer that is in ``state_dict``; 0 before any update.

    Examples
    --------
    >>> layer = MetaPlasticLayer(8, 4)
    >>> layer.adapt(learning_rate=5.0, time_constant=1.0, stability=0.2)
    >>> spikes = torch.ones(1, 20, 8), torch.ones(1, 20, 4)
    >>> layer.update_weights_stdp(*spikes)["silent"]
    False
    >>> float(layer.importance.mean())
    0.05...
    """

    importance: Tensor

    def __init__(
        self,
        in_features: int,
        out_features: int,
        base_rule: PlasticityRule[Any] | None = None,
        bias: bool = True,
        *,
        importance_rate: float = 0.05,
        mask: Tensor | None = None,
        trainable: bool = False,
        seed: int = 0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        if not 0 <= importance_rate <= 1:
            raise ConfigError(
                "importance_rate is out of range", got=repr(importance_rate), expected="in [0, 1]"
            )
        rule = AdaptiveSTDPRule(base_rule or ClassicalSTDP(learning_rate=0.01))
        super().__init__(
            in_features,
            out_features,
            rule,
            bias,
            mask=mask,
            trainable=trainable,
            seed=seed,
            device=device,
            dtype=dtype,
        )
        self.importance_rate = importance_rate
        self.register_buffer("importance", torch.zeros_like(self.weight.detach()))

    @property
    def rule(self) -> AdaptiveSTDPRule:
        """The rule with the factors in force."""
        rule: Any = self.stdp_rule
        adaptive: AdaptiveSTDPRule = rule
        return adaptive

    def adapt(self, learning_rate: float, time_constant: float, stability: float) -> None:
        """Put factors in force, each relative to the base rule.

        Raises
        ------
        ConfigError
            If one is out of range; the old ones stay.
        """
        self.stdp_rule = self.rule.with_factors(learning_rate, time_constant, stability)

    def update_weights_stdp(
        self,
        pre_spikes: Tensor,
        post_spikes: Tensor,
        dt: float = 1.0,
        reward: Tensor | float | None = None,
        *,
        carry: bool = False,
    ) -> Report:
        """As in :class:`STDPLayer`; the importance takes the window in after the weight has.

        Raises
        ------
        ShapeError, DTypeError, DataError, ConfigError
            As in :class:`STDPLayer`; nothing is changed.
        """
        before = self.stdp_rule
        self.stdp_rule = self.rule.protecting(self.importance)
        try:
            report = super().update_weights_stdp(pre_spikes, post_spikes, dt, reward, carry=carry)
        finally:
            self.stdp_rule = before
        self._note(pre_spikes, post_spikes)
        return report

    def _note(self, pre: Tensor, post: Tensor) -> None:
        if not self.importance_rate:
            return
        use = post.abs().mean(1).T @ pre.abs().mean(1)
        mean = use.mean()
        if bool(mean > 0):
            a = self.importance_rate
            self.importance = (1 - a) * self.importance + a * use / mean
