"""Reference values of published plasticity rules, and the protocols that ask the rules for them.

Here live the values as printed (:mod:`~plasticish.bench.golden.reference`) and, a file a group of
rules, the protocols that give the same values by name. A protocol takes its rule from the public
packages and knows no expected value.
"""
