"""Integrate-and-fire neurons against their closed forms, and the gradient that stands in."""

from __future__ import annotations

from math import ceil, exp, log, pi

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from plasticish.core import ConfigError
from plasticish.spiking.neurons import LIF, LIFParameters, LIFState, lif_sequence, lif_step
from plasticish.spiking.surrogate import SURROGATES, fire

REST = LIFState(torch.zeros(1, 1, dtype=torch.float64), torch.zeros(1, 1, dtype=torch.float64))


def smooth_step(u: Tensor, surrogate: str, slope: float) -> Tensor:
    """The function whose derivative the surrogate is, written from its definition."""
    if surrogate == "fast_sigmoid":
        return u / (1 + slope * u.abs())
    return 2 / (pi * slope) * torch.atan(pi * slope * u / 2)


@pytest.mark.parametrize("surrogate", list(SURROGATES))
@given(u=st.floats(-5, 5), slope=st.floats(0.5, 40))
def test_forward_is_a_step_and_backward_the_smooth_ones_derivative(
    surrogate: str, u: float, slope: float
) -> None:
    x = torch.tensor(u, dtype=torch.float64, requires_grad=True)
    spike = fire(x, surrogate, slope)
    assert float(spike.detach()) == (1.0 if u > 0 else 0.0)
    spike.backward()
    h = 1e-6
    ends = [
        smooth_step(torch.tensor(u + d, dtype=torch.float64), surrogate, slope) for d in (h, -h)
    ]
    assert x.grad is not None
    # Across the kink of |u| the central difference is off by the order of slope * h.
    assert float(x.grad) == pytest.approx(float(ends[0] - ends[1]) / (2 * h), abs=1e-4)


@pytest.mark.parametrize("dt", [0.1, 0.5, 1.0, 4.0])
def test_between_spikes_the_potential_is_the_closed_form_at_any_dt(dt: float) -> None:
    parameters = LIFParameters(tau_membrane=10.0)
    current, span = 0.9, 20.0
    currents = torch.full((1, round(span / dt), 1), current, dtype=torch.float64)
    start = LIFState(torch.full((1, 1), -0.4, dtype=torch.float64), REST.refractory)
    spikes, state = lif_sequence(currents, start, parameters, dt)
    expected = current + (-0.4 - current) * exp(-span / 10.0)
    assert not spikes.any()
    assert float(state.potential) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("current", [1.2, 1.5, 8.0])
@pytest.mark.parametrize("refractory", [0.0, 2.0, 2.5])
@pytest.mark.parametrize("dt", [0.25, 1.0])
def test_interspike_interval_under_constant_current(
    current: float, refractory: float, dt: float
) -> None:
    tau = 12.0
    parameters = LIFParameters(tau_membrane=tau, reset="zero", refractory=refractory)
    currents = torch.full((1, round(130 / dt), 1), current, dtype=torch.float64)
    spikes, _ = lif_sequence(currents, REST, parameters, dt)
    times = dt * (1 + spikes[0, :, 0].nonzero().flatten())
    first = ceil(tau * log(current / (current - 1)) / dt) * dt
    interval = ceil((refractory + tau * log(current / (current - 1))) / dt) * dt
    assert float(times[0]) == pytest.approx(first)
    assert len(times) > 4
    torch.testing.assert_close(times.diff(), torch.full_like(times.diff(), interval))


def test_rate_follows_the_f_i_curve_as_steps_shrink() -> None:
    tau, refractory, dt, span = 10.0, 2.0, 0.1, 100.0
    currents = torch.tensor([1.2, 2.0, 4.0], dtype=torch.float64)
    parameters = LIFParameters(tau_membrane=tau, reset="zero", refractory=refractory)
    drive = currents.expand(1, round(span / dt), 3)
    rest = LIFState(torch.zeros(1, 3).double(), torch.zeros(1, 3).double())
    count = lif_sequence(drive, rest, parameters, dt)[0].sum(1)[0]
    interval = refractory + tau * torch.log(currents / (currents - 1))
    # Every interval is up to dt too long, and the last one is not finished.
    assert (count <= span / interval + 1).all()
    assert (count >= span / (interval + dt) - 1).all()


def test_subtraction_keeps_the_overshoot_and_zero_does_not() -> None:
    current = torch.full((1, 1), 3.0).double()
    reached = 3.0 * (1 - exp(-0.5))
    for reset, left in (("subtract", reached - 1.0), ("zero", 0.0)):
        spikes, state = lif_step(current, REST, LIFParameters(tau_membrane=2.0, reset=reset), 1.0)
        assert float(spikes) == 1.0
        assert float(state.potential) == pytest.approx(left)


def test_threshold_itself_does_not_fire_and_scales_potential_and_current_alike() -> None:
    current = 1.7 * torch.rand(1, 200, 5, generator=torch.Generator().manual_seed(0)).double() * 2
    rest = LIFState(torch.zeros(1, 5).double(), torch.zeros(1, 5).double())
    one, _ = lif_sequence(current, rest, LIFParameters(threshold=1.0))
    four, _ = lif_sequence(4 * current, rest, LIFParameters(threshold=4.0))
    assert one.any()
    assert torch.equal(one, four)
    assert not lif_sequence(torch.ones(1, 500, 5).double(), rest, LIFParameters())[0].any()


def test_unequal_steps_are_those_steps() -> None:
    generator = torch.Generator().manual_seed(1)
    currents = 3 * torch.rand(2, 30, 4, generator=generator, dtype=torch.float64)
    dt = 0.1 + 3 * torch.rand(2, 30, generator=generator, dtype=torch.float64)
    parameters = LIFParameters(refractory=1.5)
    spikes, last = LIF(parameters)(currents, dt=dt)
    assert spikes.any()
    for row in range(2):
        state = LIFState(torch.zeros(1, 4).double(), torch.zeros(1, 4).double())
        for t in range(30):
            fired, state = lif_step(
                currents[row : row + 1, t], state, parameters, float(dt[row, t])
            )
            assert torch.equal(fired[0], spikes[row, t])
        torch.testing.assert_close(state.potential[0], last.potential[row])


def test_a_step_of_no_time_changes_nothing() -> None:
    state = LIFState(torch.full((1, 1), 0.3).double(), torch.full((1, 1), 0.0).double())
    spikes, after = lif_step(torch.full((1, 1), 9.0).double(), state, LIFParameters(), 0.0)
    assert float(spikes) == 0
    assert torch.equal(after.potential, state.potential)


@pytest.mark.parametrize("refractory", [0.0, 2.0])
@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_gradients_reach_early_currents_and_are_finite(reset: str, refractory: float) -> None:
    currents = torch.full((1, 12, 1), 0.6, requires_grad=True)
    parameters = LIFParameters(reset=reset, refractory=refractory)
    spikes, _ = LIF(parameters)(currents)
    spikes[:, -1].sum().backward()
    assert currents.grad is not None
    assert torch.isfinite(currents.grad).all()
    assert (currents.grad > 0).all()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tau_membrane", 0.0),
        ("tau_membrane", float("nan")),
        ("threshold", -1.0),
        ("slope", 0.0),
        ("refractory", -0.1),
        ("refractory", float("inf")),
        ("reset", "none"),
        ("surrogate", "box"),
    ],
)
def test_constants_out_of_range_are_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(ConfigError, match=field if field != "surrogate" else "surrogate gradient"):
        LIFParameters(**{field: value})  # type: ignore[arg-type]
