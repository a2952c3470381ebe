"""Other people's software beside ours; nothing but ``bench`` may import from here.

A peer is optional: each module has ``available()``, which says why it cannot run, or None.
"""
