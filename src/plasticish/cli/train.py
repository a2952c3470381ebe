"""``plasticish train``: a spiking network learns one task after another, with and without help."""

from __future__ import annotations

from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .options import JsonOption, QuietOption

__all__ = ["train"]


class TaskKind(StrEnum):
    """What is learned."""

    VISION = "vision"
    LLM = "llm"
    ROBOTICS = "robotics"


class VisionData(StrEnum):
    """What ``--task vision`` looks at."""

    DIGITS = "digits"
    FASHION = "fashion"


class StdpType(StrEnum):
    """The rules that :func:`plasticish.spiking.integrate_stdp_into_model` knows."""

    CLASSICAL = "classical"
    TRIPLET = "triplet"
    HOMEOSTATIC = "homeostatic"
    BCM = "bcm"


def train(
    task: Annotated[
        TaskKind, typer.Option(metavar="TASK", help="vision, llm or robotics.")
    ] = TaskKind.VISION,
    data: Annotated[
        VisionData,
        typer.Option(
            metavar="DATA", help="For vision: digits (bundled), or fashion (Fashion-MNIST)."
        ),
    ] = VisionData.DIGITS,
    epochs: Annotated[
        int | None,
        typer.Option(
            help="Passes over each task.  [dim]\\[default: as suits the task][/]",
            show_default=False,
        ),
    ] = None,
    continual_learning: Annotated[
        bool,
        typer.Option(
            "--continual-learning/--naive",
            help="Protect what was learned, or train the unprotected network only.",
        ),
    ] = True,
    consolidation_strength: Annotated[
        float, typer.Option(help="How firmly weights that matter are held (EWC); 0 is not at all.")
    ] = 1000.0,
    use_replay: Annotated[
        bool, typer.Option("--use-replay/--no-replay", help="Rehearse a few examples kept.")
    ] = True,
    replay_buffer_size: Annotated[
        int | None,
        typer.Option(
            help="Examples kept.  [dim]\\[default: 200 of the digits, else 1000][/]",
            show_default=False,
        ),
    ] = None,
    use_stdp: Annotated[
        bool,
        typer.Option("--use-stdp", help="Let synapses change by the timing of spikes as well."),
    ] = False,
    stdp_type: Annotated[
        StdpType,
        typer.Option(metavar="RULE", help="classical, triplet, homeostatic or bcm."),
    ] = StdpType.HOMEOSTATIC,
    stdp_learning_rate: Annotated[float, typer.Option(help="How fast they do.")] = 0.01,
    use_meta_plasticity: Annotated[
        bool,
        typer.Option(
            "--use-meta-plasticity", help="Learn how fast each layer may change, from how it goes."
        ),
    ] = False,
    meta_lr: Annotated[float, typer.Option(help="How fast that is learned.")] = 0.001,
    seed: Annotated[int, typer.Option(help="Of every random draw.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            help="The run folder to make.  [dim]\\[default: runs/train-TASK][/]",
            show_default=False,
        ),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(help="Go on with the run in this folder.", show_default=False),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the run that is in --out.")
    ] = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Train a spiking network on one task after another, and see what it forgets.

    Five pairs of handwritten digits; needs no data, and less than a minute:

        plasticish train

    The network is trained twice on the same batches: once with continual
    learning (weights that matter are held, a few old examples are rehearsed),
    once without. After each task both are asked about everything so far. At
    the end stands what each knew when it was new, and what it knows now.

    Other things to learn:

        plasticish train --task vision --data fashion
        plasticish train --task llm --epochs 3
        plasticish train --task robotics

    vision: five pairs of classes, always asked among all ten. llm: the next
    character of a dialogue, one topic after another. robotics: swing up a
    pendulum whose physics change from task to task, taught by an expert's
    demonstrations and scored by the return in the simulator, on every physics
    so far.

    Local plasticity can be switched on beside it:

        plasticish train --use-stdp --stdp-type triplet
        plasticish train --use-meta-plasticity --meta-lr 0.001

    The run folder holds config.json, metrics.json, accuracy_matrix.png,
    learning_curves.png and checkpoint/. Ctrl-C stops cleanly, and so goes on
    to the same result:

        plasticish train --resume runs/train-vision
    """
    from .output import Output
    from .train_config import TrainConfig
    from .training import begin, finish, take_up

    output = Output(json, quiet)
    config = TrainConfig(
        task.value, data.value, epochs, continual_learning, consolidation_strength, use_replay,
        replay_buffer_size, use_stdp, stdp_type.value, stdp_learning_rate, use_meta_plasticity,
        meta_lr, seed,
    )  # fmt: skip
    with ExitStack() as held:
        if resume is not None:
            finish(resume, take_up(resume, config), output)
        else:
            finish(*begin(config, out, held, force=force), output)
