"""A million hostile inputs over every reader of bytes from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..scenario import Context, Findings, Goal, Metric, scenario

if TYPE_CHECKING:
    from ..fuzzing import Finding

INPUTS, LEAST = 1_000_000, 5_000
QUICK = 400
LONGEST = 100  # characters of what is told of a finding
QUICK_READERS = (
    *("bench result", "checkpoint", "cifar10", "history", "idx", "image", "plastic memory"),
    *("sequences", "teacher address", "weights"),
)
WHOLE = "all readers"

READ = Metric("inputs", "", 0, higher_is_better=None)
CRASHES = Metric("crashes", "", 0, higher_is_better=False, tolerance=0.0)
HANGS = Metric("hangs", "", 0, higher_is_better=False, tolerance=0.0)
OUTSIDE = Metric("writes outside", "", 0, higher_is_better=False, tolerance=0.0)
PEAK = Metric("peak growth", "MB", 0, higher_is_better=False, tolerance=100.0)
TIME = Metric("CPU", "s", 1, higher_is_better=None)


@scenario(
    "product/fuzz",
    title="a million hostile inputs",
    question="Does any reader of bytes from outside crash, hang, eat memory or write elsewhere?",
    protocol=f"""{INPUTS:,} inputs over all readers, at least {LEAST:,} for each, the rest so that
    all take the same time: sound files made by the product, with one or more places altered (bits
    flipped, cut, doubled, spliced, hostile numbers and words; JSON as JSON, safetensors behind a
    sound frame), and random bytes. Checksums are computed anew, so that what is forged gets past
    them; a learner that loads is put to work. In a process that can take one gigabyte more, in an
    empty folder. A crash is any error but the documented ones, or the death of the process; a
    hang, an input of over 10 s of CPU or a minute in all; a write outside, any change beyond the
    folder that was named, any other process and any connection but to this machine. A command
    still at work after 0.3 s of CPU is interrupted, and has to end. What a learner answers whose
    forged contents could be loaded may be any exception; it may not take the process down, hang,
    take memory or write. Peak growth is that of resident memory while a reader is at work.""",
    data="made by the product",
    metrics=[READ, CRASHES, HANGS, OUTSIDE, PEAK, TIME],
    goals=[
        Goal(WHOLE, READ.name, ">=", INPUTS),
        Goal(WHOLE, CRASHES.name, "<=", 0),
        Goal(WHOLE, HANGS.name, "<=", 0),
        Goal(WHOLE, OUTSIDE.name, "<=", 0),
        Goal(WHOLE, PEAK.name, "<=", 1000),
    ],
    seeds=(0,),
)
def fuzz(context: Context) -> Findings:
    """Let all readers read, and count."""
    from ..fuzzing import fuzz as run  # half the library, which a list of scenarios needs not

    findings = Findings()
    (seed,) = context.seeds[:1]
    if context.quick:
        tallies = run(QUICK, seed=seed, readers=QUICK_READERS)
    else:
        tallies = run(INPUTS, least=LEAST, seed=seed)
    table = {
        name: {
            READ.name: tally.inputs,
            CRASHES.name: tally.count("crash", "killed"),
            HANGS.name: tally.count("hang"),
            OUTSIDE.name: tally.count("outside write"),
            PEAK.name: max(tally.peak_mb, 0.0),
            TIME.name: tally.seconds,
        }
        for name, tally in tallies.items()
    }
    for name, figures in table.items():
        findings.add(name, **figures)
    for metric in (READ, CRASHES, HANGS, OUTSIDE, PEAK, TIME):
        column = [figures[metric.name] for figures in table.values()]
        findings.add(WHOLE, **{metric.name: max(column) if metric is PEAK else sum(column)})
    for tally in tallies.values():
        findings.notes += [_told(one) for one in tally.findings]
    return findings


def _told(finding: Finding) -> str:
    what = finding.detail if finding.kind == "outside write" else finding.where
    return f"{finding.reader}: {finding.kind}: {what[:LONGEST]!r}"
