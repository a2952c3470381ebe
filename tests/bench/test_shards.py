"""The scenario of learning scaled out: what it draws, what it drops, what it projects."""

from __future__ import annotations

import pytest
import torch

from plasticish.bench import Findings
from plasticish.bench.product.shards import ALONE, moved, projected, without_disturbed_times
from plasticish.data import LabelledSet


@pytest.mark.parametrize(("wall", "kept"), [(10.0, True), (12.4, True), (12.6, False)])
def test_disturbed_times_are_dropped_and_that_is_said(wall, kept):
    findings = Findings()
    for row in (ALONE, "2 workers"):
        findings.add(row, wall=wall, CPU=10.0, **{"speed-up": 1.5, "accuracy": 99.0})
    without_disturbed_times(findings)
    for figures in findings.rows.values():
        assert ("wall" in figures) == ("speed-up" in figures) == kept
        assert {"CPU", "accuracy"} <= figures.keys()
    assert len(findings.notes) == (not kept)


def test_the_best_number_of_workers_is_that_of_the_formula():
    costs = {"examples": 10_000, "start": 1.0, "learn": 0.01, "merge": 1.0}
    one_by_one = {n: projected(n, **costs)[0] for n in range(1, 50)}
    assert min(one_by_one, key=one_by_one.get) == 10  # the root of 10,000 * 0.01 / 1
    assert projected(8, **costs)[1] == pytest.approx(1 + 100 / 8 + 3)


def test_digits_move_by_a_pixel_at_most():
    image = torch.zeros(1, 8, 8)
    image[0, 3, 4] = 1.0
    digits = LabelledSet(image.reshape(1, 64), torch.tensor([0]), ("dot",), "dots")
    found = moved(digits, 200, seed=0)
    places = {divmod(int(row.argmax()), 8) for row in found.inputs}
    assert places == {(down, across) for down in (2, 3, 4) for across in (3, 4, 5)}
