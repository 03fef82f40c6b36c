"""decode_image: what becomes of every kind of image."""

import struct
import warnings
import zlib
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from trainables.datasets import decode_image


def encoded(image: Image.Image, file_format: str = "PNG", **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def noise(height: int = 16, width: int = 16) -> Image.Image:
    generator = np.random.default_rng(0)
    return Image.fromarray(generator.integers(0, 256, (height, width, 3), dtype=np.uint8))


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds no pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header
        + struct.pack(">I", zlib.crc32(header)) + struct.pack(">I", 10) + b"IDAT"
    )  # fmt: skip


def test_pixels_are_those_of_the_file() -> None:
    image = noise()
    pixels_HWC = decode_image(encoded(image), image_size=None, num_channels=3)
    assert pixels_HWC.dtype == np.uint8
    np.testing.assert_array_equal(pixels_HWC, np.asarray(image))


def test_the_result_can_be_written_to() -> None:
    pixels_HWC = decode_image(encoded(noise()), image_size=None, num_channels=3)
    assert pixels_HWC.flags.writeable


@pytest.mark.parametrize(("size", "expected"), [(4, (4, 4)), ((4, 6), (4, 6)), (None, (10, 20))])
def test_size(size: int | tuple[int, int] | None, expected: tuple[int, int]) -> None:
    data = encoded(noise(height=10, width=20))
    assert decode_image(data, image_size=size, num_channels=3).shape == (*expected, 3)


def test_shrinking_averages() -> None:
    """Fine stripes become grey; without antialiasing they would stay black or white."""
    stripes_HW = np.zeros((64, 64), np.uint8)
    stripes_HW[:, ::2] = 255
    data = encoded(Image.fromarray(stripes_HW))
    pixels_HWC = decode_image(data, image_size=8, num_channels=1)
    assert np.abs(pixels_HWC.astype(int) - 127).max() < 20


def test_grey_to_colour_repeats_the_channel() -> None:
    image = noise().convert("L")
    pixels_HWC = decode_image(encoded(image), image_size=None, num_channels=3)
    for channel in range(3):
        np.testing.assert_array_equal(pixels_HWC[:, :, channel], np.asarray(image))


def test_colour_to_grey_is_pillows() -> None:
    image = noise()
    pixels_HWC = decode_image(encoded(image), image_size=None, num_channels=1)
    np.testing.assert_array_equal(pixels_HWC[:, :, 0], np.asarray(image.convert("L")))


def test_16_bit_grey_keeps_its_range() -> None:
    values_HW = np.array([[0, 257, 32_896, 65_535]], np.uint16)
    pixels_HWC = decode_image(encoded(Image.fromarray(values_HW)), image_size=None, num_channels=1)
    assert pixels_HWC.ravel().tolist() == [0, 1, 128, 255]


@pytest.mark.parametrize(
    ("brightest", "darker", "expected"), [(4095, 2056, 128), (255, 127, 127), (4096, 2048, 8)]
)
def test_fewer_bits_of_grey_in_a_file_of_16_are_scaled_by_their_range(
    brightest: int, darker: int, expected: int
) -> None:
    values_HW = np.array([[0, darker, brightest]], np.uint16)
    pixels_HWC = decode_image(encoded(Image.fromarray(values_HW)), image_size=None, num_channels=1)
    top = 16 if brightest == 4096 else 255
    assert pixels_HWC.ravel().tolist() == [0, expected, top]


def test_16_bits_of_nothing_are_black() -> None:
    black = Image.fromarray(np.zeros((2, 2), np.uint16))
    assert not decode_image(encoded(black), image_size=None, num_channels=1).any()


def test_transparency_is_laid_on_white() -> None:
    image = Image.new("RGBA", (2, 1), (200, 0, 0, 0))
    image.putpixel((1, 0), (200, 0, 0, 255))
    pixels_HWC = decode_image(encoded(image), image_size=None, num_channels=3)
    assert pixels_HWC.tolist() == [[[255, 255, 255], [200, 0, 0]]]


def test_palette_with_transparency_is_laid_on_white() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    pixels_HWC = decode_image(encoded(image, transparency=0), image_size=None, num_channels=3)
    assert pixels_HWC.tolist() == [[[255, 255, 255], [40, 50, 60]]]


def test_palette_with_an_alpha_per_colour_warns_of_nothing() -> None:
    image = Image.new("P", (1, 1))
    image.putpalette([10, 20, 30])
    data = encoded(image, transparency=bytes([0]))
    assert decode_image(data, image_size=None, num_channels=3).tolist() == [[[255, 255, 255]]]


def test_grey_with_alpha_is_grey_on_white() -> None:
    image = Image.new("LA", (2, 1), (7, 0))
    image.putpixel((1, 0), (7, 255))
    pixels_HWC = decode_image(encoded(image), image_size=None, num_channels=1)
    assert pixels_HWC.ravel().tolist() == [255, 7]


def test_cmyk_becomes_rgb() -> None:
    data = encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG")
    red, green, blue = decode_image(data, image_size=None, num_channels=3)[4, 4].tolist()
    assert red > 180 > 100 > max(green, blue)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(orientation: int) -> None:
    """A camera stores what it saw turned; the stored images all show the same once upright."""
    upright = noise(height=6, width=4)
    stored = {
        1: upright,
        2: upright.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: upright.transpose(Image.Transpose.ROTATE_180),
        4: upright.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: upright.transpose(Image.Transpose.TRANSPOSE),
        6: upright.transpose(Image.Transpose.ROTATE_90),
        7: upright.transpose(Image.Transpose.TRANSVERSE),
        8: upright.transpose(Image.Transpose.ROTATE_270),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels_HWC = decode_image(encoded(stored, exif=exif), image_size=None, num_channels=3)
    np.testing.assert_array_equal(pixels_HWC, np.asarray(upright))


def test_of_several_frames_the_first() -> None:
    frames = [Image.new("L", (2, 2), value) for value in (0, 255)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert decode_image(data, image_size=None, num_channels=1).max() == 0


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "PPM"])
def test_truncated(file_format: str) -> None:
    data = encoded(noise(64, 64), file_format)
    assert decode_image(data, image_size=None, num_channels=3).shape == (64, 64, 3)
    with pytest.raises(ValueError, match=r"\w"):
        decode_image(data[: len(data) // 2], image_size=None, num_channels=3)


@pytest.mark.parametrize(
    ("width", "height", "reason"),
    [
        (10_000, 5_001, "more than 50 megapixels: 10,000 x 5,001"),
        (10_000, 10_000, "more than 50 megapixels"),  # where Pillow warns
        (60_000, 60_000, "more than 50 megapixels"),  # where Pillow refuses
    ],
)
def test_size_limit_is_read_from_the_header(width: int, height: int, reason: str) -> None:
    """The file holds no pixels: to decode them first would fail for another reason."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(ValueError, match=reason):
            decode_image(png_header(width, height), image_size=8, num_channels=3)
    assert not caught


def test_size_at_the_limit_is_decoded() -> None:
    with pytest.raises(ValueError, match="truncated"):
        decode_image(png_header(10_000, 5_000), image_size=8, num_channels=3)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"no image at all", "not an image in a format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image in a format"),
    ],
    ids=["empty", "text", "postscript, which Pillow would run a program for"],
)
def test_not_an_image(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        decode_image(data, image_size=None, num_channels=3)


def test_floating_point_pixels_are_refused() -> None:
    data = encoded(Image.new("F", (2, 2)), "TIFF")
    with pytest.raises(ValueError, match="floating-point"):
        decode_image(data, image_size=None, num_channels=1)
