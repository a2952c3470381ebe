"""The few figures by which a reader meets the library: some of each habitat, with rivals beside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from plasticish.core import DataError

from .results import Result
from .table import cell

__all__ = ["HEADLINES", "Headline", "headline_table"]


@dataclass(frozen=True)
class Headline:
    """One figure of a stored result, and the same figure of others in the same run.

    Attributes
    ----------
    habitat : str
        What kind of learner it is about.
    figure : str
        What is measured, in words.
    scenario, row, metric : str
        Where the figure stands.
    rivals : mapping of str to str
        Rows beside it, by what to call them; the strongest first.
    """

    habitat: str
    figure: str
    scenario: str
    row: str
    metric: str
    rivals: Mapping[str, str]


HEADLINES = (
    Headline(
        "images",
        "digits two by two: accuracy on all after the last",
        "see/split-digits",
        "PlasticBrain",
        "ACC",
        {"RanPAC": "RanPAC 2000", "SLDA": "SLDA", "softmax": "naive softmax, raw, lr 0.1"},
    ),
    Headline(
        "images",
        "CIFAR-10 two by two, frozen eyes",
        "see/cifar10",
        "PlasticBrain, all stages",
        "ACC",
        {
            "SLDA": "SLDA, shrinkage 0.1, all stages",
            "all data at once": "joint logistic (all data at once), all stages",
        },
    ),
    Headline(
        "images",
        "examples learned a second, one at a time",
        "see/speed",
        "PlasticBrain",
        "one at a time",
        {
            "scikit-learn SGD": "scikit-learn SGDClassifier",
            "Avalanche SLDA": "Avalanche SLDA, train()",
        },
    ),
    Headline(
        "spikes",
        "pair STDP, 784 to 400 neurons",
        "spike/stdp-speed",
        "pair window",
        "784 to 400",
        {"BindsNET": "BindsNET", "Norse": "Norse", "SpikingJelly": "SpikingJelly, multi-step"},
    ),
    Headline(
        "any module",
        "digits two by two: forgotten",
        "continual/split-digits",
        "ours, class-incremental",
        "forgetting",
        {
            "Avalanche EWC+replay": "Avalanche EWC+Replay, class-incremental",
            "DER++": "DER++, class-incremental",
            "SGD": "naive, class-incremental",
        },
    ),
    Headline(
        "sequences",
        "surprise at held-out names, read once",
        "sequence/compare",
        "PlasticMemory",
        "nats",
        {
            "Kneser-Ney": "modified Kneser-Ney 5",
            "a transformer": "transformer (makemore's size)",
        },
    ),
    Headline(
        "conversation",
        "50,000 pairs taught once: answered in the very words, a word of the question left out",
        "talk/capacity",
        "Episodes, 50,000 pairs",
        "a word less, exact",
        {"TF-IDF, all pairs at hand": "TF-IDF neighbour, words, 50,000 pairs"},
    ),
    Headline(
        "conversation",
        "surprise at the next character of small talk, as it comes",
        "talk/listening",
        "Listener",
        "online",
        {"Kneser-Ney": "modified Kneser-Ney 6, online"},
    ),
)


def headline_table(results: Mapping[str, Result]) -> str:
    """Return the table as Markdown.

    Raises
    ------
    DataError
        If a result, row or metric is missing.
    """
    lines = ["| habitat | figure | plasticish | beside it | `plasticish bench` |",
             "| --- | --- | ---: | --- | --- |"]  # fmt: skip
    for line in HEADLINES:
        beside = "; ".join(
            f"{name} {_shown(results, line, row)}" for name, row in line.rivals.items()
        )
        ours = _shown(results, line, line.row)
        unit = _unit(results, line)
        lines.append(
            f"| {line.habitat} | {line.figure}{unit} | **{ours}** | {beside} | {line.scenario} |"
        )
    return "\n".join(lines)


def _shown(results: Mapping[str, Result], line: Headline, row: str) -> str:
    result = results.get(line.scenario)
    values = None if result is None else result.rows.get(row, {}).get(line.metric)
    if result is None or not values:
        raise DataError(
            f"the headline shows {line.scenario}, which lacks {row}: {line.metric}",
            cure=f"run: plasticish bench {line.scenario}",
        )
    (metric,) = (one for one in result.metrics if one.name == line.metric)
    return cell(values, metric)


def _unit(results: Mapping[str, Result], line: Headline) -> str:
    (metric,) = (one for one in results[line.scenario].metrics if one.name == line.metric)
    return f" ({metric.unit})" if metric.unit not in ("", "/s") else ""
