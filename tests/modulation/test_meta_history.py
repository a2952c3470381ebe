"""The bounded history: against brute force, and in no unit."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from plasticish.core import make_generator
from plasticish.modulation import MetaHistory
from plasticish.modulation.meta_history import FEATURES


def lived(rows, length=50, layers=2):
    """Let one life pass; rows are (performance, loss, activity…)."""
    history = MetaHistory(1, layers, length)
    for row in rows:
        features = history.append(row[None, 2:], row[None, 0], row[None, 1])
    return history, features


def noise(steps, channels=4, seed=0):
    return torch.randn(steps, channels, generator=make_generator(seed))


@settings(max_examples=20, deadline=None)
@given(steps=st.integers(1, 60), length=st.integers(2, 30))
def test_it_never_grows_beyond_its_length(steps, length):
    rows = noise(steps)
    history, features = lived(rows, length)
    assert history.values.shape == (1, 4, min(steps, length))
    torch.testing.assert_close(history.values[0].T, rows[-length:])
    assert features.shape == (1, 2, len(FEATURES))
    assert bool(torch.isfinite(features).all())


def test_scores_are_those_of_the_recent_mean_against_what_was_usual():
    rows = noise(80)
    _, features = lived(rows, 40)
    usual = rows[-40:-4]
    for name, channel, span in (("loss now", 1, 1), ("loss fast", 1, 4), ("loss slow", 1, 16)):
        gap = rows[-span:, channel].mean() - usual[:, channel].mean()
        z = gap * math.sqrt(span) / usual[:, channel].std(correction=0)
        got = features[0, 0, FEATURES.index(name)]
        torch.testing.assert_close(got, z.clamp(-5, 5) / 5)
    activity = features[0, 1, FEATURES.index("activity")]
    gap = (rows[-4:, 3].mean() - usual[:, 3].mean()) * 2 / usual[:, 3].std(correction=0)
    torch.testing.assert_close(activity, gap / 5)


@settings(max_examples=20, deadline=None)
@given(scale=st.floats(1e-3, 1e3), shift=st.floats(-10, 10), seed=st.integers(0, 99))
def test_features_have_no_unit(scale, shift, seed):
    rows = noise(60, seed=seed).double()
    other = rows * scale + shift * scale
    for one, two in zip(lived(rows)[1:], lived(other)[1:], strict=True):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-4)


def test_age_counts_from_the_last_surprise():
    rows = 0.1 * noise(100)
    rows[60:64, 1] += 5.0
    history, _ = lived(rows[:61])
    assert int(history.age) == 0
    history, _ = lived(rows)
    assert 20 <= int(history.age) <= 36


def test_good_news_are_no_surprise():
    rows = 0.1 * noise(100)
    rows[60:, 0] += 5.0
    rows[60:, 1] -= 5.0
    history, _ = lived(rows)
    assert int(history.age) == 100
    assert float(history.surprise) < 0


def test_a_quantity_that_never_varies_has_no_say():
    rows = 0.1 * noise(60)
    rows[:, 0] = 0.7
    shocked = rows.clone()
    shocked[-4:, 1] += 5.0
    assert float(lived(shocked)[0].surprise) > 3
    quiet, features = lived(torch.full((60, 4), 0.3))
    assert int(quiet.age) == 60
    assert float(features[0, 0, FEATURES.index("loss fast")]) == pytest.approx(0, abs=1e-3)


def test_lives_do_not_touch_each_other():
    both, alone = MetaHistory(2, 2, 20), MetaHistory(1, 2, 20)
    for one, other in zip(noise(30), 9 * noise(30, seed=1), strict=True):
        pair = torch.stack([one, other])
        together = both.append(pair[:, 2:], pair[:, 0], pair[:, 1])
        single = alone.append(one[None, 2:], one[None, 0], one[None, 1])
    torch.testing.assert_close(together[:1], single)
