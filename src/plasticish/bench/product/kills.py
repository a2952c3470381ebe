"""What is left when a process is killed at any moment, and when the disk is full."""

from __future__ import annotations

from ..scenario import Context, Findings, Goal, Metric, UnavailableError, scenario
from ._faults import Harness, harness
from ._killing import Tally
from ._victims import VICTIMS

KILLS, KILLS_OF_COMMANDS, QUICK_KILLS = 50, 20, 3
POINTS_AT_MOST, POINTS_OF_COMMANDS, QUICK_POINTS = 12, 4, 4
TOGETHER = "all together"
QUICK = ("associative_cortex", "plastic_brain")

AT_RANDOM = Metric("kills at random", "", 0, None)
SAVING = Metric("in a save", "", 0, None)
REOPENED = Metric("reopened", "%", 1, tolerance=0.0)
LOST = Metric("acknowledged lost", "", 0, higher_is_better=False, tolerance=0.0)
SOUND = Metric("bit for bit", "%", 1, tolerance=0.0)
ENDED = Metric("ended the same", "%", 1, tolerance=0.0)
POINTS = Metric("points of a save", "", 0, None)
POINTS_SOUND = Metric("sound there", "%", 1, tolerance=0.0)
FULL = Metric("full disks", "", 0, None)
FULL_SOUND = Metric("sound then", "%", 1, tolerance=0.0)


@scenario(
    "product/kills",
    title="killed at any moment",
    question="Does anything that was acknowledged get lost when the process is killed?",
    protocol="""Each row is a learner that is saved after every step of a stream, a trainer that
    saves after every step, a conversation, or a command that is given again (or resumed) after
    each kill. Kills at random: SIGKILL at a moment drawn uniformly from a quarter of a whole run,
    50 of them (20 of the commands that load much), over as many runs as that takes; the next
    process opens the folder and goes on.
    In a save: the kill came while a checkpoint or a log was being written. Acknowledged: a save
    that returned, a turn that was shown. Bit for bit: the state in the folder is one that a run
    which was never killed has had at that place. Ended the same: of the runs that came to their
    end. Points of a save: from nothing, and from the middle of a run, the process is traced for
    three acknowledgements and killed before every single file operation in the kernel, and in the
    middle of every write, at most 12 points each (4 for the three commands that load much), drawn
    evenly from all (make faults tries every one); after each, the folder is opened, and a new
    process goes on to the next acknowledgement. Full disks: at the same places every operation
    that needs space fails
    (ENOSPC) from there on; sound is one error in words, everything acknowledged still there, and a
    new process that goes on when there is space.""",
    data="random clusters, words, lessons; the bundled digits and dialogues",
    metrics=[
        AT_RANDOM, SAVING, REOPENED, LOST, SOUND, ENDED, POINTS, POINTS_SOUND, FULL, FULL_SOUND,
    ],
    goals=[
        Goal(TOGETHER, LOST.name, "<=", 0.0),
        *(Goal(TOGETHER, one.name, ">=", 100.0)
          for one in (REOPENED, SOUND, ENDED, POINTS_SOUND, FULL_SOUND)),
    ],
    seeds=(0,),
)  # fmt: skip
def kills(context: Context) -> Findings:
    """Kill everything, again and again."""
    findings, whole = Findings(), [Tally() for _ in range(3)]
    with harness() as held:
        if reason := held.cannot_trace():
            raise UnavailableError(reason)
        for victim in QUICK if context.quick else VICTIMS:
            tallies = suffer(held, victim, context)
            findings.add(victim, **figures(*tallies))
            for total, tally in zip(whole, tallies, strict=True):
                total.add(tally)
            findings.notes += [
                f"{victim}: {trouble}" for one in tallies for trouble in one.troubles
            ]
    findings.add(TOGETHER, **figures(*whole))
    return findings


def suffer(held: Harness, victim: str, context: Context) -> tuple[Tally, Tally, Tally]:
    """Return the tallies of kills at random, of kills at every point, and of full disks."""
    heavy = victim in ("plasticish learn", "plasticish train", "plasticish raise")
    number, most = KILLS, POINTS_AT_MOST
    if heavy:
        number, most = KILLS_OF_COMMANDS, POINTS_OF_COMMANDS
    if context.quick:
        number, most = QUICK_KILLS, QUICK_POINTS
    random = held.suffer("random_kills", victim, kills=number, seed=context.seeds[0])
    points, full = Tally(), Tally()
    for middle in (False, True):
        points.add(held.suffer("every_kill", victim, middle=middle, most=most))
        full.add(held.suffer("full_disks", victim, middle=middle, most=most))
    return random, points, full


def figures(random: Tally, points: Tally, full: Tally) -> dict[str, float]:
    """Return a row."""
    return {
        AT_RANDOM.name: random.kills,
        SAVING.name: random.saving,
        REOPENED.name: share(random.reopened, random.kills),
        LOST.name: random.lost + points.lost + full.lost,
        SOUND.name: share(random.sound, random.kills),
        ENDED.name: share(random.identical, random.runs),
        POINTS.name: points.kills,
        POINTS_SOUND.name: share(points.kills - len(points.troubles), points.kills),
        FULL.name: full.kills,
        FULL_SOUND.name: share(full.kills - len(full.troubles), full.kills),
    }


def share(some: int, of: int) -> float:
    """Return a share in per cent; none of a few troubles can make it negative."""
    return 100.0 * max(some, 0) / of
