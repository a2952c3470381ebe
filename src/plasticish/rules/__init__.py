"""How one synapse changes: equations, units and papers, as pure functions of frozen parameters.

A file holds one rule: its equation and source, its parameters, the state it carries (traces) as a
named tuple, a ``*_step`` function for one time step and, where the mathematics allows it, a
``*_window`` function that does a whole block ``[batch, time, …]`` in a few matrix products.
Nothing here holds state, changes its arguments, or knows a network; times are milliseconds unless
a name says ``_s``, weights are ``[post, pre]`` as in ``nn.Linear``. Shells that keep state live in
:mod:`plasticish.spiking`.
"""

from .bcm import BCMParameters, BCMState, bcm_state, bcm_step, bcm_window, phi
from .bounds import bounded, scaled_change
from .hebbian import HebbParameters, hebb_step, hebb_window
from .homeostatic import (
    HomeostaticParameters,
    HomeostaticTraces,
    homeostatic_step,
    homeostatic_traces,
    homeostatic_window,
)
from .multi_timescale import (
    MultiTimescaleParameters,
    memory_trace,
    multi_timescale_state,
    multi_timescale_step,
    multi_timescale_window,
)
from .oja import OjaParameters, oja_step, oja_window
from .parameters import RuleParameters
from .protocols import SpikeTimes, pairing, play, spike_trains, triplets
from .rates import ActivityState, activity_state
from .reward import (
    RewardParameters,
    RewardTraces,
    dopamine,
    reward_step,
    reward_traces,
    reward_window,
)
from .short_term import (
    ShortTermParameters,
    ShortTermState,
    short_term_state,
    short_term_step,
    short_term_window,
    steady_state,
)
from .stdp import PairTraces, STDPParameters, pair_traces, stdp_step, stdp_window
from .tagging import (
    TaggingParameters,
    TaggingState,
    efficacy,
    induce,
    protein_window_s,
    tag_lifetime_s,
    tagging_state,
    tagging_step,
)
from .triplet import (
    TRIPLET_ROWS,
    TripletParameters,
    TripletTraces,
    triplet_step,
    triplet_traces,
    triplet_window,
)

__all__ = [
    "TRIPLET_ROWS",
    "ActivityState",
    "BCMParameters",
    "BCMState",
    "HebbParameters",
    "HomeostaticParameters",
    "HomeostaticTraces",
    "MultiTimescaleParameters",
    "OjaParameters",
    "PairTraces",
    "RewardParameters",
    "RewardTraces",
    "RuleParameters",
    "STDPParameters",
    "ShortTermParameters",
    "ShortTermState",
    "SpikeTimes",
    "TaggingParameters",
    "TaggingState",
    "TripletParameters",
    "TripletTraces",
    "activity_state",
    "bcm_state",
    "bcm_step",
    "bcm_window",
    "bounded",
    "dopamine",
    "efficacy",
    "hebb_step",
    "hebb_window",
    "homeostatic_step",
    "homeostatic_traces",
    "homeostatic_window",
    "induce",
    "memory_trace",
    "multi_timescale_state",
    "multi_timescale_step",
    "multi_timescale_window",
    "oja_step",
    "oja_window",
    "pair_traces",
    "pairing",
    "phi",
    "play",
    "protein_window_s",
    "reward_step",
    "reward_traces",
    "reward_window",
    "scaled_change",
    "short_term_state",
    "short_term_step",
    "short_term_window",
    "spike_trains",
    "stdp_step",
    "stdp_window",
    "steady_state",
    "tag_lifetime_s",
    "tagging_state",
    "tagging_step",
    "triplet_step",
    "triplet_traces",
    "triplet_window",
    "triplets",
]
