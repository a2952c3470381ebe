"""A device that exists, whatever was asked for."""

from __future__ import annotations

import pytest
import torch

from plasticish.core import ConfigError, resolve_device
from plasticish.memory import EpisodicMemoryBank


@pytest.fixture
def without_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.mark.parametrize("device", [None, "cpu", torch.device("cpu")])
def test_the_cpu_is_the_default(device: torch.device | str | None) -> None:
    assert resolve_device(device) == torch.device("cpu")


@pytest.mark.usefixtures("without_cuda")
@pytest.mark.parametrize("device", ["cuda", "cuda:1", torch.device("cuda", 0)])
def test_a_missing_cuda_becomes_the_cpu_with_a_warning(device: torch.device | str) -> None:
    with pytest.warns(UserWarning, match=r"device 'cuda.* sees no CUDA here: using the CPU"):
        assert resolve_device(device) == torch.device("cpu")


@pytest.mark.usefixtures("without_cuda")
def test_a_learner_for_cuda_works_on_a_laptop() -> None:
    with pytest.warns(UserWarning, match="using the CPU"):
        bank = EpisodicMemoryBank(2, device="cuda")
    bank.store([[1.0, 0.0]], [3])
    assert bank.predict([[1.0, 0.0]]).tolist() == [3]
    assert bank.config()["device"] == "cpu"


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(ConfigError, match="unknown device: got 'abacus', expected 'cpu', 'cuda'"):
        resolve_device("abacus")
