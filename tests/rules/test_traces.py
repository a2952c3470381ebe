"""Traces and sparse products against their definitions."""

import math

import pytest
import torch

from plasticish.core import ConfigError, DataError, DTypeError, ShapeError
from plasticish.rules import products
from plasticish.rules.events import event_product
from plasticish.rules.spike_checks import check_spikes
from plasticish.rules.stdp import STDPParameters
from plasticish.rules.traces import add_expected, decay, trace_end, trace_window

F64 = torch.float64


def train(*shape, density=0.3, seed=0, dtype=F64):
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(shape, generator=generator) < density).to(dtype)


def by_definition(events, start, factor, interaction, read_after):
    """The trace of one neuron from its events alone, with no recursion."""
    read = []
    for step in range(len(events)):
        seen = events[: step + 1] if read_after else events[:step]
        times = [t for t, event in enumerate(seen) if event != 0]
        if interaction == "nearest" and times:
            value = seen[times[-1]] * factor ** (step - times[-1])
        else:
            value = start * factor ** (step + 1)
            value += sum(seen[t] * factor ** (step - t) for t in times)
        read.append(value)
    return read


@pytest.mark.parametrize("interaction", ["all_to_all", "nearest"])
@pytest.mark.parametrize("read_after", [False, True])
def test_a_trace_is_the_decayed_sum_of_its_events(interaction, read_after):
    events, start = train(2, 25, 3), torch.rand(2, 3, dtype=F64)
    read, _ = trace_window(events, start, 0.8, interaction, read_after=read_after)
    for b in range(2):
        for n in range(3):
            expected = by_definition(
                events[b, :, n].tolist(), float(start[b, n]), 0.8, interaction, read_after
            )
            assert read[b, :, n].tolist() == pytest.approx(expected, rel=1e-12)


def test_a_trace_goes_on_where_the_last_window_left_it():
    events, start = train(2, 40, 3), torch.rand(2, 3, dtype=F64)
    whole, end = trace_window(events, start, 0.7)
    first, middle = trace_window(events[:, :15], start, 0.7)
    second, last = trace_window(events[:, 15:], middle, 0.7)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole, rtol=1e-13, atol=0)
    torch.testing.assert_close(last, end, rtol=1e-13, atol=0)
    torch.testing.assert_close(trace_end(events, start, 0.7), end, rtol=1e-13, atol=0)


@pytest.mark.parametrize("read_after", [False, True])
def test_expected_events_are_the_trace_of_the_reversed_train(read_after):
    events, into = train(2, 30, 3), torch.rand(2, 30, 3, dtype=F64)
    before = into.clone()
    first = add_expected(into, events, 0.9, size=2.0, read_after=read_after)
    rest = torch.zeros(2, 3, dtype=F64)
    backwards, end = trace_window(events.flip(1), rest, 0.9, read_after=read_after)
    torch.testing.assert_close(into - before, 2 * backwards.flip(1))
    torch.testing.assert_close(first, 2 * end)


def test_decay_does_not_depend_on_how_time_is_cut():
    assert decay(1.0, 20.0) ** 30 == pytest.approx(decay(30.0, 20.0), rel=1e-13)
    assert decay(20.0, 20.0) == pytest.approx(1 / math.e, rel=1e-15)


@pytest.mark.parametrize("dtype", [torch.float32, F64])
@pytest.mark.parametrize("shape", [(1, 1, 1), (130, 70, 3), (64, 5, 256), (200, 33, 300)])
def test_a_sum_over_events_is_the_product(shape, dtype):
    rows, p, q = shape
    spikes = train(rows, p, density=0.1, dtype=dtype)
    spikes = spikes * torch.linspace(-2, 2, p, dtype=dtype)  # graded and negative events
    values = torch.randn(rows, q, dtype=dtype, generator=torch.Generator().manual_seed(1))
    found = torch.from_numpy(event_product(spikes.numpy(), values.numpy()))
    assert found.dtype == dtype
    torch.testing.assert_close(found, spikes.T @ values, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("sparse_left", [True, False])
def test_a_large_product_is_the_same_by_events_and_densely(monkeypatch, sparse_left):
    spikes, values = train(4, 40, 60, density=0.05), torch.rand(4, 40, 50, dtype=F64)
    sides = (spikes, values) if sparse_left else (values, spikes)
    dense = products.spike_product(*sides)
    calls = []
    by_events = products._event_product
    monkeypatch.setattr(products, "WORTHWHILE", 0)
    monkeypatch.setattr(products, "_event_product", lambda s, v: calls.append(s) or by_events(s, v))
    torch.testing.assert_close(products.spike_product(*sides), dense, rtol=1e-12, atol=1e-12)
    assert len(calls) == 1
    assert calls[0].shape[1] == 60  # the events, not the values


def test_a_large_product_keeps_its_gradient(monkeypatch):
    monkeypatch.setattr(products, "WORTHWHILE", 0)
    spikes = train(2, 40, 6, density=0.01).requires_grad_()
    values = torch.rand(2, 40, 5, dtype=F64)
    products.spike_product(spikes, values).sum().backward()
    torch.testing.assert_close(spikes.grad, values.sum(-1, keepdim=True).expand(-1, -1, 6))


@pytest.mark.parametrize(
    ("pre", "post", "dt", "error", "text"),
    [
        (torch.zeros(2, 4), torch.zeros(2, 5, 3), 1.0, ShapeError, "number of axes"),
        (torch.zeros(2, 5, 4), torch.zeros(2, 6, 3), 1.0, ShapeError, "differ in batch or time"),
        (torch.zeros(1, 5, 4), torch.zeros(2, 5, 3), 1.0, ShapeError, "differ in batch or time"),
        (torch.zeros(2, 5, 4), torch.zeros(2, 5, 3, dtype=F64), 1.0, DTypeError, "differ in type"),
        (torch.zeros(2, 5, 4).int(), torch.zeros(2, 5, 3), 1.0, DTypeError, "wrong type"),
        (torch.zeros(2, 5, 4).bool(), torch.zeros(2, 5, 3), 1.0, DTypeError, r"spikes.float\(\)"),
        (torch.zeros(2, 0, 4), torch.zeros(2, 0, 3), 1.0, DataError, "empty"),
        (torch.full((2, 5, 4), torch.nan), torch.zeros(2, 5, 3), 1.0, DataError, "NaN"),
        (torch.zeros(2, 5, 4), torch.full((2, 5, 3), torch.inf), 1.0, DataError, "infinity"),
        (torch.zeros(2, 5, 4).to_sparse(), torch.zeros(2, 5, 3), 1.0, DTypeError, "sparse"),
        (torch.zeros(2, 5, 4), torch.zeros(2, 5, 3), 0.0, ConfigError, "dt is out of range"),
        (torch.zeros(2, 5, 4), torch.zeros(2, 5, 3), -1.0, ConfigError, "dt is out of range"),
        (torch.zeros(2, 5, 4), torch.zeros(2, 5, 3), torch.nan, ConfigError, "dt is out of range"),
    ],
)
def test_spikes_that_cannot_be_meant_are_refused(pre, post, dt, error, text):
    with pytest.raises(error, match=text):
        check_spikes(pre, post, axes=3, dt=dt)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ({"tau_plus": 0.0}, "tau_plus is out of range"),
        ({"tau_minus": -5.0}, "tau_minus is out of range"),
        ({"tau_minus": float("inf")}, "tau_minus is out of range"),
        ({"a_plus": float("inf")}, "a_plus is out of range"),
        ({"a_minus": float("nan")}, "a_minus is NaN"),
        ({"interaction": "closest"}, "unknown interaction"),
        ({"coincidence": "maybe"}, "unknown coincidence"),
        ({"w_min": 1.0, "w_max": 1.0}, "bounds of the weight are empty"),
    ],
)
def test_parameters_without_a_meaning_are_refused(field, text):
    with pytest.raises(ConfigError, match=text):
        STDPParameters(**field)
