"""The scenarios of continual learning in torch modules: tasks come one after another.

One file a scenario. Every row of a table has the same network, epochs, optimizer and buffer;
what differs is what protects the past.
"""
