"""How long one waits before anything happens."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping

from ..scenario import Context, Findings, Goal, Metric, scenario

WALL = Metric("wall", "s", 2, higher_is_better=False, tolerance=0.5, relative=True)
CPU = Metric("CPU", "s", 2, higher_is_better=False, tolerance=0.5, relative=True)
HEAVY = Metric("heavy packages loaded", "", 0, higher_is_better=False, tolerance=0.0)

NOT_YET = ("torch", "numpy", "numba", "matplotlib", "sklearn", "PIL", "networkx")
IMPORT, HELP = "import plasticish", "plasticish --help"
COLD, WARM = "first prediction of a memory, new machine", "the same, next day"

_HELP = """
from plasticish.cli.main import main
import sys
sys.argv = ["plasticish", "--help"]
try:
    main()
except SystemExit:
    pass
"""
_PREDICT = """
from plasticish import PlasticMemory
memory = PlasticMemory()
memory.learn(["anna", "otto", "hannah"])
memory.predict("ann")
"""
_COUNT = "import sys; print(len({heavy} & set(sys.modules)), file=sys.stderr)"
COLD_ROUNDS = 2
PROGRAMS = {
    "python": "",
    IMPORT: "import plasticish",
    HELP: _HELP,
    "import torch": "import torch",
    COLD: _PREDICT,
    WARM: _PREDICT,
}


@scenario(
    "product/start",
    title="how long it takes to start",
    question="How long is it until the package is imported, and until the help stands there?",
    protocol="""Each row is a program in a process of its own, timed from its start to its end, the
    interpreter's own start included (first row); one thread; the rows in turns, the shortest of
    seven rounds (on a new machine: of two). The first prediction of a sequence memory loads torch
    and compiles the inner loops: once on a new machine (an empty cache of machine code), and from
    the cache thereafter. Heavy packages are torch, NumPy, Numba, matplotlib, scikit-learn, Pillow
    and networkx.""",
    data="none",
    metrics=[WALL, CPU, HEAVY],
    goals=[
        Goal(IMPORT, "wall", "<=", 0.3),
        Goal(HELP, "wall", "<=", 0.4),
        Goal(IMPORT, HEAVY.name, "<=", 0.0),
        Goal(HELP, HEAVY.name, "<=", 0.0),
    ],
    baselines=["python", "import torch"],
    seeds=(0,),
)
def start(context: Context) -> Findings:
    """Time every program in turns."""
    rounds, names = (1, [IMPORT, HELP]) if context.quick else (7, list(PROGRAMS))
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(rounds):
            for name in names:
                if name == COLD and turn >= COLD_ROUNDS:
                    continue
                # Cold is cold every time; what is warm shares a cache that the first round fills.
                cache = f"{folder}/{turn if name == COLD else 'kept'}"
                runs[name].append(timed(PROGRAMS[name], {"NUMBA_CACHE_DIR": cache}))
    findings = Findings()
    for name, measured in runs.items():
        best = {key: [min(run[key] for run in measured)] for key in measured[0]}
        findings.add(name, **best)
    return findings


def timed(program: str, variables: Mapping[str, str]) -> dict[str, float]:
    """Run a program and return its times and how many heavy packages it had at its end."""
    source = f"{program}\n{_COUNT.format(heavy=set(NOT_YET))}"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **variables}
    before, began = os.times(), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", source], env=environment, capture_output=True, text=True, check=True
    )
    wall, after = time.perf_counter() - began, os.times()
    cpu = after.children_user + after.children_system
    cpu -= before.children_user + before.children_system
    return {WALL.name: wall, CPU.name: cpu, HEAVY.name: float(done.stderr.split()[-1])}
