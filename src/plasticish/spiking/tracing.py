"""Whether a tensor has values now, or stands for many."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["values_readable"]


def values_readable(x: Tensor) -> bool:
    """Return whether the values of ``x`` may decide what Python does next.

    Inside ``torch.func`` transforms, while a graph is compiled and on the device ``meta`` a tensor
    has a shape and a type, and no values.

    Examples
    --------
    >>> seen = []
    >>> _ = torch.func.vmap(lambda x: seen.append(values_readable(x)) or x)(torch.zeros(2))
    >>> seen, values_readable(torch.zeros(2))
    ([False], True)
    """
    wrapped: bool = torch._C._functorch.is_functorch_wrapped_tensor(x)
    return not (wrapped or x.is_meta or torch.compiler.is_compiling())
