"""Shared set-up: one thread, no windows, shapes checked at run time."""

import os

os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from jaxtyping import install_import_hook

torch.set_num_threads(1)
# Every annotated function of the package has its shapes and types checked while tests run.
# An int is welcome where a float is asked for, as the type checker has it.
_hook = install_import_hook(
    "plasticish", "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))"
)
