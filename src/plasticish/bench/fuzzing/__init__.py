"""Hostile bytes for every reader of the product, and what watches over it while it reads them.

Here live the readers with their seeds, what alters bytes, and the run that counts crashes, memory
and writes outside the named folder. What is learned is not looked at; that is what the scenarios of
the other areas are for. Run it as ``python -m plasticish.bench.fuzzing``.
"""

from .mutation import join, mutated, split
from .readers import READERS, Reader
from .run import Finding, Tally, fuzz

__all__ = ["READERS", "Finding", "Reader", "Tally", "fuzz", "join", "mutated", "split"]
