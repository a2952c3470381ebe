r"""How close a reply came to the one that was wanted: chrF.

.. math::
    \mathrm{chrF}_\beta = (1 + \beta^2)\,\frac{P\,R}{\beta^2 P + R}

with the precision :math:`P` and recall :math:`R` of character n-grams, white space aside, each
averaged over the orders 1 to 6 of which both texts have any. Unlike an exact match it rewards a
word that is nearly right, and unlike BLEU it is meant for single sentences.

References
----------
Popović, M. (2015). chrF: character n-gram F-score for automatic MT evaluation. WMT.
"""

from __future__ import annotations

from collections import Counter

__all__ = ["chrf"]

_ORDERS = range(1, 7)


def chrf(reply: str, wanted: str, beta: float = 2.0) -> float:
    """Return chrF in [0, 1]; 1 for equal texts, 0 for such as share no character.

    Parameters
    ----------
    reply, wanted : str
        What was said, and what should have been.
    beta : float
        How much more recall counts than precision, > 0.

    Examples
    --------
    >>> chrf("hello", "hello"), chrf("hello", "xyz"), round(chrf("I am fin", "I am fine."), 3)
    (1.0, 0.0, 0.647)
    """
    said, due = "".join(reply.split()), "".join(wanted.split())
    if not said or not due:
        return float(said == due)
    precisions, recalls = [], []
    for order in _ORDERS:
        mine, theirs = _ngrams(said, order), _ngrams(due, order)
        if not mine or not theirs:
            break
        shared = (mine & theirs).total()
        precisions.append(shared / mine.total())
        recalls.append(shared / theirs.total())
    precision, recall = sum(precisions) / len(precisions), sum(recalls) / len(recalls)
    if precision + recall == 0:
        return 0.0
    return (1 + beta**2) * precision * recall / (beta**2 * precision + recall)


def _ngrams(text: str, order: int) -> Counter[str]:
    return Counter(text[at : at + order] for at in range(len(text) - order + 1))
