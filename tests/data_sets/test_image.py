"""Every kind of image becomes the RGB bytes that a person would see."""

import io
import os
import struct
import zlib
from contextlib import suppress

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from plasticish.core import ConfigError, DataError, PlasticishError
from plasticish.data import image as image_module
from plasticish.data import read_image

loose = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None
)


def saved(path, image, **options):
    image.save(path, **options)
    return path


def colour(path, size=8):
    """The one colour of an even image."""
    pixels = read_image(path, size)
    assert pixels.shape == (3, size, size)
    assert pixels.dtype == torch.uint8
    colours = pixels.flatten(1).unique(dim=1)
    assert colours.shape == (3, 1)
    return colours[:, 0].tolist()


def test_an_image_of_the_right_size_is_untouched(tmp_path):
    raw = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    path = saved(tmp_path / "a.png", Image.fromarray(raw))
    assert np.array_equal(read_image(path, 8).permute(1, 2, 0).numpy(), raw)


@pytest.mark.parametrize(
    ("mode", "fill", "expected"),
    [
        ("RGB", (10, 20, 30), [10, 20, 30]),
        ("L", 77, [77] * 3),
        ("1", 1, [255] * 3),
        ("P", 3, [0, 128, 255]),
        ("RGBA", (200, 100, 0, 255), [200, 100, 0]),
        ("RGBA", (200, 100, 0, 0), [255] * 3),
        ("RGBA", (0, 0, 0, 51), [204] * 3),
        ("LA", (0, 255), [0] * 3),
        ("LA", (0, 0), [255] * 3),
        ("I;16", 65535, [255] * 3),
        ("I;16", 257 * 100, [100] * 3),
        ("I;16", 300, [1] * 3),
    ],
)
@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (30, 11), (1, 200)])
def test_modes_of_png(tmp_path, mode, fill, expected, shape):
    picture = Image.new(mode, shape, fill)
    if mode == "P":
        picture.putpalette([9, 9, 9] * 3 + [0, 128, 255])
    assert colour(saved(tmp_path / "a.png", picture)) == expected


def test_a_palette_with_transparency_shows_white_where_it_is_clear(tmp_path):
    picture = Image.new("P", (8, 8), 0)
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.paste(1, (0, 0, 4, 8))
    for name in ("a.png", "a.gif"):
        pixels = read_image(saved(tmp_path / name, picture, transparency=0), 8)
        assert pixels[:, 0, 0].tolist() == [0, 0, 255]
        assert pixels[:, 0, 7].tolist() == [255, 255, 255]


def test_other_formats(tmp_path):
    cmyk = saved(tmp_path / "a.tif", Image.new("CMYK", (9, 9), (255, 0, 0, 0)))
    assert colour(cmyk) == [0, 255, 255]
    red, green, blue = colour(saved(tmp_path / "b.jpg", Image.new("CMYK", (9, 9), (0, 255, 0, 0))))
    assert red > 250 and green < 5 and blue > 250  # noqa: PT018
    assert colour(saved(tmp_path / "c.bmp", Image.new("RGB", (9, 9), (1, 2, 3)))) == [1, 2, 3]
    assert colour(saved(tmp_path / "d.tif", Image.new("F", (9, 9), 0.2))) == [51] * 3
    assert colour(saved(tmp_path / "e.pgm", Image.new("I", (9, 9), 257 * 9))) == [9] * 3


def test_deep_values_beyond_16_bits_are_stretched(tmp_path):
    for dtype in (np.int32, np.float32):
        ramp = (np.arange(3)[None].repeat(3, 0) * 100_000 - 100_000).astype(dtype)
        pixels = read_image(saved(tmp_path / "a.tif", Image.fromarray(ramp)), 3)
        assert pixels[0, 1].tolist() == [0, 128, 255]


def test_pixels_that_are_no_numbers_are_refused(tmp_path):
    path = saved(tmp_path / "a.tif", Image.fromarray(np.full((3, 3), np.nan, np.float32)))
    with pytest.raises(DataError, match=r"a\.tif cannot be read as an image: got NaN or infinite"):
        read_image(path, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_of_the_camera_is_respected(tmp_path, orientation):
    upright = Image.new("RGB", (16, 16), "white")
    upright.paste((255, 0, 0), (0, 0, 8, 8))  # red: top left
    upright.paste((0, 0, 255), (8, 0, 16, 8))  # blue: top right
    turn = {  # how the camera stored it, so that the tag turns it back
        2: [Image.Transpose.FLIP_LEFT_RIGHT],
        3: [Image.Transpose.ROTATE_180],
        4: [Image.Transpose.FLIP_TOP_BOTTOM],
        5: [Image.Transpose.TRANSPOSE],
        6: [Image.Transpose.ROTATE_90],
        7: [Image.Transpose.TRANSVERSE],
        8: [Image.Transpose.ROTATE_270],
    }
    stored = upright
    for step in turn.get(orientation, []):
        stored = stored.transpose(step)
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = read_image(saved(tmp_path / "a.png", stored, exif=exif), 16)
    assert np.array_equal(pixels.permute(1, 2, 0).numpy(), np.asarray(upright))


def test_the_middle_square_is_taken_and_scaled_evenly(tmp_path):
    wide = Image.new("RGB", (60, 20), "black")
    wide.paste((255, 255, 255), (20, 0, 40, 20))
    assert colour(saved(tmp_path / "a.png", wide), 20) == [255] * 3
    ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[None].repeat(256, 0))
    row = read_image(saved(tmp_path / "b.png", ramp), 16)[0, 0].int()
    assert (row - (torch.arange(16) * 16 + 8)).abs().max() <= 2


def test_a_large_jpeg_decoded_at_a_fraction_looks_the_same(tmp_path):
    x = np.linspace(0, 4 * np.pi, 800)
    wave = (127 + 100 * np.sin(x)[:, None] * np.cos(x)[None]).astype(np.uint8)
    large = Image.fromarray(wave).convert("RGB")
    small = torch.from_numpy(np.array(large.resize((32, 32), Image.Resampling.BICUBIC)))
    pixels = read_image(saved(tmp_path / "a.jpg", large, quality=95), 32).permute(1, 2, 0)
    assert float((pixels.float() - small.float()).abs().mean()) < 3


def test_every_truncation_of_an_image_is_refused(tmp_path):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8))
    for kind in ("png", "jpeg", "bmp", "gif", "tiff", "webp"):
        stream = io.BytesIO()
        noise.save(stream, format=kind)
        whole = stream.getvalue()
        for share in (0.0, 0.01, 0.3, 0.8):
            path = tmp_path / f"a.{kind}"
            path.write_bytes(whole[: int(len(whole) * share)])
            with pytest.raises(DataError, match=rf"a\.{kind} cannot be read as an image: got "):
                read_image(path, 8)


def png(width, height, depth, kind, body):
    """A PNG put together by hand, so that it can be of kinds that Pillow does not write."""

    def chunk(name, data):
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = chunk(b"IHDR", struct.pack(">2I5B", width, height, depth, kind, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + data


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        (0, [257 * 40], [40] * 3),  # grey
        (2, [65535, 257 * 128, 0], [255, 128, 0]),  # red, green, blue
        (4, [0, 65535], [0] * 3),  # grey and alpha
        (6, [65535, 0, 0, 0], [255] * 3),  # red, and nothing of it to be seen
    ],
)
def test_16_bit_images_keep_their_brightness(tmp_path, kind, values, expected):
    (tmp_path / "a.png").write_bytes(
        png(1, 1, 16, kind, struct.pack(f">B{len(values)}H", 0, *values))
    )
    assert colour(tmp_path / "a.png") == expected


@pytest.mark.parametrize("side", [10_001, 14_000, 60_000])
def test_decompression_bombs_are_refused_before_unpacking(tmp_path, side):
    (tmp_path / "a.png").write_bytes(png(side, side, 8, 0, b"\0"))
    with pytest.raises(DataError, match="100000000"):
        read_image(tmp_path / "a.png", 8)


def test_what_is_no_file_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "eps.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    cases = {"none": "no such file", "pipe": "not a regular", "text": "no known", "eps": "no known"}
    for name, reason in cases.items():
        with pytest.raises(DataError, match=reason):
            read_image(tmp_path / f"{name}.png", 8)
    with pytest.raises(DataError, match="not a regular"):
        read_image(tmp_path, 8)
    with pytest.raises(ConfigError, match="image size"):
        read_image(tmp_path / "text.png", 0)


def test_broken_metadata_does_not_break_the_picture(tmp_path):
    picture = Image.new("RGB", (8, 8), (1, 2, 3))
    for exif in (b"Exif\0\0nonsense", b"Exif\0\0II*\0\xff\xff\xff\xff"):
        assert colour(saved(tmp_path / "a.png", picture, exif=exif)) == [1, 2, 3]


def seeds():
    picture = Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3))
    for kind in ("png", "jpeg", "bmp", "gif", "tiff", "webp", "ppm"):
        stream = io.BytesIO()
        picture.save(stream, format=kind)
        yield stream.getvalue()


@loose
@given(st.data())
def test_damaged_and_random_files_raise_nothing_but_our_errors(tmp_path, data):
    content = bytearray(data.draw(st.sampled_from([*seeds(), b""])))
    for _ in range(data.draw(st.integers(0, 6)) if content else 0):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "a").write_bytes(bytes(content) + data.draw(st.binary(max_size=40)))
    with suppress(PlasticishError):
        assert read_image(tmp_path / "a", 8).shape == (3, 8, 8)


def test_whatever_a_decoder_raises_becomes_our_error(tmp_path, monkeypatch):
    path = saved(tmp_path / "a.png", Image.new("L", (8, 8)))
    for error in (KeyError("x"), MemoryError(), RecursionError("deep")):

        def broken(image, size, error=error):
            raise error

        monkeypatch.setattr(image_module, "_middle_square", broken)
        with pytest.raises(DataError, match="cannot be read as an image"):
            read_image(path, 8)
