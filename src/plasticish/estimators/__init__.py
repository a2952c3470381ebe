"""Learners behind the interface of scikit-learn.

Here live estimators that pass scikit-learn's own checks. Not here: the learners themselves
(``vision``, ``memory``), streams and reports over them (``evaluation``).
"""

from .classifier import PlasticClassifier

__all__ = ["PlasticClassifier"]
