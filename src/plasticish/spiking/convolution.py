"""The convolutional twin of :class:`~plasticish.spiking.layer.STDPLayer`."""

from __future__ import annotations

from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from plasticish.core import Report, ShapeError
from plasticish.rules.parameters import Reduction, check_choice

from .plastic import PlasticModule
from .plasticity_rule import PlasticityRule

__all__ = ["STDPConv2d"]

Size = int | tuple[int, int]


class STDPConv2d(PlasticModule, nn.Conv2d):
    r"""A drop-in for :class:`torch.nn.Conv2d` whose kernels learn by a local rule.

    Every place of the output is a neuron of its own, with the patch of the input that it sees as
    its presynaptic neurons, and all places share one weight: what the rule says at each is averaged
    over them, or summed.

    Parameters
    ----------
    in_channels, out_channels, kernel_size
        As in ``nn.Conv2d``, in one group.
    stdp_rule : PlasticityRule
        How the weight changes.
    stride, padding, dilation, bias, padding_mode
        As in ``nn.Conv2d``; the bias starts at 0 and stays an ordinary parameter.
    locations : {"mean", "sum"}
        What the changes at all places make together. Independent of the ``reduction`` of the rule,
        which is about the batch.
    mask, trainable, seed, device, dtype
        As in :class:`STDPLayer`; the mask has the shape of the weight.

    Raises
    ------
    ConfigError, DTypeError, ShapeError
        If ``locations`` is neither, the rule is none, or the mask does not fit.

    Examples
    --------
    >>> from plasticish.spiking.stdp_rules import ClassicalSTDP
    >>> layer = STDPConv2d(1, 2, 3, ClassicalSTDP(), padding=1)
    >>> layer(torch.rand(4, 1, 8, 8)).shape
    torch.Size([4, 2, 8, 8])
    >>> pre, post = torch.zeros(4, 20, 1, 8, 8), torch.zeros(4, 20, 2, 8, 8)
    >>> pre[:, 2], post[:, 5] = 1.0, 1.0
    >>> layer.update_weights_stdp(pre, post)["changed"]
    1.0
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stdp_rule: PlasticityRule[Any],
        stride: Size = 1,
        padding: str | Size = 0,
        dilation: Size = 1,
        bias: bool = True,
        padding_mode: Literal["zeros", "reflect", "replicate", "circular"] = "zeros",
        *,
        locations: str = "mean",
        mask: Tensor | None = None,
        trainable: bool = False,
        seed: int = 0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        check_choice("locations", locations, Reduction)
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            1,
            bias,
            padding_mode,
            device,
            dtype,
        )
        self.locations = locations
        self._own(stdp_rule, mask, trainable, seed)

    def forward(self, input: Tensor) -> Tensor:
        """Return the convolution of ``input``, as ``nn.Conv2d``."""
        output: Tensor = self._conv_forward(input, self.seen_weight(), self.bias)
        return output

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
        pre_spikes : Tensor of shape (batch, time, in_channels, height, width)
            Spikes (0 and 1) or graded events of the input.
        post_spikes : Tensor of shape (batch, time, out_channels, height_out, width_out)
            Spikes of the neurons of this layer, in the same steps.
        dt, reward, carry
            As in :meth:`STDPLayer.update_weights_stdp`.

        Returns
        -------
        dict
            As :meth:`STDPLayer.update_weights_stdp`.

        Raises
        ------
        ShapeError, DTypeError, DataError, ConfigError
            Spikes that do not fit the layer or each other; NaN; a weight outside of the bounds of
            the rule; ``dt`` <= 0. Nothing is changed then.
        """
        self._check_maps(pre_spikes, post_spikes)
        patches = self._patches(pre_spikes)
        places = patches.shape[1]
        neurons = post_spikes.flatten(3).permute(0, 3, 1, 2)
        if isinstance(reward, Tensor) and reward.ndim == 2:
            reward = reward.repeat_interleave(places, dim=0)
        # The rule sees every place as an example, and reduces over both alike.
        scale = 1.0
        if self.stdp_rule.reduction != self.locations:
            scale = places if self.locations == "sum" else 1.0 / places
        return self._learn(
            patches.flatten(0, 1), neurons.flatten(0, 1), dt, reward, carry=carry, scale=scale
        )

    def _patches(
        self, spikes: Float[Tensor, "batch time channels height width"]
    ) -> Float[Tensor, "batch places time inputs"]:
        """Return what each place of the output sees of the input."""
        batch, time = spikes.shape[:2]
        padding: list[int] = self._reversed_padding_repeated_twice
        mode = "constant" if self.padding_mode == "zeros" else self.padding_mode
        padded = functional.pad(spikes.flatten(0, 1), padding, mode=mode)
        columns: Tensor = functional.unfold(
            padded, self.kernel_size, dilation=self.dilation, stride=self.stride
        )
        return columns.view(batch, time, *columns.shape[1:]).permute(0, 3, 1, 2)

    def _check_maps(self, pre: Tensor, post: Tensor) -> None:
        if pre.ndim != 5 or pre.shape[2] != self.in_channels:
            raise ShapeError(
                "pre_spikes do not fit the layer",
                got=str(tuple(pre.shape)),
                expected=f"(batch, time, {self.in_channels}, height, width)",
                cure="spikes of one example need a batch axis: spikes[None]",
            )
        height, width = (
            (size + sum(pads) - dilation * (kernel - 1) - 1) // stride + 1
            for size, pads, dilation, kernel, stride in zip(
                pre.shape[3:],
                self._pads(),
                self.dilation,
                self.kernel_size,
                self.stride,
                strict=True,
            )
        )
        if height < 1 or width < 1:
            raise ShapeError(
                "the input is smaller than the kernel",
                got=str(tuple(pre.shape[3:])),
                expected=f"at least {self.kernel_size}, with padding",
            )
        wanted = (*pre.shape[:2], self.out_channels, height, width)
        if post.shape != wanted:
            raise ShapeError(
                "post_spikes do not fit the layer and pre_spikes",
                got=str(tuple(post.shape)),
                expected=str(wanted),
                cure="give the spikes of every place of this layer's output, in the same steps",
            )

    def _pads(self) -> tuple[list[int], list[int]]:
        """Return the padding before and after, of height and of width."""
        left, right, top, bottom = self._reversed_padding_repeated_twice
        return [top, bottom], [left, right]

    def extra_repr(self) -> str:
        """Return what ``print`` shows."""
        plain: str = super().extra_repr()  # type: ignore[no-untyped-call]
        return f"{plain}, rule={self.stdp_rule.kind}, locations={self.locations}"
