"""A CIFAR-10 of a few coloured images, so that the examples run without any download."""

from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def tiny_cifar10(tmp_path, monkeypatch):
    """Twelve images a class in the official layout, each class a colour of its own."""
    folder = tmp_path / "data" / "cifar-10-batches-bin"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name, count in (("data_batch_1", 12), ("test_batch", 4)):
        labels = np.repeat(np.arange(10, dtype=np.uint8), count)
        pixels = rng.integers(0, 60, (len(labels), 3, 32, 32)).astype(np.uint8)
        pixels += (labels[:, None] * np.array([19, 7, 13]) % 190)[:, :, None, None].astype(np.uint8)
        rows = np.concatenate([labels[:, None], pixels.reshape(len(labels), -1)], axis=1)
        (folder / f"{name}.bin").write_bytes(rows.tobytes())
    monkeypatch.setenv("PLASTICISH_DATA", str(folder.parent))
    monkeypatch.setenv("PLASTICISH_CACHE", str(tmp_path / "cache"))
    monkeypatch.syspath_prepend(str(ROOT))
    return folder
