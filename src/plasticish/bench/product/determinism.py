"""The same seed, elsewhere: what is the same to the last bit, and what is not."""

from __future__ import annotations

import tempfile
from pathlib import Path

from plasticish.core import track

from ..scenario import Context, Findings, Goal, Metric, scenario
from ._lived import SAVED, SINGLY, WHOLE, elsewhere, keep, shared_bits
from ._lives import LIVES, QUICK_LIVES

STEPS, QUICK_STEPS = 20, 2

AGAIN = Metric("same process", digits=2, tolerance=0.0)
FRESH = Metric("two processes", digits=2, tolerance=0.0)
RESUMED = Metric("saved, loaded", digits=2, tolerance=0.0)
CUT = Metric("one by one", digits=2, higher_is_better=None)
THREADS = Metric("2 threads", digits=2, higher_is_better=None)
PROCESSOR = Metric("other instructions", digits=2, higher_is_better=None)

# What MKL, oneDNN, PyTorch, NumPy's OpenBLAS and Numba would find on a processor of 2008.
OLD_PROCESSOR = {
    "ATEN_CPU_CAPABILITY": "default",
    "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "OPENBLAS_CORETYPE": "Nehalem",
    "NUMBA_CPU_NAME": "nehalem",
    "NUMBA_CPU_FEATURES": "",
}


@scenario(
    "product/determinism",
    title="the same seed, elsewhere",
    question="Which learners are the same to the last bit, and where are they not?",
    protocol="""Each learner lives 80 batches of 16 with two sleeps, answers, and has its whole
    state and its answers written down; share of all these numbers whose bits are the same as those
    of the first life. Same process: lived again. Two processes: a fresh interpreter with another
    PYTHONHASHSEED and an empty cache of compiled kernels, so that they are compiled anew. Saved,
    loaded: put down half way and taken up. One by one: the same rows in the same order, in batches
    of one. 2 threads: a fresh process with two for torch, BLAS and Numba. Other instructions: a
    fresh process whose libraries and compiler are held to those of a processor of 2008.""",
    data="synthetic features, first names, bundled dialogue",
    metrics=[AGAIN, FRESH, RESUMED, CUT, THREADS, PROCESSOR],
    goals=[
        Goal(name, metric.name, ">=", 100.0) for name in LIVES for metric in (AGAIN, FRESH, RESUMED)
    ],
    seeds=(0,),
)
def determinism(context: Context) -> Findings:
    """Live here and elsewhere, and compare."""
    findings = Findings()
    shares = [_compared(seed, context.quick) for seed in track(context.seeds, "seeds")]
    for name in shares[0]:
        findings.add(name, **{key: [one[name][key] for one in shares] for key in shares[0][name]})
    return findings


def _compared(seed: int, quick: bool) -> dict[str, dict[str, float]]:
    steps, names = (QUICK_STEPS, QUICK_LIVES) if quick else (STEPS, LIVES)
    with tempfile.TemporaryDirectory() as root:
        here = Path(root) / "here"
        keep(here, seed, steps, [WHOLE, SINGLY, SAVED], names)
        lives = {RESUMED: (here, SAVED), CUT: (here, SINGLY)}
        fresh = {"PYTHONHASHSEED": "13"}
        if not quick:
            keep(here.with_name("again"), seed, steps, [WHOLE])
            lives[AGAIN] = here.with_name("again"), WHOLE
            fresh["NUMBA_CACHE_DIR"] = str(Path(root) / "kernels")
            elsewhere(here.with_name("threads"), seed, steps, [WHOLE], threads=2)
            lives[THREADS] = here.with_name("threads"), WHOLE
            old = {**OLD_PROCESSOR, "NUMBA_CACHE_DIR": str(Path(root) / "old kernels")}
            elsewhere(here.with_name("old"), seed, steps, [WHOLE], environment=old)
            lives[PROCESSOR] = here.with_name("old"), WHOLE
        elsewhere(here.with_name("fresh"), seed, steps, [WHOLE], names, environment=fresh)
        lives[FRESH] = here.with_name("fresh"), WHOLE
        return {
            name: {
                metric.name: 100.0
                * shared_bits(here / _file(name, WHOLE), folder / _file(name, way))
                for metric, (folder, way) in lives.items()
            }
            for name in names
        }


def _file(name: str, way: str) -> str:
    return f"{name}.{way}.safetensors"
