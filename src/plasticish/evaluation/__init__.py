"""A learner over a stream into a report, with baselines on the very same features beside it.

Here live :func:`run_stream`, :func:`compare` and the baselines. Nothing here knows a scenario, a
stated goal or a file of results (those are ``bench``), and nothing here is a learner to ship.
"""

from .baselines import (
    KNN,
    NCM,
    SLDA,
    Baseline,
    JointLogistic,
    NaiveSoftmax,
    PowerTransformed,
    RanPAC,
    StreamingRidge,
    signed_sqrt,
)
from .closed_loop import (
    Policy,
    ReturnScale,
    closed_loop_returns,
    return_scale,
)
from .comparison import Comparison, Spread, class_orders, compare
from .simulators import gymnasium_environment
from .stream import StreamLearner, StreamReport, accuracy_on, run_stream
from .sweeping import Run, Sweep, sweep

__all__ = [
    "KNN",
    "NCM",
    "SLDA",
    "Baseline",
    "Comparison",
    "JointLogistic",
    "NaiveSoftmax",
    "Policy",
    "PowerTransformed",
    "RanPAC",
    "ReturnScale",
    "Run",
    "Spread",
    "StreamLearner",
    "StreamReport",
    "StreamingRidge",
    "Sweep",
    "accuracy_on",
    "class_orders",
    "closed_loop_returns",
    "compare",
    "gymnasium_environment",
    "return_scale",
    "run_stream",
    "signed_sqrt",
    "sweep",
]
