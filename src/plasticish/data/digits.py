"""The bundled handwritten digits: no download, and enough to show that nothing is forgotten."""

from __future__ import annotations

import torch

from plasticish.core import make_generator

from .labelled import LabelledSet, Source
from .split import stratified_split

__all__ = ["load_digits"]


def load_digits(*, seed: int = 0, test_share: float = 0.25) -> Source:
    """Return the 1,797 digits that scikit-learn bundles, as features.

    Every digit is 8×8 pixels, handed out as 64 features in [0, 1] (the raw counts 0..16, divided
    by 16, and nothing else).

    Parameters
    ----------
    seed : int
        Decides which digits are held out.
    test_share : float
        Part of every class that is held out for testing.

    References
    ----------
    Alpaydin, E. & Kaynak, C. (1998). Cascading classifiers. Kybernetika 34 (UCI "Optical
    Recognition of Handwritten Digits").

    Examples
    --------
    >>> digits = load_digits()
    >>> len(digits.train), len(digits.test), digits.train.inputs.shape[1]
    (1347, 450, 64)
    """
    from sklearn.datasets import load_digits as load_bundled  # slow to import, so only here

    bunch = load_bundled()
    whole = LabelledSet(
        inputs=torch.tensor(bunch.data / 16.0, dtype=torch.float32),
        labels=torch.tensor(bunch.target, dtype=torch.int64),
        classes=tuple(str(digit) for digit in range(10)),
        name="digits",
    )
    train, test = stratified_split(whole, test_share, make_generator(seed))
    return Source(train, test, "digits")
