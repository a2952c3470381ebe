"""The scenarios of sequences: names and text in, what comes next out.

One file a scenario. Each builds its memory with the defaults of the library and no others, so that
nothing can be tuned here.
"""
