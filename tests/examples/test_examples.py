"""The example scripts run offline, and the loaders have every key that they use."""

import runpy
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
VEHICLES = (0, 1, 8, 9)


def test_loaders_have_every_key_and_give_floats():
    from examples.cifar10_utils import create_cifar10_loaders

    loaders = create_cifar10_loaders(batch_size=16, download=False)
    groups = ("vehicles", "animals", "mixed")
    wanted = {f"{part}_{group}" for part in ("train", "test") for group in groups}
    wanted |= {f"{p}storm_{g}" for p in ("", "test_") for g in ("vehicles", "animals")}
    assert set(loaders) == wanted
    for name, loader in loaders.items():
        images, labels = next(iter(loader))
        assert images.dtype == torch.float32, name
        assert 0 <= images.min() <= images.max() <= 1
        assert images.max() > 0.2  # in [0, 1], not divided twice
        vehicle = torch.isin(labels, torch.tensor(VEHICLES))
        assert "mixed" in name or bool((vehicle == ("vehicles" in name)).all())
    assert sum(len(y) for _, y in loaders["train_animals"]) == 72
    assert sum(len(y) for _, y in loaders["test_mixed"]) == 40


def test_storm_is_the_inverted_test_set():
    from examples.cifar10_utils import create_cifar10_loaders

    loaders = create_cifar10_loaders(batch_size=16, download=False, per_class=2)
    pairs = zip(loaders["test_vehicles"], loaders["test_storm_vehicles"], strict=True)
    for (clean, y), (storm, same) in pairs:
        assert torch.equal(y, same)
        assert torch.allclose(storm, 1 - clean)


def test_training_loaders_are_shuffled_anew_each_epoch():
    from examples.cifar10_utils import create_cifar10_loaders

    loader = create_cifar10_loaders(batch_size=120, download=False)["train_mixed"]
    (_, first), (_, second) = next(iter(loader)), next(iter(loader))
    assert not torch.equal(first, second)
    assert torch.equal(first.sort().values, second.sort().values)


@pytest.mark.parametrize(
    ("script", "figures"),
    [
        ("train_multilayer.py", {"results.png", "thought.png"}),
        ("train_cifar10.py", {"results.png", "weights.png"}),
    ],
)
def test_script_runs_offline(script, figures, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    arguments = ["--eyes", "efficientnet_lite0", "--quick", "--image-size", "32"]
    monkeypatch.setattr(sys, "argv", [script, *arguments, "--per-class", "6", "--out", str(out)])
    runpy.run_path(str(ROOT / "examples" / script), run_name="__main__")
    printed = capsys.readouterr().out
    assert all(name in printed for name in ("Vehicles", "Animals", "Storm"))
    assert {path.name for path in out.iterdir()} == figures
