"""How one synapse changes: equations, units and papers, as pure functions of frozen parameters.

A file holds one rule: its equation and source, its parameters, the state it carries (traces) as a
named tuple, a ``*_step`` function for one time step and, where the mathematics allows it, a
``*_window`` function that does a whole block ``[batch, time, …]`` in a few matrix products.
Nothing here holds state, changes its arguments, or knows a network; times are milliseconds unless
a name says ``_s``, weights are ``[post, pre]`` as in ``nn.Linear``. Shells that keep state live in
:mod:`plasticish.spiking`.
"""
