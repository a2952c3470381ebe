"""Blocks that can be added, removed, replaced and frozen while a brain is running."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from plasticish.core import ConfigError, ShapeError, spawn_seed

from .block import BLOCKS, NeuromodulatedBlock

__all__ = ["LayerStack"]


class LayerStack:
    """The pluggable half of a brain: a list of blocks, each explaining what the last left.

    A block that has matured nothing passes everything on, so adding one changes no answer until
    the next sleep; removing or replacing one takes effect at the next sleep as well.
    """

    in_dim: int
    seed: int
    device: torch.device
    layers: list[NeuromodulatedBlock]
    block: str
    _block_arguments: dict[str, Any]

    def _new_block(self, index: int) -> NeuromodulatedBlock:
        return BLOCKS[self.block](
            self.in_dim,
            **self._block_arguments,
            device=self.device,
            seed=spawn_seed(self.seed, 3, index),
        )

    def add_layer(
        self, block: NeuromodulatedBlock | None = None, index: int | None = None
    ) -> NeuromodulatedBlock:
        """Insert a block (a new one if none is given) at ``index``, by default as the deepest.

        Raises
        ------
        ShapeError
            If the block has another width.
        ConfigError
            If there is no such position, or the block is in the brain already.
        """
        fresh = self._new_block(len(self.layers)) if block is None else block
        self._check_block(fresh)
        where = len(self.layers) if index is None else index
        if not 0 <= where <= len(self.layers):
            raise ConfigError(
                "no such position", got=str(index), expected=f"0 to {len(self.layers)}"
            )
        self.layers.insert(where, fresh)
        return fresh

    def remove_layer(self, index: int = -1) -> NeuromodulatedBlock:
        """Take the block at ``index`` out and return it."""
        return self.layers.pop(self._position(index))

    def replace_layer(self, index: int, block: NeuromodulatedBlock) -> NeuromodulatedBlock:
        """Put ``block`` in place of the one at ``index``, and return that one."""
        self._check_block(block)
        where = self._position(index)
        old, self.layers[where] = self.layers[where], block
        return old

    def freeze_layer(self, index: int) -> None:
        """Let the block at ``index`` keep what it knows and learn nothing, awake or asleep."""
        self.layers[self._position(index)].frozen = True

    def unfreeze_layer(self, index: int) -> None:
        """Let the block at ``index`` learn again."""
        self.layers[self._position(index)].frozen = False

    def set_neurogenesis(self, enabled: bool, index: int | None = None) -> None:
        """Allow or forbid growth, in all blocks or in the one at ``index``."""
        chosen = self.layers if index is None else [self.layers[self._position(index)]]
        for block in chosen:
            block.enable_neurogenesis = enabled

    def _position(self, index: int) -> int:
        if isinstance(index, bool) or not isinstance(index, int):
            raise ConfigError("no such layer", got=repr(index), expected="a whole number")
        where = index + len(self.layers) if index < 0 else index
        if not 0 <= where < len(self.layers):
            raise ConfigError(
                "no such layer", got=str(index), expected=f"an index into {len(self.layers)} layers"
            )
        return where

    def _check_block(self, block: NeuromodulatedBlock) -> None:
        if not isinstance(block, NeuromodulatedBlock):
            raise ConfigError(
                "this is not a block", got=type(block).__name__, expected="a NeuromodulatedBlock"
            )
        if any(block is layer for layer in self.layers):
            raise ConfigError(
                "this block is in the brain already",
                cure="make another one: two places would learn into the same units",
            )
        if block.in_dim != self.in_dim:
            raise ShapeError(
                "the block has another width",
                got=str(block.in_dim),
                expected=str(self.in_dim),
                cure=f"make it with in_dim={self.in_dim}",
            )

    def _explaining_transform(self) -> Tensor | None:
        """Return all blocks as one matrix [in_dim, in_dim], or None if none has matured."""
        if not any(block.mature for block in self.layers):
            return None
        transform = torch.eye(self.in_dim, device=self.device)
        for block in self.layers:
            transform = block.explain_away(transform)
        return transform.T.contiguous()

    def _layer_activity(self, features: Tensor) -> Sequence[Mapping[str, Any]]:
        activity, passed = [], features
        for block in self.layers:
            code = block.encode(passed)
            winners = code.abs().topk(min(block.sparsity_k, code.shape[1]), dim=1).indices
            activity.append(
                {"winners": winners, "code": code.gather(1, winners), "gate": block.gate}
            )
            passed = block.forward(passed)
        return activity
