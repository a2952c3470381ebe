"""The scenarios of spikes: plasticity rules against published values, and their speed.

One file a scenario. Rules are taken from the public packages, so that what is checked and timed is
what a user calls.
"""
