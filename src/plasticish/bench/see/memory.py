"""How much memory a brain takes that remembers sixty thousand things."""

from __future__ import annotations

from pathlib import Path

from ..resident import measure
from ..scenario import Context, Findings, Goal, Metric, UnavailableError, scenario

WIDTHS = {"width 512 (ResNet18)": 512, "width 1,280 (last layer)": 1280, "width 2,048 (all)": 2048}
GIGABYTE = 1e9


@scenario(
    "see/memory",
    title="resident memory with 60,000 memories",
    question="Does a brain full of memories fit beside other programs on a laptop?",
    protocol="""A fresh process imports the package, learns 60,000 random features (features only,
    no eyes) in batches of 500 into a default brain, sleeps, and answers a batch of 256. Resident
    memory of the whole process then, at its highest, and of the imports alone.""",
    data="random features",
    metrics=[
        Metric("resident", "GB", 2, higher_is_better=False, tolerance=0.05),
        Metric("peak", "GB", 2, higher_is_better=False, tolerance=0.1),
        Metric("imports", "GB", 2, higher_is_better=None),
    ],
    goals=[Goal(row, "resident", "<=", 1.0) for row in WIDTHS],
    seeds=(0,),
)
def memory(context: Context) -> Findings:
    """Fill one brain a width, each in its own process."""
    if not Path("/proc/self/status").exists():
        raise UnavailableError("resident memory is read from /proc, which is not here")
    findings = Findings()
    for row, width in list(WIDTHS.items())[: 1 if context.quick else None]:
        found = measure(width, 2_000 if context.quick else 60_000)
        findings.add(row, **{name: size / GIGABYTE for name, size in found.items()})
    return findings
