"""Closed-form cells: the limits of their gate, and a sequence as steps."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from plasticish.core import ConfigError
from plasticish.spiking.cfc import CFC_MODES, CfC, cfc_update, lecun_tanh, pure_update


def parts(seed: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    f1, f2, t_a, t_b = torch.randn(4, 3, 5, generator=generator, dtype=torch.float64)
    return f1, f2, t_a, t_b


def test_the_equation_of_the_golden_table() -> None:
    f1, f2, t_a, t_b = parts()
    t = 0.7
    s = 1 / (1 + torch.exp(-(t_a * t + t_b)))
    expected = torch.tanh(f1) * (1 - s) + s * torch.tanh(f2)
    torch.testing.assert_close(cfc_update(torch.cat(parts(), -1), t), expected)
    torch.testing.assert_close(
        cfc_update(torch.cat(parts(), -1), t, "no_gate"), torch.tanh(f1) + s * torch.tanh(f2)
    )


def test_gate_at_no_time_and_after_forever() -> None:
    f1, f2, t_a, t_b = parts(1)
    features = torch.cat((f1, f2, t_a, t_b), -1)
    s0 = torch.sigmoid(t_b)
    torch.testing.assert_close(
        cfc_update(features, 0.0), (1 - s0) * torch.tanh(f1) + s0 * torch.tanh(f2)
    )
    late = torch.where(t_a > 0, torch.tanh(f2), torch.tanh(f1))
    torch.testing.assert_close(cfc_update(features, 1e9), late)


def test_pure_mode_starts_from_its_input_and_ends_at_a() -> None:
    f1, A, w_tau, _ = (part[0] for part in parts(2))
    torch.testing.assert_close(pure_update(f1, w_tau, A, 0.0), A * (1 - f1))
    torch.testing.assert_close(pure_update(f1, w_tau, A, 1e9), A)
    # The relaxation is exponential: two stretches of time multiply.
    one, two = (1 - pure_update(f1, w_tau, A, t) / A for t in (1.3, 2.6))
    torch.testing.assert_close(two * f1, one**2)


def test_lecun_activation_is_nearly_the_identity_at_one() -> None:
    x = torch.tensor([-1.0, 0.0, 1.0])
    torch.testing.assert_close(lecun_tanh(x), x, atol=1e-3, rtol=0)


@pytest.mark.parametrize("mode", CFC_MODES)
@pytest.mark.parametrize("layers", [1, 3])
def test_sequence_is_steps_whatever_the_times(mode: str, layers: int) -> None:
    torch.manual_seed(0)
    cells = CfC(3, 6, mode=mode, backbone_units=7, backbone_layers=layers).double()
    x = torch.randn(4, 9, 3, dtype=torch.float64)
    spans = torch.rand(4, 9, dtype=torch.float64) + 0.1
    whole, last = cells(x, timespans=spans)
    state = None
    for t in range(9):
        one, state = cells(x[:, t : t + 1], state, spans[:, t : t + 1])
        torch.testing.assert_close(one[:, 0], whole[:, t], atol=1e-12, rtol=0)
    torch.testing.assert_close(state, last)
    regular, _ = cells(x)
    torch.testing.assert_close(regular, cells(x, timespans=torch.ones(4, 9).double())[0])
    assert not torch.allclose(regular, whole)


def test_a_cell_is_the_equation_with_its_own_weights() -> None:
    torch.manual_seed(0)
    cells = CfC(2, 3, backbone_units=4).double()
    x, h = torch.randn(1, 2).double(), torch.randn(1, 3).double()
    W = torch.cat([cells.inputs.weight, cells.recurrent.weight], 1)
    b = 1.7159 * torch.tanh(0.666 * (torch.cat([x, h], 1) @ W.T + cells.inputs.bias))
    f1, f2, t_a, t_b = (b @ cells.gates.weight.T + cells.gates.bias).split(3, dim=1)
    s = torch.sigmoid(t_a * 0.5 + t_b)
    expected = torch.tanh(f1) * (1 - s) + s * torch.tanh(f2)
    got = cells(x[:, None], h, torch.full((1, 1), 0.5).double())[1]
    torch.testing.assert_close(got, expected)


@pytest.mark.parametrize("mode", CFC_MODES)
def test_gradients_stay_finite_over_a_long_sequence(mode: str) -> None:
    torch.manual_seed(0)
    cells = CfC(2, 5, mode=mode)
    x = torch.randn(2, 200, 2, requires_grad=True)
    cells(x)[1].sum().backward()
    for tensor in (x, *cells.parameters()):
        assert tensor.grad is not None
        assert torch.isfinite(tensor.grad).all()


def test_bad_sizes_and_modes_are_refused() -> None:
    with pytest.raises(ConfigError, match="units is out of range: got 0"):
        CfC(2, 0)
    with pytest.raises(ConfigError, match="unknown mode: got 'fast'"):
        CfC(2, 3, mode="fast")
