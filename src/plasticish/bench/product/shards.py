"""What learning in shards costs, what it gains, and whether it is the same brain."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable

import torch
from torch import Tensor

from plasticish.core import Engine, make_engine, make_generator
from plasticish.core.messages import read_message, write_message
from plasticish.data import BatchLoader, LabelledSet, load_digits
from plasticish.training import PhaseConfig, PlasticTrainer, ShardedTrainer
from plasticish.training.shards import Learned, Work, learn_shard
from plasticish.vision import PlasticBrain

from ..scenario import Context, Findings, Goal, Metric, scenario


def _time(name: str, unit: str, digits: int = 1) -> Metric:
    return Metric(name, unit, digits, higher_is_better=False, tolerance=0.5, relative=True)


WALL, CPU = _time("wall", "s"), _time("CPU", "s")
GAIN = Metric("speed-up", "x", 2, tolerance=0.3, relative=True)
OFF = Metric("evidence off by", "%", 4, higher_is_better=False, tolerance=0.1)
SAME = Metric("same answers", tolerance=0.3)
ACCURACY = Metric("accuracy", tolerance=0.5)
LEARN, START = _time("learning an example", "ms", 3), _time("starting a worker", "s", 2)
TRANSFER, MERGE = _time("transfer of a shard", "s", 3), _time("merge of a shard", "s", 3)
SIZE = Metric("size of a shard", "MB", 1, higher_is_better=False, tolerance=0.1)
CHAIN, TREE = _time("one by one", "min"), _time("in pairs", "min")

ALONE, IN_TURN = "one process", "shards in turn"
WIDTH, MOVED, NOISE = 64, 1, 0.03
UNDISTURBED = 0.8  # of a core, that one process has to have had
PROJECTED, WORKERS = 10**8, (1, 2, 10, 30, 100, 300, 1000)


@scenario(
    "product/shards",
    title="learning scaled out",
    question="What do workers gain, and is what they learn together what one process learns?",
    protocol="""One phase of digits (200,000 training digits moved by up to a pixel, with noise
    of 0.03), batches of 64, a default brain that has room for all of them; as one stream, and in
    four shards by one and by two worker processes (one thread each), whose start is in it; wall
    times count only if one process had a core for itself. Evidence: largest difference of the
    cortex's evidence on the test digits after sleep, over its largest value. Costs of a shard of
    2,048 examples are CPU times in one process: learning; pickling and reading what a worker
    returns, without the network; merging. Projected rows are computed, not run: 10^8 examples by N
    workers take start + learning / N + merging, by one brain one by one (N transfers and merges,
    as it is built) or in pairs (log2 N of them on the longest path, which is not built).""",
    data="scikit-learn digits",
    metrics=[
        WALL, CPU, GAIN, OFF, SAME, ACCURACY, LEARN, START, TRANSFER, MERGE, SIZE, CHAIN, TREE,
    ],
    goals=[
        Goal("2 workers", GAIN.name, ">=", 1.3, aim=1.7),
        Goal("2 workers", SAME.name, ">=", 99.5, aim=100.0),
        Goal("2 workers", OFF.name, "<=", 0.1),
    ],
    baselines=[ALONE],
    seeds=(0,),
)  # fmt: skip
def shards(context: Context) -> Findings:
    """Learn one stream in several ways, take the costs apart, and project them."""
    source = load_digits()
    train = moved(source.train, 1024 if context.quick else 200_000, context.seeds[0])
    ways: dict[str, Callable[[], PlasticBrain]] = {ALONE: lambda: _taught(train, None)}
    if context.quick:
        ways[IN_TURN] = lambda: _sharded(train, 2, "sequential", 1)
    else:
        ways |= {
            "1 worker": lambda: _sharded(train, 4, "processes", 1),
            "2 workers": lambda: _sharded(train, 4, "processes", 2),
        }
    brains, walls, cpus = {}, {}, {}
    for way, run in ways.items():
        wall, cpu = time.perf_counter(), _cpu_seconds()
        brains[way] = run()
        walls[way], cpus[way] = time.perf_counter() - wall, _cpu_seconds() - cpu
    findings = Findings()
    for way, learner in brains.items():
        asked = (source.test.inputs, source.test.labels)
        findings.add(
            way,
            **{
                WALL.name: walls[way],
                CPU.name: cpus[way],
                GAIN.name: walls[ALONE] / walls[way],
                ACCURACY.name: 100 * learner.evaluate(asked)["accuracy"],
                **likeness(brains[ALONE], learner, source.test.inputs),
            },
        )
    without_disturbed_times(findings)
    _cost(train, findings, start=not context.quick)
    return findings


def without_disturbed_times(findings: Findings) -> None:
    """Take wall times and what follows from them out, if others were at work on the machine.

    One process that had a core for itself took as much CPU time as wall time. If it did not, wall
    times tell who else was there, and a speed-up is the quotient of two accidents.
    """
    alone = findings.rows[ALONE]
    share = alone[CPU.name][0] / alone[WALL.name][0]
    if share >= UNDISTURBED:
        return
    for figures in findings.rows.values():
        figures.pop(WALL.name, None)
        figures.pop(GAIN.name, None)
    findings.notes.append(
        f"No wall time and no speed-up: others were at work on the machine, and one process had "
        f"{100 * share:.0f} % of a core. What was measured of them is dropped."
    )


def moved(source: LabelledSet, count: int, seed: int) -> LabelledSet:
    """Return ``count`` examples drawn from ``source``, each moved and noisy in its own way."""
    generator = make_generator(seed)
    rows = torch.randint(len(source), (count,), generator=generator)
    side = math.isqrt(WIDTH)
    images = source.inputs[rows].reshape(count, side, side)
    shifts = torch.randint(-MOVED, MOVED + 1, (count, 2), generator=generator)
    at = torch.arange(side)
    down, across = (at[None] - shifts[:, axis : axis + 1] for axis in (0, 1))
    inside = (down.clamp(0, side - 1) == down)[:, :, None] & (across.clamp(0, side - 1) == across)[
        :, None
    ]
    pick = torch.arange(count)[:, None, None]
    images = images[pick, down.clamp(0, side - 1)[:, :, None], across.clamp(0, side - 1)[:, None]]
    noise = NOISE * torch.randn(images.shape, generator=generator)
    inputs = (images * inside + noise).reshape(count, WIDTH)
    return LabelledSet(inputs, source.labels[rows], source.classes, source.name)


def likeness(one: PlasticBrain, other: PlasticBrain, x: Tensor) -> dict[str, float]:
    """Return how far the evidence of two brains differs, and how many of their answers agree."""
    mine, theirs = one.cortex.evidence(x), other.cortex.evidence(x)
    return {
        OFF.name: 100 * float((mine - theirs).abs().max() / mine.abs().max()),
        SAME.name: 100 * float((one.predict(x) == other.predict(x)).double().mean()),
    }


def projected(
    workers: int, *, examples: int, start: float, learn: float, merge: float
) -> tuple[float, float]:
    r"""Return the seconds that ``workers`` take, merging one by one, and merging in pairs.

    .. math:: T(N) = s + \frac{n\,c}{N} + N m, \qquad
              T'(N) = s + \frac{n\,c}{N} + \lceil \log_2 N \rceil\, m

    with :math:`s` the start of a worker, :math:`c` the cost of an example, and :math:`m` transfer
    and merge of a shard; one worker alone merges once.

    Examples
    --------
    >>> projected(4, examples=800, start=1.0, learn=0.5, merge=3.0)
    (113.0, 107.0)
    """
    alike = start + examples * learn / workers
    return alike + workers * merge, alike + max(1, math.ceil(math.log2(workers))) * merge


def _phases(train: LabelledSet) -> list[PhaseConfig]:
    return [PhaseConfig("digits", 1, BatchLoader(train, 64, seed=0))]


def _taught(train: LabelledSet, engine: Engine | None, count: int = 1) -> PlasticBrain:
    brain = PlasticBrain(WIDTH, memory_size=len(train))
    if engine is None:
        PlasticTrainer(brain, _phases(train)).train()
    else:
        ShardedTrainer(brain, _phases(train), shards=count, engine=engine).train()
    return brain


def _sharded(train: LabelledSet, count: int, engine: str, workers: int) -> PlasticBrain:
    with make_engine(engine, workers) as workshop:
        return _taught(train, workshop, count)


def _cpu_seconds() -> float:
    return sum(os.times()[:4])


def _clocked(call: Callable[[], object]) -> tuple[float, object]:
    started = time.process_time()
    result = call()
    return time.process_time() - started, result


def _cost(train: LabelledSet, findings: Findings, start: bool) -> None:
    """Take learning in shards apart, and project it to more workers than there are here."""
    brain = PlasticBrain(WIDTH)
    batches = list(BatchLoader(train, 64))[:32]
    work = Work(brain.kind, brain.config(), None, 0, batches, "plastic")
    count = sum(len(y) for _, y in batches)
    rounds = [_one_round(brain, work) for _ in range(3)]
    learn, transfer, merge = (min(values) for values in zip(*rounds, strict=True))
    learn /= count
    size = len(write_message(learn_shard(work)))
    began = _start_of_a_worker() if start else 0.0
    findings.add(
        "a shard",
        **{
            LEARN.name: 1000 * learn,
            TRANSFER.name: transfer,
            MERGE.name: merge,
            SIZE.name: size / 1e6,
        },
    )
    if not start:
        return
    findings.add("a shard", **{START.name: began})
    for workers in WORKERS:
        chain, tree = projected(
            workers, examples=PROJECTED, start=began, learn=learn, merge=transfer + merge
        )
        findings.add(
            f"projected, {workers:,} worker{'s' * (workers > 1)}",
            **{CHAIN.name: chain / 60, TREE.name: tree / 60},
        )


def _one_round(brain: PlasticBrain, work: Work) -> tuple[float, float, float]:
    def transferred(learned: object) -> Learned:
        returned: Learned = read_message(write_message(learned))
        return returned

    def merged(learned: Learned) -> None:
        branch = brain.branch()
        branch.import_state(learned.state)
        brain.merge(branch)

    learn, learned = _clocked(lambda: learn_shard(work))
    transfer, returned = _clocked(lambda: transferred(learned))
    assert isinstance(returned, Learned)
    return learn, transfer, _clocked(lambda: merged(returned))[0]


def _start_of_a_worker() -> float:
    """Return the CPU seconds that a worker takes until it could learn."""
    before = _cpu_seconds()
    with make_engine("processes", 1) as engine:
        list(engine.map(_nothing, [0]))
    return _cpu_seconds() - before


def _nothing(item: int) -> int:
    from plasticish import training  # what a worker that learns has loaded

    return item if training else -1
