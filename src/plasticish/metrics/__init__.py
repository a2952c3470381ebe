"""How well it went: pure functions of the accuracy matrix, of predictions and of scores.

Functions only, and none keeps state, touches a learner or reads data.
"""

from .continual import (
    average_accuracy,
    average_incremental_accuracy,
    backward_transfer,
    check_accuracy_matrix,
    forgetting,
    forward_transfer,
    retention,
)
from .predictions import accuracy, auroc, confusion_matrix, per_class_accuracy
from .scoring import score

__all__ = [
    "accuracy",
    "auroc",
    "average_accuracy",
    "average_incremental_accuracy",
    "backward_transfer",
    "check_accuracy_matrix",
    "confusion_matrix",
    "forgetting",
    "forward_transfer",
    "per_class_accuracy",
    "retention",
    "score",
]
