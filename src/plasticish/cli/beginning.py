"""From the options of ``learn`` to a configured run folder."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path
from typing import Any

from plasticish.core import CheckpointError, ConfigError, ShapeError, check_positive, make_engine
from plasticish.data import SOURCES, LoadOptions, Source, load_source
from plasticish.evaluation import accuracy_on
from plasticish.vision import PretrainedEyes

from .course import relabelled
from .opening import Mind, load_exam, open_mind
from .run_claim import claim, clear, refuse_taken
from .run_config import FILE, RunConfig
from .sight import DigitSight, make_sight
from .train_config import is_training

__all__ = ["LearnOptions", "begin", "load_for"]

# The report first, which says that all is there. The configuration stays until it is replaced: it
# says that the folder is ours, also to the command after one that was killed in between.
OURS = (
    "report.json",
    "report.png",
    "history.json",
    "checkpoint",
    "brain",
    "exam",
    "naive",
    "shards",
)


@dataclass(frozen=True)
class LearnOptions:
    """What ``plasticish learn`` was asked for; see its ``--help``."""

    source: str = "digits"
    out: Path | None = None
    brain: Path | None = None
    classes_per_task: int = 2
    epochs: int = 1
    eyes: str = "efficientnet_lite0"
    stages: str = "last"
    image_size: int | None = None
    cache: bool = True
    seed: int = 0
    batch_size: int = 64
    download: bool = False
    force: bool = False
    shards: int | None = None
    engine: str | None = None
    workers: int | None = None


def begin(options: LearnOptions, held: ExitStack) -> tuple[Path, RunConfig, Source]:
    """Check everything, make the run folder with its ``config.json``, and load the source.

    Nobody else can work in the folder until ``held`` is closed.

    Raises
    ------
    PlasticishError
        If anything is unusable; no folder was made then.
    """
    check_positive(
        classes_per_task=options.classes_per_task,
        epochs=options.epochs,
        batch_size=options.batch_size,
        shards=1 if options.shards is None else options.shards,
    )
    division = _division(options)
    spec = _absolute(options.source)
    folder = _folder(options, spec)
    mind = None if options.brain is None else open_mind(options.brain)
    if mind is not None and mind.run is not None and mind.run.resolve() == folder.resolve():
        raise ConfigError(
            "a brain cannot be taught on in its own folder",
            got=str(folder),
            cure="choose another --out; the brain you start from stays as it is",
        )
    eyes = _eyes(options, mind, spec)
    known = None if mind is None else mind.image_size
    size = known or (None if eyes is None else int(eyes["image_size"]))
    source = _load(spec, options.seed, size, options.download)
    if mind is None and not source.is_images:
        eyes = size = None  # features already
    elif mind is None and eyes is not None:
        size = int(source.train.inputs.shape[-1])  # CIFAR-10 comes at 32 pixels, whoever looks
    config = replace(_config(options, spec, mind, eyes, size, source), **division)
    held.enter_context(claim(folder))
    _refuse_taken(folder, force=options.force)  # by one that was quicker
    if options.force:
        clear(folder, OURS)
    config.save(folder)
    return folder, config, relabelled(source, config.classes)


def _division(options: LearnOptions) -> dict[str, Any]:
    """Return into how many shards the stream is cut and who learns them; refuse unknown engines."""
    if options.shards is None and options.engine is None and options.workers is None:
        return {}
    name = options.engine or ("sequential" if options.workers is None else "processes")
    engine = make_engine(name, options.workers)
    return {
        "shards": options.shards or engine.workers,
        "engine": name,
        "workers": options.workers,
    }


def load_for(config: RunConfig) -> Source:
    """Load the source of a run again, with the labels of its brain.

    Raises
    ------
    CheckpointError
        If its classes are no longer those that the run was begun with.
    """
    source = _load(config.source, config.seed, config.image_size, download=False)
    wanted = {config.classes[label] for label in config.order}
    if set(source.classes) != wanted:
        raise CheckpointError(
            f"{config.source} has changed since the run was begun",
            got=", ".join(source.classes),
            expected=", ".join(sorted(wanted)),
        )
    return relabelled(source, config.classes)


def _load(spec: str, seed: int, size: int | None, download: bool) -> Source:
    size = size or DigitSight.image_size
    return load_source(spec, LoadOptions(download=download, image_size=size, seed=seed))


def _absolute(spec: str) -> str:
    """Return the source with its path made absolute, so that it is found again from anywhere."""
    name, colon, argument = spec.partition(":")
    if argument:
        return f"{name}:{Path(argument).expanduser().resolve()}"
    if not colon and name not in SOURCES and Path(name).expanduser().is_dir():
        return f"folder:{Path(name).expanduser().resolve()}"
    return spec


def _folder(options: LearnOptions, spec: str) -> Path:
    if options.out is None:
        name, _, argument = spec.partition(":")
        base = Path("runs") / (Path(argument).name or name)
        numbered = (base.with_name(f"{base.name}-{i}") for i in count(2))
        return next(path for path in chain([base], numbered) if not path.exists())
    _refuse_taken(options.out, force=options.force)
    return options.out


def _refuse_taken(out: Path, *, force: bool) -> None:
    refuse_taken(out, _is_run, "plasticish resume", force=force)


def _is_run(folder: Path) -> bool:
    return (folder / FILE).exists() and not is_training(folder)


def _eyes(options: LearnOptions, mind: Mind | None, spec: str) -> dict[str, Any] | None:
    """Return the configuration of the eyes; none are made for 8×8 digits, which are features."""
    if mind is not None:
        _refuse_other_eyes(options, mind)
        return mind.eyes
    if spec.partition(":")[0] == "digits":
        return None
    stages = int(options.stages) if options.stages.isdigit() else options.stages
    return PretrainedEyes(options.eyes, stages, image_size=options.image_size).config()


def _refuse_other_eyes(options: LearnOptions, mind: Mind) -> None:
    own = mind.eyes or {}
    for key, given, default in (
        ("backbone", options.eyes, LearnOptions.eyes),
        ("stages", options.stages, LearnOptions.stages),
        ("image_size", options.image_size, LearnOptions.image_size),
    ):
        if given != default and str(given) != str(own.get(key)):
            raise ConfigError(
                "a brain that is taught on keeps its own eyes",
                got=f"{key} {given}",
                expected=f"{key} {own.get(key, 'of the 8x8 digits')}",
                cure="leave the option out, or teach a new brain",
            )


def _config(
    options: LearnOptions,
    spec: str,
    mind: Mind | None,
    eyes: dict[str, Any] | None,
    size: int | None,
    source: Source,
) -> RunConfig:
    sight = make_sight(eyes) if source.is_images else None
    width = sight.width if sight is not None else int(source.train.inputs.shape[1])
    old = () if mind is None else mind.classes
    if mind is not None and mind.brain.in_dim != width:
        raise ShapeError(
            f"the brain {options.brain} cannot see {spec}",
            got=f"features of width {width}",
            expected=f"width {mind.brain.in_dim}, as it was taught with",
            cure="teach it a source that goes through its own eyes, such as folder:PATH",
        )
    classes = (*old, *(name for name in source.classes if name not in old))
    exam = None if mind is None else load_exam(mind.run, classes)
    before = None if mind is None or exam is None else accuracy_on(mind.brain, exam)
    return RunConfig(
        source=spec,
        classes=classes,
        order=tuple(classes.index(name) for name in source.classes),
        classes_per_task=options.classes_per_task,
        epochs=options.epochs,
        batch_size=options.batch_size,
        seed=options.seed,
        width=width,
        eyes=eyes,
        image_size=size,
        cache=options.cache,
        parent=None if mind is None else str((mind.run or mind.path).resolve()),
        known_before=before,
    )
