"""Parameters come as an object, as the mapping of a checkpoint, or not at all."""

from __future__ import annotations

import math

import pytest

from plasticish.core import ConfigError, DTypeError
from plasticish.modulation import Adenosine, AdenosineParameters
from plasticish.modulation.parameters import as_parameters, check_share


def test_an_object_a_mapping_and_nothing_are_taken():
    mine = AdenosineParameters(tau_wake=3.0)
    assert as_parameters(AdenosineParameters, mine) is mine
    assert as_parameters(AdenosineParameters, {"tau_wake": 3.0}) == mine
    assert as_parameters(AdenosineParameters, None) == AdenosineParameters()
    assert Adenosine({"tau_wake": 3.0}).parameters == mine


def test_anything_else_is_refused():
    with pytest.raises(ConfigError, match="no such field: got 'tau'"):
        as_parameters(AdenosineParameters, {"tau": 1.0})
    with pytest.raises((DTypeError, TypeError), match=r"no parameters|given"):
        as_parameters(AdenosineParameters, 5)  # type: ignore[type-var]


@pytest.mark.parametrize("wrong", [-0.1, 1.1, math.nan, True, "0.5", None])
def test_a_share_is_a_number_between_its_bounds(wrong):
    with pytest.raises((ConfigError, TypeError), match="share"):
        check_share(share=wrong)
    check_share(share=0.0, other=1)
    check_share(2.0, math.inf, large=1e9)
