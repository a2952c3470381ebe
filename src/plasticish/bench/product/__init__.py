"""The scenarios of the product as a whole: how it starts, and what months of running do to it.

One file a scenario. They say nothing about how well anything is learned; that is what the other
areas are for.
"""
