"""A linear layer whose weight changes by the timing of spikes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from plasticish.core import DTypeError, Report, ShapeError

from .plastic import PlasticModule, refuse_outside
from .plasticity_rule import PlasticityRule

__all__ = ["STDPLayer"]


class STDPLayer(PlasticModule, nn.Linear):
    r"""A drop-in for :class:`torch.nn.Linear` that learns by a local rule.

    The forward pass is :math:`y = x W^\top + b`, at the cost of ``nn.Linear``. Nothing changes the
    weight but :meth:`update_weights_stdp`, unless ``trainable``; the bias stays an ordinary
    parameter. ``state_dict`` has the keys of ``nn.Linear`` and can be exchanged with it both ways.

    Parameters
    ----------
    in_features, out_features : int
        Sizes of the last axis of input and output.
    stdp_rule : PlasticityRule
        How the weight changes.
    bias : bool
        Whether there is a bias; it starts at 0.
    mask : Tensor of shape (out_features, in_features), optional
        Boolean; a weight is exactly 0 for good wherever it is False. Not in ``state_dict``.
    trainable : bool
        Whether an optimiser sees the weight as well. An update changes it in place then, so go
        backward before you update; otherwise the order does not matter.
    seed : int
        Of the initial weight, see :func:`plasticish.spiking.plastic.initial_weight`.
    device, dtype
        As in ``nn.Linear``.

    Raises
    ------
    DTypeError, ShapeError
        If the rule is none, or the mask is not boolean or of another shape.

    Examples
    --------
    >>> from plasticish.spiking.stdp_rules import ClassicalSTDP
    >>> layer = STDPLayer(8, 4, ClassicalSTDP(learning_rate=0.1))
    >>> layer(torch.rand(2, 8)).shape
    torch.Size([2, 4])
    >>> pre, post = torch.zeros(1, 20, 8), torch.zeros(1, 20, 4)
    >>> pre[:, 5], post[:, 9] = 1.0, 1.0
    >>> before = layer.weight.clone()
    >>> layer.update_weights_stdp(pre, post)["changed"]
    1.0
    >>> bool((layer.weight > before).all())  # pre before post
    True
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        stdp_rule: PlasticityRule[Any],
        bias: bool = True,
        *,
        mask: Tensor | None = None,
        trainable: bool = False,
        seed: int = 0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(in_features, out_features, bias, device, dtype)
        self._own(stdp_rule, mask, trainable, seed)

    @classmethod
    def from_linear(
        cls,
        linear: nn.Module,
        stdp_rule: PlasticityRule[Any],
        *,
        mask: Tensor | None = None,
        trainable: bool = False,
    ) -> STDPLayer:
        """Return a plastic copy of a linear layer.

        Parameters
        ----------
        linear : nn.Linear
            Its weight has to lie within the bounds of the rule, and be 0 where the mask is False.
        stdp_rule, mask, trainable
            As in the constructor.

        Raises
        ------
        DTypeError, DataError
            If it is no linear layer, or its weight does not fit the rule or the mask.

        Examples
        --------
        >>> from plasticish.spiking.stdp_rules import ClassicalSTDP
        >>> linear = nn.Linear(3, 2)
        >>> layer = STDPLayer.from_linear(linear, ClassicalSTDP(w_min=-1.0))
        >>> x = torch.rand(5, 3)
        >>> torch.equal(layer(x), linear(x))
        True
        """
        if not isinstance(linear, nn.Linear):
            raise DTypeError("this is no linear layer", got=type(linear).__name__)
        layer = cls(
            linear.in_features,
            linear.out_features,
            stdp_rule,
            linear.bias is not None,
            mask=mask,
            trainable=trainable,
            device=linear.weight.device,
            dtype=linear.weight.dtype,
        )
        refuse_outside(linear.weight.detach(), layer.mask, stdp_rule)
        layer.load_state_dict(linear.state_dict())
        layer.train(linear.training)
        return layer

    def to_linear(self) -> nn.Linear:
        """Return a plain linear layer with the weight and bias as they are now."""
        linear = nn.utils.skip_init(  # type: ignore[no-untyped-call]
            nn.Linear,
            self.in_features,
            self.out_features,
            bias=self.bias is not None,
            device=self.weight.device,
            dtype=self.weight.dtype,
        )
        linear.load_state_dict(self.state_dict())
        plain: nn.Linear = linear.train(self.training)
        return plain

    def forward(self, input: Tensor) -> Tensor:
        """Return ``input @ weight.T + bias``, as ``nn.Linear``."""
        return functional.linear(input, self.seen_weight(), self.bias)

    def update_weights_stdp(
        self,
        pre_spikes: Tensor,
        post_spikes: Tensor,
        dt: float = 1.0,
        reward: Tensor | float | None = None,
        *,
        carry: bool = False,
    ) -> Report:
        """Change the weight by the spikes of a window; the weight is held fixed within it.

        Parameters
        ----------
        pre_spikes : Tensor of shape (batch, time, in_features)
            Spikes (0 and 1) or graded events, of the type and on the device of the layer.
        post_spikes : Tensor of shape (batch, time, out_features)
            Spikes of the neurons of this layer, in the same steps.
        dt : float
            Length of a step in ms, > 0.
        reward : Tensor of shape (time,) or (batch, time), or float, optional
            For rules that learn by reward, and only for them.
        carry : bool
            Whether the window goes on from the traces of the last one that was carried. By default
            windows have nothing to do with each other, as batches of a shuffled set have not.

        Returns
        -------
        dict
            ``changed``, the share of existing connections that changed; ``mean_change``, the mean
            size of the change over them; ``silent``, whether nothing changed, and ``reason``, why.
            The first update that is silent for a reason also warns of it.

        Raises
        ------
        ShapeError, DTypeError, DataError, ConfigError
            Spikes that do not fit the layer or each other; NaN; a weight outside of the bounds of
            the rule; ``dt`` <= 0. Nothing is changed then.
        """
        for name, spikes, width in (
            ("pre_spikes", pre_spikes, self.in_features),
            ("post_spikes", post_spikes, self.out_features),
        ):
            if spikes.ndim != 3 or spikes.shape[-1] != width:
                raise ShapeError(
                    f"{name} do not fit the layer",
                    got=str(tuple(spikes.shape)),
                    expected=f"(batch, time, {width})",
                    cure="spikes of one example need a batch axis: spikes[None]",
                )
        return self._learn(pre_spikes, post_spikes, dt, reward, carry=carry)

    def extra_repr(self) -> str:
        """Return what ``print`` shows."""
        masked = "" if self.mask is None else f", connections={int(self.mask.sum())}"
        return f"{super().extra_repr()}, rule={self.stdp_rule.kind}{masked}"
