import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from featherface.data.images import (
    TooLargeError,
    decode_image,
    format_of,
    image_size,
    list_images,
    open_picture,
    read_image,
)
from featherface.errors import DataError, HeldError


def save(path, colour=(200, 100, 50), size=(40, 20), **options):
    Image.new("RGB", size, colour).save(path, **options)
    return path


def test_pixels_come_as_height_width_blue_green_red(tmp_path):
    pixels = read_image(save(tmp_path / "a.png"))
    assert pixels.shape == (20, 40, 3)
    assert pixels.dtype == np.uint8
    assert pixels[0, 0].tolist() == [50, 100, 200]
    assert pixels.flags.c_contiguous


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1"])
def test_every_pixel_format_becomes_three_channels(tmp_path, mode):
    path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    Image.new("RGB", (8, 6), (255, 255, 255)).convert(mode).save(path)
    assert read_image(path).shape == (6, 8, 3)


def test_pictures_are_turned_as_their_camera_noted(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save(tmp_path / "a.jpg", exif=exif)
    assert image_size(path) == (20, 40)
    assert read_image(path).shape == (40, 20, 3)


def held(monkeypatch, times):
    """Let opening a picture be refused so often, as Windows does while a scanner reads it."""
    opened, left = Image.open, [times]

    def refusing(path):
        if left[0]:
            left[0] -= 1
            raise PermissionError(13, "The process cannot access the file", str(path))
        return opened(path)

    monkeypatch.setattr(Image, "open", refusing)


def test_a_picture_that_is_held_for_a_moment_is_waited_for(tmp_path, monkeypatch):
    path = save(tmp_path / "a.png")
    held(monkeypatch, 5)
    assert read_image(path).shape == (20, 40, 3)


def test_a_picture_that_stays_held_is_not_called_damaged(tmp_path, monkeypatch):
    path = save(tmp_path / "a.png")
    held(monkeypatch, 10**6)
    with pytest.raises(HeldError, match=r"a\.png.*OneDrive"):
        read_image(path)


def test_a_truncated_jpeg_is_named(tmp_path):
    buffer = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(buffer, "JPEG")
    path = tmp_path / "cut.jpg"
    path.write_bytes(buffer.getvalue()[:1500])
    with pytest.raises(DataError, match=r"cut\.jpg") as caught:
        read_image(path)
    assert caught.value.hint


@pytest.mark.parametrize("content", [b"", b"no picture", b"\xff\xd8\xff"])
def test_what_is_no_picture_is_named(tmp_path, content):
    path = tmp_path / "fake.jpg"
    path.write_bytes(content)
    for read in (read_image, image_size):
        with pytest.raises(DataError, match=r"fake\.jpg"):
            read(path)


def test_a_missing_picture_is_named(tmp_path):
    with pytest.raises(DataError, match=r"no picture .*none\.jpg"):
        read_image(tmp_path / "none.jpg")


def test_pictures_are_listed_in_order_whatever_their_suffix_is_written_like(tmp_path):
    for name in ("b/2.JPG", "b/1.png", "a.jpeg", "b/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [path.name for path in list_images(tmp_path)] == ["a.jpeg", "1.png", "2.JPG"]


def deep_png(path, grey, colour_type):
    """Write GREY (H, W) of 16 bits as a PNG of the COLOUR_TYPE, with opaque or full channels."""
    channels = {0: 1, 4: 2, 2: 3, 6: 4}[colour_type]
    pixels = np.dstack([grey] * channels)
    lines = b"".join(b"\0" + line.astype(">u2").tobytes() for line in pixels)
    head = struct.pack(">IIBBBBB", grey.shape[1], grey.shape[0], 16, colour_type, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(lines)), (b"IEND", b"")]
    content = b"\x89PNG\r\n\x1a\n"
    for kind, data in parts:
        check = zlib.crc32(kind + data)
        content += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("colour_type", [0, 4, 2, 6], ids=["grey", "grey+alpha", "rgb", "rgba"])
def test_pictures_of_16_bits_look_as_they_are_and_not_white(tmp_path, colour_type):
    grey = np.linspace(0, 65535, 12).astype(np.uint16).reshape(3, 4)
    pixels = read_image(deep_png(tmp_path / "deep.png", grey, colour_type))
    for channel in range(3):
        assert pixels[..., channel].tolist() == (grey >> 8).tolist()


@pytest.mark.parametrize(
    ("mode", "name"), [("P", "a.png"), ("CMYK", "a.jpg"), ("1", "a.png"), ("L", "a.png")]
)
def test_palettes_print_colours_and_two_tones_look_as_they_are(tmp_path, mode, name):
    grey = Image.fromarray(np.repeat(np.array([[0, 255]], np.uint8), 8, axis=1).repeat(8, axis=0))
    grey.convert(mode).save(tmp_path / name, quality=100)
    pixels = read_image(tmp_path / name)
    assert (pixels[:, :8] < 12).all()
    assert (pixels[:, 8:] > 243).all()
    assert np.asarray(open_picture(tmp_path / name, coarse=8)).shape[2] == 3


def test_pixels_of_32_bits_are_refused_since_nobody_knows_what_is_white(tmp_path):
    Image.fromarray(np.full((4, 4), 0.5, np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(DataError, match="32 bits") as caught:
        read_image(tmp_path / "a.tif")
    assert caught.value.hint == "save it with 8 or 16 bits"


def test_a_picture_larger_than_is_read_is_told_as_such(tmp_path, monkeypatch):
    path = save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(TooLargeError, match="larger than"):
        image_size(path)


def encoded(kind, size=(40, 20), **options):
    file = io.BytesIO()
    Image.new("RGB", size, (200, 100, 50)).save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "WEBP"])
def test_bytes_are_decoded_as_their_file_would_be(tmp_path, kind):
    content = encoded(kind, exif=Image.Exif() if kind != "BMP" else None)
    assert format_of(content) == kind
    path = tmp_path / f"a.{kind.lower()}"
    path.write_bytes(content)
    np.testing.assert_array_equal(decode_image(content, "a", 1, 99), read_image(path))


def test_bytes_of_too_many_pixels_are_refused_by_their_header():
    content = encoded("PNG", (200, 100))
    header = content[:60]  # nothing of the pixels
    for megapixels, longest in ((0.01, 999), (1, 199)):
        with pytest.raises(TooLargeError, match=r"^mine has 200 x 100 pixels"):
            decode_image(header, "mine", megapixels, longest)


def test_bytes_that_are_damaged_or_of_another_kind_are_named():
    for content in (encoded("PNG")[:-30], b"\xff\xd8\xff" + bytes(99), encoded("GIF"), b""):
        with pytest.raises(DataError, match=r"^can't read mine: (?!.*BytesIO)"):
            decode_image(content, "mine", 1, 99)
    assert format_of(encoded("GIF")) is None
