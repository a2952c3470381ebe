"""When and how much to change: neuromodulators, and the control of plasticity itself.

Small objects with an equation, a source and a state of their own. Nothing here touches a weight:
who listens to a modulator decides what its signal scales.
"""
