"""A scripted learner has a known accuracy matrix; the report must say exactly that."""

import itertools
import json

import pytest
import torch

from plasticish.core import ConfigError, make_generator
from plasticish.data import LabelledSet, Source, class_splits, load_digits
from plasticish.evaluation import (
    NCM,
    SLDA,
    NaiveSoftmax,
    Spread,
    accuracy_on,
    class_orders,
    compare,
    run_stream,
)


def toy_source(classes=4, n=6):
    y = torch.arange(classes).repeat(n)
    x = torch.nn.functional.one_hot(y).float()
    names = tuple(f"c{i}" for i in range(classes))
    return Source(LabelledSet(x, y, names, "toy"), LabelledSet(x, y, names, "toy"), "toy")


class LastClassOnly:
    """Answers everything with the last label it was shown, and logs what happened to it."""

    def __init__(self):
        self.log, self.rows = [], []

    def learn(self, batch):
        self.log.append("learn")
        self.rows.append(batch[1])
        self.label = int(batch[1].max())
        return {}

    def predict(self, x):
        return torch.full((len(x),), self.label)

    def sleep(self):
        self.log.append("sleep")
        return {}


@pytest.mark.parametrize("ahead", [True, False])
def test_matrix_of_a_scripted_learner(ahead):
    report = run_stream(LastClassOnly(), class_splits(toy_source()), batch_size=100, ahead=ahead)
    assert report.accuracy_matrix == ((0.5, 0.0 if ahead else None), (0.0, 0.5))
    assert report.matrix()[1].tolist() == [0.0, 0.5]
    assert bool(report.matrix()[0, 1].isnan()) is not ahead
    assert report.average_accuracy == 0.25
    assert report.average_incremental_accuracy == pytest.approx((0.5 + 0.25) / 2)
    assert report.backward_transfer == -0.5
    assert report.forgetting == 0.5
    assert report.final_accuracy == 0.25
    assert report.examples == 24
    assert report.tasks == ("c0+c1", "c2+c3")


@pytest.mark.parametrize(
    ("when", "log"),
    [
        ("task", ["learn", "sleep"] * 2),
        ("end", ["learn", "learn", "sleep"]),
        (None, ["learn", "learn"]),
    ],
)
def test_sleeps_when_told(when, log):
    learner = LastClassOnly()
    run_stream(learner, class_splits(toy_source()), batch_size=100, sleep=when)
    assert learner.log == log


def test_one_pass_shows_every_row_once_and_epochs_repeat_it():
    for epochs in (1, 3):
        learner = LastClassOnly()
        report = run_stream(
            learner,
            class_splits(toy_source()),
            batch_size=5,
            generator=make_generator(0),
            epochs=epochs,
        )
        assert torch.bincount(torch.cat(learner.rows)).tolist() == [6 * epochs] * 4
        assert report.examples == 24 * epochs


def test_time_is_attributed_by_the_given_clock():
    ticks = itertools.count()
    report = run_stream(
        LastClassOnly(),
        class_splits(toy_source()),
        batch_size=6,
        clock=lambda: float(next(ticks)),
    )
    assert (report.seconds_learn, report.seconds_sleep, report.seconds_predict) == (4, 2, 3)


def test_a_single_task_has_no_forgetting():
    report = run_stream(NCM(), class_splits(toy_source(2)))
    assert (report.forgetting, report.backward_transfer, report.average_accuracy) == (0, 0, 1)


def test_reports_are_json():
    report = run_stream(NCM(), class_splits(toy_source()))
    assert json.loads(json.dumps(report.to_dict()))["accuracy_matrix"] == [[1.0, None], [1.0, 1.0]]
    result = compare({"ncm": lambda seed: NCM()}, toy_source(), seeds=[0])
    assert json.loads(json.dumps(result.to_dict()))["orders"] == [list(result.orders[0])]


@pytest.mark.parametrize("bad", [{"sleep": "never"}, {"epochs": 0}, {"batch_size": 0}])
def test_refuses_bad_settings(bad):
    with pytest.raises(ConfigError):
        run_stream(NCM(), class_splits(toy_source()), **bad)
    with pytest.raises(ConfigError, match="stream"):
        run_stream(NCM(), [])


def test_digits_reach_the_known_marks():
    result = compare(
        {
            "slda": lambda seed: SLDA(),
            "ncm": lambda seed: NCM(),
            "naive": lambda seed: NaiveSoftmax(),
        },
        lambda seed: load_digits(seed=seed),
        seeds=[0, 1],
    )
    assert 0.93 < result.spread("slda", "average_accuracy").mean < 0.98
    assert 0.87 < result.spread("ncm", "average_accuracy").mean < 0.94
    assert result.spread("naive", "average_accuracy").mean < 0.5
    assert result.spread("naive", "forgetting").mean > 0.5


def test_every_learner_of_a_seed_sees_the_same_stream():
    learners = []

    def build(seed):
        learners.append(LastClassOnly())
        return learners[-1]

    result = compare({"a": build, "b": build}, toy_source(), seeds=[3, 4], batch_size=4)
    one, other = (torch.cat(learner.rows) for learner in learners[:2])
    assert torch.equal(one, other)
    assert result.orders == class_orders(4, [3, 4])
    assert result.reports["a"][0].accuracy_matrix == result.reports["b"][0].accuracy_matrix


def test_orders_are_repeatable_permutations():
    orders = class_orders(10, range(5))
    assert orders == class_orders(10, range(5))
    assert len(set(orders)) == 5
    assert all(sorted(order) == list(range(10)) for order in orders)


def test_spread():
    assert Spread((0.9, 0.9, 0.9)).sd == pytest.approx(0)
    assert Spread((0.4,)).sd == 0
    assert str(Spread((0.0, 1.0))) == "0.5000 ± 0.7071"


def test_nothing_to_compare():
    with pytest.raises(ConfigError, match="compare"):
        compare({}, toy_source())


def test_accuracy_on():
    source = toy_source()
    ncm = NCM()
    ncm.learn((source.train.inputs, source.train.labels))
    assert accuracy_on(ncm, source.test) == 1.0
