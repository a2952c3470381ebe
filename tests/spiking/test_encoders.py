"""Codes of time: how many spikes, when, and by what chance."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from plasticish.core import CheckpointError, ConfigError, make_generator
from plasticish.spiking.encoders import (
    ENCODERS,
    DirectEncoder,
    RateEncoder,
    bernoulli_spikes,
    build_encoder,
    even_spikes,
    latency_spikes,
)


@given(x=st.floats(0, 1), steps=st.integers(1, 60))
def test_even_code_has_the_right_number_of_spikes_evenly_spaced(x: float, steps: int) -> None:
    spikes = even_spikes(torch.tensor([[x]], dtype=torch.float64), steps)[0, :, 0]
    assert set(spikes.tolist()) <= {0.0, 1.0}
    assert abs(float(spikes.sum()) - x * steps) <= 0.5 + 1e-9
    gaps = spikes.nonzero().flatten().diff()
    assert len(gaps) < 2 or int(gaps.max() - gaps.min()) <= 1


@given(x=st.floats(0, 1, exclude_min=True), steps=st.integers(1, 60))
def test_latency_is_one_spike_where_the_formula_says(x: float, steps: int) -> None:
    spikes = latency_spikes(torch.tensor([[x]], dtype=torch.float64), steps)[0, :, 0]
    due = (steps - 1) * (1 - x)
    assert float(spikes.sum()) == 1
    assert abs(int(spikes.argmax()) - due) <= 0.5 + 1e-9


def test_larger_values_spike_no_later_and_zero_never() -> None:
    x = torch.linspace(0, 1, 50).unsqueeze(0)
    spikes = latency_spikes(x, 20)[0]
    assert float(spikes[:, 0].sum()) == 0
    assert (spikes[:, 1:].argmax(0).diff() <= 0).all()


def test_bernoulli_spikes_have_mean_and_variance_of_a_coin() -> None:
    x = torch.tensor([[0.0, 0.1, 0.5, 1.0]], dtype=torch.float64)
    steps = 40_000
    spikes = bernoulli_spikes(x, steps, make_generator(3))[0]
    error = (x[0] * (1 - x[0]) / steps).sqrt()
    assert ((spikes.mean(0) - x[0]).abs() <= 5 * error).all()
    # Independent in time: neighbours do not know of each other.
    fair = spikes[:, 2] - 0.5
    assert abs(float((fair[1:] * fair[:-1]).mean())) < 5 * 0.25 / steps**0.5
    assert torch.equal(spikes, bernoulli_spikes(x, steps, make_generator(3))[0])


def test_rate_encoder_draws_in_training_alone_and_goes_on_from_its_state() -> None:
    x = torch.full((2, 3), 0.4)
    encoder = RateEncoder(30, seed=5)
    first, second = encoder(x), encoder(x)
    assert not torch.equal(first, second)
    resumed = RateEncoder(30, seed=5)
    resumed(x)
    saved = resumed.state_dict()
    other = RateEncoder(30, seed=6)
    other.load_state_dict(saved)
    assert torch.equal(other(x), second)
    encoder.eval()
    assert torch.equal(encoder(x), even_spikes(x, 30))
    assert encoder.draws == 2
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    RateEncoder(4)(x)
    assert torch.equal(torch.rand(1), expected)  # the global generator is not ours


def test_a_bad_state_is_refused() -> None:
    for bad in (torch.tensor(1), torch.tensor([1, -2]), torch.tensor([0.5, 0.5])):
        with pytest.raises(CheckpointError, match="state of the rate encoder"):
            RateEncoder(4).set_extra_state(bad)


@pytest.mark.parametrize("name", list(ENCODERS))
def test_every_encoder_has_the_shape_and_type_of_its_input(name: str) -> None:
    encoder = build_encoder(name, 7, seed=0)
    for dtype in (torch.float32, torch.float64):
        out = encoder(torch.rand(3, 5, dtype=dtype))
        assert out.shape == (3, 7, 5)
        assert out.dtype == dtype


def test_direct_code_passes_gradients() -> None:
    x = torch.randn(2, 3, requires_grad=True)
    DirectEncoder(4)(x).sum().backward()
    assert x.grad is not None
    assert (x.grad == 4).all()


def test_unknown_encoders_and_no_steps_are_refused() -> None:
    with pytest.raises(ConfigError, match="unknown encoder: got 'phase', expected one of: direct"):
        build_encoder("phase", 4, 0)
    with pytest.raises(ConfigError, match="steps is out of range: got 0"):
        build_encoder("rate", 0, 0)
