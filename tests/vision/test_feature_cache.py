"""The cache gives back what was stored, bit for bit, or says that it does not know."""

import copy
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from plasticish.core import ConfigError, DataError, ShapeError
from plasticish.vision import FeatureCache
from plasticish.vision.image_keys import image_keys

WIDTH = 64
WRITER = """
import sys, torch
from plasticish.vision import FeatureCache
folder, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
cache = FeatureCache(folder)
print("ready", flush=True)
for step in range(count):
    keys = [f"{i}".encode().rjust(16) for i in range(step * 10, step * 10 + 10)]
    rows = torch.tensor([[float(k)] * 64 for k in keys])
    cache.store(keys, rows)
print("done", name, flush=True)
"""


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def rows(count: int, seed: int = 0) -> Tensor:
    return torch.randn(count, WIDTH, generator=torch.Generator().manual_seed(seed))


def names(*numbers: int) -> list[bytes]:
    return [str(number).encode().rjust(16) for number in numbers]


def writer(folder: Path, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(folder), name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_what_was_stored_comes_back_bit_for_bit_in_another_process_life(tmp_path: Path) -> None:
    stored = rows(1200)
    stored[0, :3] = torch.tensor([float("inf"), -0.0, 1e-42])  # exact, whatever it is
    first = FeatureCache(tmp_path)
    first.store(names(*range(1200)), stored)
    first.close()
    wanted = [5, 4000, 0, 1199]
    table, known = FeatureCache(tmp_path).lookup(names(*wanted), WIDTH)
    assert known.tolist() == [True, False, True, True]
    assert table[[0, 2, 3]].numpy().tobytes() == stored[[5, 0, 1199]].numpy().tobytes()
    assert not table[1].any()
    everything, known = first.lookup(names(*range(1200)), WIDTH)
    assert known.all()
    assert everything.numpy().tobytes() == stored.numpy().tobytes()
    assert (first.hits, first.misses, len(first)) == (1200, 0, 1200)


def test_a_known_key_keeps_its_first_value(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    cache.store(names(1), rows(1, seed=1))
    cache.store(names(1, 2), rows(2, seed=2))
    table, known = cache.lookup(names(1, 2), WIDTH)
    assert known.all()
    assert torch.equal(table, torch.stack((rows(1, seed=1)[0], rows(2, seed=2)[1])))


def test_least_recently_used_goes_first(tmp_path: Path) -> None:
    clock = Clock()
    cache = FeatureCache(tmp_path, max_bytes=400_000, clock=clock)
    wide = torch.zeros(100, 500)  # 200 kB
    cache.store(names(*range(100)), wide)
    clock.now += 100
    cache.store(names(*range(100, 150)), wide[:50])
    clock.now += 100
    cache.lookup(names(*range(20)), 500)  # the oldest, but used again
    clock.now += 100
    cache.store(names(*range(200, 250)), wide[:50])
    _, known = cache.lookup(names(*range(250)), 500)
    assert known[:20].all()
    assert known[100:150].all()
    assert known[200:250].all()
    assert not known[20:100].all()
    assert cache.used_bytes <= 400_000


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 40)), min_size=1, max_size=12),
    st.integers(30_000, 90_000),
)
def test_bounded_and_never_wrong(steps: list[tuple[int, int]], bound: int) -> None:
    truth = rows(100)
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        cache = FeatureCache(folder, max_bytes=bound, clock=clock)
        for start, count in steps:
            clock.now += 1
            cache.store(names(*range(start, start + count)), truth[start : start + count])
            assert cache.used_bytes <= bound
            assert cache.path.stat().st_size <= bound + 4 * WIDTH * 40 + 65_536
            table, known = cache.lookup(names(*range(100)), WIDTH)
            assert torch.equal(table[known], truth[known])
            assert int(known.sum()) == len(cache)
        cache.close()


def test_a_lowered_bound_shrinks_the_file(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    cache.store(names(*range(2000)), rows(2000))
    cache.close()
    before = cache.path.stat().st_size
    small = FeatureCache(tmp_path, max_bytes=100_000)
    small.store(names(9000), rows(1))
    small.close()
    assert before > 500_000
    assert small.path.stat().st_size <= 100_000
    assert small.lookup(names(9000), WIDTH)[1].all()


def test_a_damaged_entry_is_dropped_and_stored_again(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    cache.store(names(0, 1, 2, 3), rows(4))
    cache.close()
    content = bytearray(cache.path.read_bytes())
    place = content.find(rows(4)[2].numpy().tobytes())
    assert place > 0
    content[place + 7] ^= 4
    cache.path.write_bytes(content)
    with sqlite3.connect(cache.path) as connection:  # and a row that points to another's features
        connection.execute(
            "UPDATE feature SET data = (SELECT data FROM feature WHERE key = ?) WHERE key = ?",
            (*names(0), *names(3)),
        )
    connection.close()
    _, known = cache.lookup(names(0, 1, 2, 3), WIDTH)
    assert known.tolist() == [True, True, False, False]
    cache.store(names(2, 3), rows(4)[2:])
    table, known = cache.lookup(names(0, 1, 2, 3), WIDTH)
    assert known.all()
    assert torch.equal(table, rows(4))


def test_an_entry_of_another_width_is_not_handed_out(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    cache.store(names(0), rows(1))
    assert not cache.lookup(names(0), WIDTH // 2)[1].any()


@pytest.mark.parametrize("damage", ["garbage", "middle", "cut"])
def test_a_damaged_file_is_replaced_with_one_warning(tmp_path: Path, damage: str) -> None:
    cache = FeatureCache(tmp_path)
    cache.store(names(*range(500)), rows(500))
    cache.close()
    content = cache.path.read_bytes()
    if damage == "garbage":
        cache.path.write_bytes(b"not a database at all" * 100)
    elif damage == "middle":
        cache.path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    else:
        cache.path.write_bytes(content[: len(content) // 2])
    with pytest.warns(UserWarning, match="feature cache") as caught:
        table, known = cache.lookup(names(*range(500)), WIDTH)
    assert len(caught) == 1
    cache.store(names(*range(500)), rows(500))  # a second warning would be an error
    assert torch.equal(table[known], rows(500)[known])
    table, known = FeatureCache(tmp_path).lookup(names(*range(500)), WIDTH)
    assert known.all()
    assert torch.equal(table, rows(500))
    assert len(list(tmp_path.glob("*.sqlite"))) == 1


def test_a_full_disk_warns_once_and_what_is_kept_stays_readable(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    cache.store(names(0, 1), rows(2))
    cache._open().execute("PRAGMA max_page_count = 20")  # SQLite then reports a full disk
    with pytest.warns(UserWarning, match="full.*nothing more is kept"):
        cache.store(names(*range(2, 2000)), rows(1998))
    cache.store(names(*range(2, 2000)), rows(1998))  # a second warning would be an error
    table, known = cache.lookup(names(0, 1, 2), WIDTH)
    assert known.tolist() == [True, True, False]
    assert torch.equal(table[:2], rows(2))


def test_a_folder_that_cannot_be_made_warns_once_and_caches_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = FeatureCache(tmp_path / "file" / "cache")
    with pytest.warns(UserWarning, match="going on without it"):
        cache.store(names(0), rows(1))
    cache.clear()  # a second warning would be an error
    assert not cache.lookup(names(0), WIDTH)[1].any()
    assert len(cache) == 0


def test_two_processes_write_at_once_and_lose_nothing(tmp_path: Path) -> None:
    both = [writer(tmp_path, name, 40) for name in ("a", "b")]
    for process in both:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert "done" in out
        assert "Warning" not in err
    table, known = FeatureCache(tmp_path).lookup(names(*range(400)), WIDTH)
    assert known.all()
    assert torch.equal(table, torch.arange(400.0)[:, None].expand(-1, WIDTH))


def test_a_killed_writer_leaves_whole_entries_only(tmp_path: Path) -> None:
    process = writer(tmp_path, "a", 100_000)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    cache = FeatureCache(tmp_path)
    while len(cache) < 50:  # kill it in the middle of its work, not before
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    table, known = cache.lookup(names(*range(20_000)), WIDTH)
    count = int(known.sum())
    assert known[:count].all()
    assert count % 10 == 0
    assert torch.equal(table[:count], torch.arange(float(count))[:, None].expand(-1, WIDTH))
    cache.store(names(99_999), rows(1))  # and it can be written to at once
    assert cache.lookup(names(99_999), WIDTH)[1].all()


def test_clear_forgets_everything(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    cache.store(names(0, 1), rows(2))
    cache.clear()
    assert len(cache) == 0
    assert not cache.lookup(names(0, 1), WIDTH)[1].any()


def test_a_copy_is_another_view_of_the_same_file(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path, max_bytes=10_000_000)
    cache.store(names(0), rows(1))
    other = copy.deepcopy(cache)
    assert (other.folder, other.max_bytes, len(other)) == (cache.folder, cache.max_bytes, 1)


def test_nothing_to_look_up_or_store(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cache.store([], torch.empty(0, WIDTH))
        assert cache.lookup([], WIDTH)[0].shape == (0, WIDTH)


def test_where_it_lies_by_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PLASTICISH_CACHE", str(tmp_path / "own"))
    assert FeatureCache().folder == tmp_path / "own"
    monkeypatch.delenv("PLASTICISH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert FeatureCache().folder == tmp_path / "plasticish" / "features"
    assert not (tmp_path / "plasticish").exists()  # nothing is made before it is needed


@pytest.mark.parametrize("bound", [0, -1])
def test_a_bound_must_be_positive(bound: int, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="max_bytes is out of range"):
        FeatureCache(tmp_path, max_bytes=bound)


# ------------------------------------------------------------------------------- image keys


def test_the_key_is_of_the_pixels_not_of_their_type_or_place() -> None:
    images = torch.randint(0, 256, (6, 3, 5, 4), generator=torch.Generator().manual_seed(0)).byte()
    keys = image_keys(images, "eyes")
    assert len(set(keys)) == 6
    assert image_keys(images.flip(0), "eyes") == keys[::-1]
    assert image_keys(images / 255, "eyes") == keys
    assert image_keys((images / 255).to(memory_format=torch.channels_last), "eyes") == keys
    assert not set(image_keys(images, "others")) & set(keys)


def test_any_other_pixel_shape_or_channel_is_another_key() -> None:
    image = torch.full((1, 3, 4, 4), 0.3)
    nearly = image.clone()
    nearly[0, 2, 3, 3] = torch.nextafter(nearly[0, 2, 3, 3], torch.tensor(1.0))
    seen = [image, nearly, image[:, :1], image.reshape(1, 3, 2, 8), image.reshape(1, 3, 8, 2)]
    assert len({key for one in seen for key in image_keys(one, "eyes")}) == len(seen)


def test_images_pass_the_gate_before_they_get_a_key() -> None:
    bad = torch.rand(3, 3, 4, 4)
    bad[1, 0, 0, 0] = float("nan")
    with pytest.raises(DataError, match="NaN"):
        image_keys(bad, "eyes")
    with pytest.raises(ShapeError):
        image_keys(torch.rand(2, 4, 4, 4), "eyes")
