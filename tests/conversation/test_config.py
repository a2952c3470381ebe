"""The config: the seed's fields, their ranges, and the way through JSON."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, fields, replace

import pytest

from plasticish.conversation import PlasticLearnerConfig, Stage
from plasticish.core import ConfigError
from plasticish.modulation import AdenosineParameters

SEED = {
    "n_neurons": 14173,
    "vocab_size": 800,
    "initial_connectivity": 0.08,
    "plasticity_rate": 0.01,
    "teacher_api_url": "http://localhost:1234/v1/chat/completions",
}


def test_the_config_of_the_seed_is_taken():
    config = PlasticLearnerConfig(**SEED)
    assert config.max_synapses == 14173 * 1134 == 16_072_182
    defaults = PlasticLearnerConfig()
    assert config == replace(defaults, teacher_api_url=SEED["teacher_api_url"])
    assert defaults.teacher_api_url is None  # nobody is talked to without being asked


def test_it_goes_through_json():
    config = PlasticLearnerConfig(
        n_neurons=100, use_adenosine=False, adenosine=AdenosineParameters(tau_wake=7.0)
    )
    again = PlasticLearnerConfig.from_dict(json.loads(json.dumps(config.to_dict())))
    assert again == config
    assert again.adenosine.tau_wake == 7.0
    assert PlasticLearnerConfig.from_dict({}) == PlasticLearnerConfig()


def test_it_is_frozen():
    with pytest.raises(FrozenInstanceError):
        PlasticLearnerConfig().seed = 3  # type: ignore[misc]


def test_every_field_is_explained():
    for field in fields(PlasticLearnerConfig):
        assert field.name in (PlasticLearnerConfig.__doc__ or "")


def test_stages_follow_the_turns():
    config = PlasticLearnerConfig(first_words_turns=1, short_sentences_turns=2)
    assert [config.stage(turns) for turns in range(3)] == list(Stage)


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_neurons": 63},
        {"n_neurons": 65_537},
        {"vocab_size": 255},
        {"vocab_size": 65_537},
        {"initial_connectivity": 0.0},
        {"initial_connectivity": 1.1},
        {"plasticity_rate": float("nan")},
        {"value_rate": 2.0},
        {"teacher_api_url": "localhost"},
        {"teacher_timeout_s": 0.0},
        {"first_words_turns": 501},
        {"max_reply_tokens": 0},
        {"memory_dir": " "},
        {"teacher_language": ""},
        {"seed": -1},
    ],
)
def test_what_is_out_of_range_is_refused(wrong):
    for make in (
        lambda: PlasticLearnerConfig(**wrong),
        lambda: PlasticLearnerConfig.from_dict(wrong),
    ):
        with pytest.raises(ConfigError):
            make()


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_neurons": "many"},
        {"n_neurons": 100.0},
        {"use_dopamine": 1},
        {"memory_dir": 3},
        {"teacher_api_url": 5},
        {"teacher_model": 5},
        {"adenosine": 5},
        {"adenosine": {"tau_wake": "x"}},
        {"adenosine": {"tau_wake": -1}},
        {"adenosine": {"caffeine": 1}},
        {"neurons": 5},
    ],
)
def test_what_is_no_config_is_refused(wrong):
    with pytest.raises(ConfigError):
        PlasticLearnerConfig.from_dict(wrong)
