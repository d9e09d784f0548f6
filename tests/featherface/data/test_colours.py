"""Colours by value: against the standard library's HSV, pixel by pixel."""

import colorsys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from featherface.data.augmentation import colours
from featherface.data.augmentation.colours import TURNS, Distortion, draw_distortion, recoloured
from featherface.data.augmentation.transforms import augmented, distort
from featherface.data.sample import PAD_COLOUR, Sample, resize


def rng(seed):
    return np.random.default_rng(seed)


def mixed():
    """Pixels of every kind: random, grey, two numbers equal, black, white, pure."""
    pixels = rng(0).integers(0, 256, (24, 24, 3)).astype(np.uint8)
    pixels[:3] = pixels[:3, :, :1]
    pixels[3:6, :, 2] = pixels[3:6, :, 1]
    pixels[6:9, :, 0] = pixels[6:9, :, 1]
    pixels[9, :8], pixels[9, 8:16] = 0, 255
    pixels[10, :3] = 255 * np.eye(3)
    return Image.fromarray(pixels)


def plain(picture, turn, saturation):
    """Return (H, W, 3) what HSV gives in fractions."""
    rows = np.asarray(picture).reshape(-1, 3) / 255
    found = []
    for red, green, blue in rows.tolist():
        hue, shade, value = colorsys.rgb_to_hsv(red, green, blue)
        changed = (hue + turn / TURNS) % 1, min(1.0, shade * saturation), value
        found.append(colorsys.hsv_to_rgb(*changed))
    return 255 * np.array(found).reshape(*picture.size[::-1], 3)


@pytest.mark.parametrize("saturation", [0.0, 0.5, 0.9, 1.0, 1.1, 1.5])
@pytest.mark.parametrize("turn", [-42, -25, -1, 0, 3, 25, 42])
def test_hue_and_saturation_are_those_of_hsv(turn, saturation, monkeypatch):
    monkeypatch.setattr(colours, "BLOCK", 100)  # several, the last one not full
    changed = np.asarray(recoloured(mixed(), turn, saturation)).astype(float)
    away = np.abs(changed - plain(mixed(), turn, saturation)).max()
    assert away <= (1.2501 if turn and saturation != 1.0 else 0.5001)
    assert (changed.max(axis=2) == np.asarray(mixed()).max(axis=2)).all()


def test_greys_have_no_hue_to_turn():
    grey = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16)).convert("RGB")
    assert recoloured(grey, 25, 1.5).tobytes() == grey.tobytes()


def slowly(pixel, one):
    """Return what ONE makes of a PIXEL that stays as colourful as it is: number by number."""
    for kind in ("shift", "factor"):
        given = {"shift": 0.0, "factor": 1.0, kind: getattr(one, kind)}
        pixel = [int(min(255, max(0, value * given["factor"] + given["shift"]))) for value in pixel]
    return pixel


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize(("shift", "factor"), [(0.0, 0.7), (-31.5, 1.0), (17.3, 1.45), (31, 0.5)])
def test_brightness_and_contrast_are_cut_to_whole_numbers_one_after_the_other(shift, factor, last):
    one = Distortion(shift=shift, factor=factor, contrast_last=last)
    changed = np.asarray(one.apply(mixed())).reshape(-1, 3).tolist()
    assert changed == [slowly(pixel, one) for pixel in np.asarray(mixed()).reshape(-1, 3).tolist()]


def test_contrast_comes_before_the_colours_or_after_them():
    picture = mixed()
    for last in (False, True):
        contrast = Distortion(factor=1.4)
        one = replace(contrast, contrast_last=last, turn=20, saturation=1.3)
        first = picture if last else contrast.apply(picture)
        wanted = recoloured(first, 20, 1.3)
        wanted = contrast.apply(wanted) if last else wanted
        assert one.apply(picture).tobytes() == wanted.tobytes()


def test_each_change_is_drawn_half_of_the_time_from_the_official_ranges():
    drawn = [draw_distortion(rng(seed)) for seed in range(2000)]
    for key, idle, low, high in (
        ("shift", 0.0, -32, 32),
        ("factor", 1.0, 0.5, 1.5),
        ("turn", 0, -25, 25),
        ("saturation", 1.0, 0.5, 1.5),
    ):
        values = [getattr(one, key) for one in drawn if getattr(one, key) != idle]
        assert 0.45 < len(values) / len(drawn) < 0.55
        assert low <= min(values) < low + 0.05 * (high - low)
        assert high - 0.05 * (high - low) < max(values) <= high
    assert 0.45 < np.mean([one.contrast_last for one in drawn]) < 0.55
    assert Distortion().apply(mixed()).tobytes() == mixed().tobytes()


def smooth(width, height):
    """A picture of slow gradients in all three numbers, one face in it."""
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    planes = [60 + 120 * x, 80 + 100 * y, 200 - 90 * x * y]
    box = np.array([[0.25 * width, 0.25 * height, 0.5 * width, 0.5 * height]], "f4")
    points = np.full((1, 10), np.nan, "f4")
    return Sample(Image.fromarray(np.stack(planes, -1).astype(np.uint8)), box, points)


def test_colours_after_the_resize_are_the_colours_before_it():
    large = smooth(320, 320)
    for seed in range(6):
        after = distort(resize(large, 64), rng(seed))
        before = resize(distort(large, rng(seed)), 64)
        away = np.asarray(after.picture).astype(int) - np.asarray(before.picture)
        assert np.abs(away).mean() < 1


@pytest.mark.parametrize(("width", "height"), [(320, 240), (240, 320), (300, 300), (40, 30)])
def test_large_pictures_are_made_small_before_their_colours_change(width, height, monkeypatch):
    sides = []
    drawn = Distortion.apply
    monkeypatch.setattr(
        Distortion, "apply", lambda one, picture: sides.append(picture.size) or drawn(one, picture)
    )
    sample = smooth(width, height)
    changed = augmented(sample, ("pad", "distort"), 64, rng(1))
    factor = 64 / max(width, height)
    assert sides == [(round(min(1, factor) * width), round(min(1, factor) * height))]
    assert changed.size == (64, 64)
    np.testing.assert_allclose(changed.boxes, sample.boxes * factor, rtol=0.02)
    if width != height:
        corner = np.asarray(changed.picture)[-1, -1]
        assert corner.tolist() == list(PAD_COLOUR)  # the filling's colour is never changed


def test_what_will_be_stretched_is_resized_once():
    sample = smooth(320, 160)
    changed = augmented(sample, ("mirror",), 64, rng(3))
    assert changed.size == (64, 64)
    expected = sample.boxes * np.array([64 / 320, 64 / 160] * 2)
    if not np.allclose(changed.boxes, expected, rtol=1e-5):
        expected[:, [0, 2]] = 64 - expected[:, [2, 0]]
    np.testing.assert_allclose(changed.boxes, expected, rtol=1e-5)
