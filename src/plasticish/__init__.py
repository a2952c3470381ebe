"""Brain-inspired learners that never stop learning.

The public names of the library, loaded when first touched so that ``import plasticish`` is quick.
"""
