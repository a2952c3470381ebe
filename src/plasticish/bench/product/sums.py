"""A million examples later: are running sums and averages still what they should be?"""

from __future__ import annotations

from plasticish.core import track

from ..scenario import Context, Findings, Goal, Metric, scenario
from ._sums import COUNTERS, DRIVERS, STREAMS, TRAINS, error, stream

EXAMPLES, QUICK_EXAMPLES = 1_000_000, 2000
MILLION = 1e6
MOST = 1.0  # millionth of the reference

COUNTED = "only how many"
ERRORS = {
    name: Metric(name, "ppm", 4, higher_is_better=False, tolerance=0.5)
    for name in (*STREAMS, COUNTED)
}
WITH_TRAINS = ("ordinary", "constant")

NUMBERS = (
    "cortex: class means",
    "cortex: co-activity",
    "block: energy of units",
    "triarchic: expectations",
    "triarchic: drift",
    "triarchic: spread",
    "triarchic: usual response",
    "triarchic: importance",
    "rate code: means",
    "rate code: variances",
    "Fisher information",
    "springs: importance of all tasks",
    "springs: anchors of all tasks",
    "springs: importance, fading",
    "contexts: usual surprise",
    "contexts: its variance",
    "dopamine: expectation",
    "acetylcholine: level",
    "adenosine: pressure",
    "metrics: accuracy",
    "trainer: mean loss",
)
STEPPED = (
    "meta-plastic layer: importance",
    "STDP: trace, 34 ms",
    "triplets: trace, 114 ms",
    "homeostasis: rate, 10 s",
    "BCM: threshold, 1 s",
    "correlations: mean rate, 1 s",
)
COUNTS = (
    "sequences: counts",
    "sequences: total of a context",
    "norepinephrine: counts",
    "conversation: fading counts",
)


@scenario(
    "product/sums",
    title="running sums after a million examples",
    question="Do running sums and averages stay within a millionth of what they should be?",
    protocol="""Every running sum, mean, variance, trace and count of the product takes 1,000,000
    examples, 50 at a time (spike trains 500 steps; the springs one consolidation for every 50).
    Error: largest deviation from the same quantity computed from all examples at once, in float64
    or whole numbers, over the largest number of that, in millionths. Four streams of four float32
    features: standard normal; 10,000 ± 0.01; normal times 0.0001 and 10,000 in turns; constants.
    Where a sum takes shares or spikes these are made of the stream (spikes: above the median, of
    constants every second step); rules and the layer take the first stream and the last.
    Counts are fed as often.""",
    data="synthetic numbers",
    metrics=list(ERRORS.values()),
    goals=[
        Goal(row, name, "<=", MOST)
        for rows, names in (
            (NUMBERS, STREAMS),
            (STEPPED, WITH_TRAINS),
            (COUNTS, (COUNTED,)),
        )
        for row in rows
        for name in names
    ],
    seeds=(0,),
)
def sums(context: Context) -> Findings:
    """Feed all of them, and compare."""
    findings = Findings()
    count = QUICK_EXAMPLES if context.quick else EXAMPLES
    errors: dict[str, dict[str, list[float]]] = {}
    for seed in context.seeds:
        for name in track(list(STREAMS), "streams"):
            trains = TRAINS if name in WITH_TRAINS else {}
            for drive in (*DRIVERS.values(), *trains.values()):
                for row, held, right in drive(stream(name, count, seed)):
                    errors.setdefault(row, {}).setdefault(name, []).append(error(held, right))
        for feed in COUNTERS.values():
            for row, held, right in feed(count):
                errors.setdefault(row, {}).setdefault(COUNTED, []).append(error(held, right))
    for row, cells in errors.items():
        findings.add(row, **{key: [MILLION * e for e in found] for key, found in cells.items()})
    return findings
