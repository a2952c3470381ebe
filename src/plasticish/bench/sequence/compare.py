"""The same split for everybody: bigram, Kneser-Ney, a transformer, and the memory."""

from __future__ import annotations

from plasticish.sequence import PlasticMemory

from ..scenario import Context, Findings, Goal, Metric, scenario
from ._common import CPU, MEMORY, NATS, SPLIT, clocked, load_names, memory_nats, shuffled, warmed_up
from ._kneser_ney import KneserNey, bigram_nats
from ._transformer import train_transformer

BIGRAM, KN, TRANSFORMER = "bigram", "modified Kneser-Ney 5", "transformer (makemore's size)"
ASLEEP = f"{MEMORY}, after sleep"


@scenario(
    "sequence/compare",
    title="beside makemore's learners",
    question="Who knows the next letter best, and at what cost?",
    protocol="""makemore's split, all in one run and on one thread. The bigram adds one to each
    count; Kneser-Ney is interpolated, with five symbols of context and
    three discounts an order. The transformer has 4
    layers, 4 heads, width 64; AdamW 5e-4, batches of 32, and its best step on the test names
    counts, which flatters it; its CPU seconds are those up to that step. PlasticMemory makes one
    online pass over the shuffled training file, then sleeps. 'Size' is parameters or counts;
    'dearer' is CPU seconds over those of PlasticMemory's pass.""",
    data=SPLIT,
    metrics=[
        NATS,
        CPU,
        Metric("size", "", 0, None),
        Metric("dearer", "x", 1, None),
        Metric("memory ahead by", "nats", 3, None),
    ],
    goals=[
        Goal(TRANSFORMER, "dearer", ">=", 50, aim=100),
        *(Goal(rival, "memory ahead by", ">=", 0.0) for rival in (BIGRAM, KN, TRANSFORMER)),
    ],
    baselines=[BIGRAM, KN, TRANSFORMER],
    seeds=(0,),
    requires_data=True,
)
def compare(context: Context) -> Findings:
    """Teach and ask all of them."""
    split, findings = load_names(context), Findings()
    warmed_up()
    found: dict[str, list[tuple[float, float, float]]] = {}
    for seed in context.seeds:
        order = shuffled(split.train, seed)
        memory = PlasticMemory(seed=seed)
        seconds = clocked(lambda: memory.learn(order))  # noqa: B023
        size = memory.predictor.synapses + memory.predictor.weights
        once = memory_nats(memory, split.test)
        found.setdefault(MEMORY, []).append((once, seconds, size))
        seconds += clocked(memory.sleep)
        slept = memory_nats(memory, split.test)
        found.setdefault(ASLEEP, []).append((slept, seconds, size))
        kn = KneserNey(5)
        seconds = clocked(lambda: kn.learn(order))  # noqa: B023
        found.setdefault(KN, []).append((kn.nats(split.test), seconds, kn.counts))
        bigram: list[tuple[float, int]] = []
        seconds = clocked(lambda: bigram.append(bigram_nats(order, split.test)))  # noqa: B023
        found.setdefault(BIGRAM, []).append((bigram[0][0], seconds, bigram[0][1]))
        training = train_transformer(
            split.train, split.test, seed, steps=20 if context.quick else 40_000
        )
        found.setdefault(TRANSFORMER, []).append(
            (training.nats, training.seconds, training.parameters)
        )
    ours = found[MEMORY]
    for row, values in found.items():
        findings.add(
            row,
            nats=[v[0] for v in values],
            **{
                "CPU s": [v[1] for v in values],
                "size": [v[2] for v in values],
                "dearer": [v[1] / o[1] for v, o in zip(values, ours, strict=True)],
                "memory ahead by": [v[0] - o[0] for v, o in zip(values, ours, strict=True)],
            },
        )
    return findings
