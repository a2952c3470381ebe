"""Names, read once: how well is the next letter known, and what does it cost?"""

from __future__ import annotations

from plasticish.sequence import AbstractionTree, Alphabet, PlasticMemory

from ..scenario import Context, Findings, Goal, Metric, scenario
from ._common import CPU, NATS, SPLIT, clocked, load_names, memory_nats, shuffled, warmed_up

ONCE, SLEPT, TREE = "one online pass", "after sleep", "the tree alone, all names"


@scenario(
    "sequence/names",
    title="names, read once",
    question="31,033 names go by once. How surprising are 1,000 others, and what did it cost?",
    protocol="""makemore's own split; the training file is shuffled by the seed and learned in one
    online pass, tree, library and predictor together; then one sleep of three replays. Nats a
    token, the end of each name a token. 'Unseen' are the test names that do not occur in the
    training file, 'distinct' the test names without repetitions. CPU seconds of one thread,
    compilation not counted; the tree alone holds train and test names.""",
    data=SPLIT,
    metrics=[NATS, CPU, Metric("nodes", "", 0, None), Metric("levels", "", 0, None)],
    goals=[
        Goal(ONCE, "nats", "<=", 1.87, aim=1.84),
        Goal(SLEPT, "nats", "<=", 1.845, aim=1.82),
        Goal(ONCE, "CPU s", "<=", 6.0, aim=3.0, statistic="min"),
        Goal(TREE, "CPU s", "<=", 0.5, aim=0.2, statistic="min"),
    ],
    seeds=(0, 1, 2, 3, 4),
    requires_data=True,
)
def names(context: Context) -> Findings:
    """Learn, sleep, and ask for the test names after each."""
    split, findings = load_names(context), Findings()
    warmed_up()
    kinds = {
        "": split.test,
        ", unseen names": split.unseen,
        ", distinct names": list(dict.fromkeys(split.test)),
    }
    found: dict[str, list[float]] = {}
    seconds: dict[str, list[float]] = {ONCE: [], SLEPT: []}
    for seed in context.seeds:
        memory, order = PlasticMemory(seed=seed), shuffled(split.train, seed)
        for stage, work in ((ONCE, lambda: memory.learn(order)), (SLEPT, memory.sleep)):  # noqa: B023
            seconds[stage].append(clocked(work))
            for kind, asked in kinds.items():
                found.setdefault(stage + kind, []).append(memory_nats(memory, asked))
    for row, nats in found.items():
        findings.add(row, nats=nats)
    for stage, spent in seconds.items():
        findings.add(stage, **{"CPU s": spent})
    add_tree(findings, [*split.train, *split.test], len(context.seeds))
    return findings


def add_tree(findings: Findings, all_names: list[str], repeats: int) -> None:
    """Add what the tree of all names is, and what it costs to grow."""
    seconds = []
    for _ in range(repeats):
        alphabet, tree = Alphabet(), AbstractionTree()
        seconds.append(clocked(lambda: tree.insert(alphabet.encode(all_names))))  # noqa: B023
    findings.add(TREE, nodes=len(tree), levels=max(tree.levels()))
    findings.add(TREE, **{"CPU s": seconds})
