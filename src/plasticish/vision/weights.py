"""Weights of a frozen network: read without executing anything, fitted whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from ..core import DataError

__all__ = ["fit_weights", "read_weights", "weights_digest"]


def weights_digest(net: nn.Module) -> str:
    """Return a digest of every weight and buffer of ``net``: names, types, shapes and bytes.

    Examples
    --------
    >>> weights_digest(nn.ReLU()) == weights_digest(nn.Tanh())  # neither has a weight
    True
    """
    digest = hashlib.blake2b(digest_size=16)
    for key, tensor in sorted(net.state_dict().items()):
        if key.endswith("num_batches_tracked"):  # a counter of training, absent from older files
            continue
        plain = tensor.detach().cpu().contiguous()
        digest.update(f"{key}|{plain.dtype}|{tuple(plain.shape)}|".encode())
        digest.update(plain.reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a state dict from ``.safetensors`` or from a torch file, executing nothing.

    Raises
    ------
    DataError
        If the file is missing, damaged, or holds anything but named tensors.
    """
    try:
        if path.suffix == ".safetensors":
            found: Any = load_file(path)
        else:
            found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch's reader raises a dozen unrelated types on a foreign file
        text = str(error).strip()
        raise DataError(
            "the weights could not be read",
            got=f"{path}: {text.splitlines()[0] if text else type(error).__name__}",
            expected="a .safetensors file, or a .pth file of plain tensors",
            cure="save it with safetensors.torch.save_file(model.state_dict(), path)",
        ) from error
    for wrapper in ("state_dict", "model", "model_state_dict"):
        if isinstance(found, dict) and isinstance(found.get(wrapper), dict):
            found = found[wrapper]
    if not isinstance(found, dict) or not all(isinstance(v, Tensor) for v in found.values()):
        raise DataError(
            "the weights file holds no state dict",
            got=f"{type(found).__name__} in {path}",
            expected="tensors by name",
        )
    return {key.removeprefix("module."): value for key, value in found.items()}


def fit_weights(net: nn.Module, path: Path, name: str, heads: Collection[str]) -> None:
    """Load the weights at ``path`` into ``net``; only a classifier head may be left over.

    Raises
    ------
    DataError
        If a weight is missing, left over, or of another shape: it is another network's file.
    """
    given = {
        key: value
        for key, value in read_weights(path).items()
        if key.rpartition(".")[0] not in heads
    }
    wanted = net.state_dict()
    missing = [k for k in wanted if k not in given and not k.endswith("num_batches_tracked")]
    strange = [k for k in given if k not in wanted]
    other = [k for k in given if k in wanted and given[k].shape != wanted[k].shape]
    if missing or strange or other:
        parts = (("missing", missing), ("left over", strange), ("of another shape", other))
        raise DataError(
            f"the weights are not those of {name}",
            got=f"{path} with " + "; ".join(f"{len(k)} {w} ({k[0]}, …)" for w, k in parts if k),
            expected=f"the state dict of {name}",
            cure="give the file of this very network, or name the backbone that the file is of",
        )
    net.load_state_dict(given, strict=False)
