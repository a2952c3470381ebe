"""Spikes, and any torch module: layers that learn by local rules, and a liquid spiking network.

Rules as objects (:class:`PlasticityRule`) over the pure functions of :mod:`plasticish.rules`,
thin ``nn.Module`` shells that keep their state in buffers, the network, and what adds local
learning to any model. No training loop and no data set lives here.
"""
