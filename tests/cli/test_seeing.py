"""Images are turned into the same features whoever looks at them."""

import pytest
import torch

from plasticish.cli import seeing
from plasticish.cli.output import Output
from plasticish.cli.sight import DigitSight
from plasticish.core import ProcessEngine, make_engine
from plasticish.core.messages import write_message
from plasticish.vision import FeatureCache, PretrainedEyes

COUNT, TOGETHER = 40, 16


@pytest.fixture
def images():
    return torch.randint(256, (COUNT, 3, 20, 20), generator=torch.manual_seed(0)).byte()


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(seeing, "AT_ONCE", TOGETHER)


def looked(sight, images, engine=None):
    looking = seeing.Looking(sight, Output(quiet=True), engine)
    return looking(images), looking.report()


def test_workers_see_what_this_process_sees(images, tmp_path):
    alone, report = looked(PretrainedEyes("efficientnet_lite0", image_size=32), images)
    assert report["images"] == COUNT
    assert report["from_cache"] is None
    cache = FeatureCache(tmp_path)
    eyes = PretrainedEyes("efficientnet_lite0", image_size=32, cache=cache)
    with make_engine("processes", 2) as engine:
        first, fresh = looked(eyes, images, engine)
        again, known = looked(eyes, images, engine)
    assert torch.equal(first, alone)
    assert torch.equal(again, alone)
    assert (fresh["from_cache"], known["from_cache"]) == (0, COUNT)
    assert torch.equal(looked(eyes, images)[0], alone)  # what they saw is in the cache of all
    assert cache.misses == 0


def test_digits_need_no_eyes(images):
    with make_engine("processes", 1) as engine:
        assert torch.equal(looked(DigitSight(), images, engine)[0], DigitSight()(images))


def test_a_part_travels_without_the_rest(images):
    eyes = PretrainedEyes("efficientnet_lite0", image_size=32)

    class Carried(ProcessEngine):
        def unordered(self, function, items, *, stop=None):
            self.sizes = [len(write_message(item)) for item in items]
            return super().unordered(function, items, stop=stop)

    with Carried(1) as engine:
        looked(eyes, images[:TOGETHER].repeat(3, 1, 1, 1), engine)
    assert len(engine.sizes) == 3
    assert max(engine.sizes) < 1.5 * images[:TOGETHER].numel()
