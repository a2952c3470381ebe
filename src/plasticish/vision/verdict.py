"""Two stores, one answer: how the votes of hippocampus and cortex are put together."""

from __future__ import annotations

import torch
from jaxtyping import Float32
from torch import Tensor

__all__ = ["combine"]

HIPPOCAMPUS_GAIN = 30.0  # per unit of mean cosine
CORTEX_GAIN = 0.5  # the discriminant is overconfident: its parts are not independent


def combine(
    similarity: Float32[Tensor, "batch classes"],
    present: Tensor,
    evidence: Tensor | None,
    known: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    r"""Return probabilities of both stores together, of the hippocampus, and of the cortex.

    Over the classes :math:`K` that the cortex knows the two are multiplied as experts [1]_,

    .. math:: p(c \mid K) \propto e^{\beta e_c}\, e^{\alpha s_c}

    (:math:`e` the cortical evidence, :math:`s` the mean cosine of the nearest memories of each
    class). A class that came after the last sleep is judged by the hippocampus alone: its odds
    against the winner among the old are :math:`e^{\alpha (s_{new} - s_{winner})}`. Against all the
    old together it would have no chance: of nine, some memory is always near.

    Parameters
    ----------
    similarity : Tensor [batch, classes]
        Mean cosine with the nearest memories of each class.
    present : Tensor [present]
        Labels of which there are memories.
    evidence : Tensor [batch, known] or None
        Log evidence of the cortex; ``None`` if it has not slept yet.
    known : Tensor [known]
        Labels that the evidence is about.

    References
    ----------
    .. [1] G. E. Hinton, "Training products of experts by minimizing contrastive divergence",
       Neural Computation 14 (2002).
    """
    loud = torch.full_like(similarity, float("-inf"))
    loud[:, present] = HIPPOCAMPUS_GAIN * similarity[:, present]
    cortex = torch.zeros_like(similarity)
    if evidence is None:
        hippocampus = torch.softmax(loud, dim=1)
        return hippocampus, hippocampus, cortex
    cortex[:, known] = torch.softmax(CORTEX_GAIN * evidence, dim=1)
    heard = loud[:, known]
    silent = torch.isinf(heard)
    if bool(silent.any()):
        # Between a class whose memories all went and the winner the cortex alone decides.
        winner = (CORTEX_GAIN * evidence + heard).argmax(dim=1, keepdim=True)
        loudest = heard.gather(1, winner)
        quiet = loud[:, present].amin(dim=1, keepdim=True)
        heard = torch.where(silent, torch.where(torch.isinf(loudest), quiet, loudest), heard)
    joint = CORTEX_GAIN * evidence + heard
    winner = joint.argmax(dim=1, keepdim=True)
    logits = loud.clone()
    logits[:, known] = joint - joint.gather(1, winner) + heard.gather(1, winner)
    return torch.softmax(logits, dim=1), torch.softmax(loud, dim=1), cortex
