"""The scenario of speed checks before it times, and its parts are what they say."""

import math

import pytest
import torch

from plasticish.bench.scenario import Findings
from plasticish.bench.spike import _windows as windows
from plasticish.bench.spike import stdp_speed
from plasticish.core import DataError


def small():
    generator = torch.Generator().manual_seed(0)
    return [(torch.rand(2, 15, n, generator=generator) < 0.3).float() for n in (6, 5)]


def test_the_reference_is_the_sum_over_pairs_of_spikes():
    pre, post = small()
    rule = windows.RULE
    expected = 0.0
    for b in range(2):
        for s in pre[b, :, 1].nonzero().flatten().tolist():
            for t in post[b, :, 3].nonzero().flatten().tolist():
                if t > s:
                    expected += rule.a_plus * math.exp((s - t) / rule.tau_plus)
                elif t < s:
                    expected -= rule.a_minus * math.exp((t - s) / rule.tau_minus)
    assert windows.reference(pre, post, rule)[3, 1].item() == pytest.approx(expected, rel=1e-12)


def test_a_deviation_is_relative_and_takes_a_corner():
    expected = torch.tensor([[2.0, -4.0]], dtype=torch.float64)
    change = torch.tensor([[2.0, -3.9, 7.0], [1.0, 1.0, 1.0]])
    assert windows.deviation(change, expected) == pytest.approx(0.025, rel=1e-4)


def test_a_wrong_window_is_not_timed():
    findings = Findings()
    rows = {stdp_speed.OURS: lambda pre, post: lambda: windows.own_window(pre, post)() * 1.0001}
    with pytest.raises(DataError, match="our own window is wrong"):
        stdp_speed.add_deviations(findings, rows, *small())
    stdp_speed.add_deviations(findings, {stdp_speed.OURS: windows.own_window}, *small())
    assert findings.rows[stdp_speed.OURS][stdp_speed.DEVIATION][0] < 1e-3


def test_steps_and_windows_of_the_contenders_are_one_rule():
    pre, post = small()
    for whole, steps in (
        (windows.own_window(pre, post), windows.own_steps(pre, post)),
        (
            windows.reward_whole(pre, post, shared=True),
            windows.reward_steps(pre, post, shared=True),
        ),
        (
            windows.reward_whole(pre, post, shared=False),
            windows.reward_steps(pre, post, shared=False),
        ),
    ):
        torch.testing.assert_close(whole(), steps(), rtol=1e-4, atol=1e-5)


def test_ratios_are_over_the_faster_mode_and_only_over_who_is_here():
    findings = Findings()
    best = dict.fromkeys(stdp_speed.contenders(), 0.5)
    best |= {stdp_speed.LOOP: 2.0, windows.MULTI: 40.0, windows.SINGLE: 60.0}
    stdp_speed.add_ratios(findings, best)
    ours = findings.rows[stdp_speed.OURS]
    assert ours["x SpikingJelly"] == (80.0,)
    assert ours[stdp_speed.OVER_LOOP] == (4.0,)
    assert "x snnTorch" not in ours


def test_every_contender_runs_and_every_peer_is_there_or_named():
    pre, post = small()
    for prepare in stdp_speed.contenders().values():
        prepare(pre, post)()
    here, missing = windows.peers()
    assert len(here) + len(missing) == len(windows.PEERS)
