"""The same photograph is found in another split, whatever was done to its file."""

import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from featherface.data.config import SyntheticConfig
from featherface.data.synthetic.dataset import draw
from featherface.data.widerface import open_split
from featherface.data_quality.near_duplicates import find_pairs, hash_picture, near


@pytest.fixture(scope="module")
def small_set(tmp_path_factory):
    """Draw a few small pictures."""
    root = tmp_path_factory.mktemp("synthetic") / "set"
    draw(root, SyntheticConfig(image_size=96, train_images=3, val_images=5))
    return root


@pytest.fixture
def leaky(small_set, tmp_path):
    """Two splits; the second holds a picture of the first, smaller, brighter and compressed."""
    folder = small_set / "WIDER_val" / "images"
    names = sorted(path.relative_to(folder) for path in folder.rglob("*.jpg"))
    for split, chosen in (("train", names[:3]), ("val", names[3:])):
        lines = []
        for place, name in enumerate(chosen):
            target = tmp_path / f"WIDER_{split}" / "images" / "0--A" / f"{split}{place}.jpg"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((folder / name).read_bytes())
            lines.append(f"0--A/{target.name}\n1\n1 1 9 9 0 0 0 0 0 0\n")
        if split == "val":
            copy = target.with_name("copy.jpg")
            picture = Image.open(folder / names[1]).resize((60, 60))
            ImageEnhance.Brightness(picture).enhance(1.2).save(copy, quality=40)
            lines.append("0--A/copy.jpg\n1\n1 1 9 9 0 0 0 0 0 0\n")
        (tmp_path / f"wider_face_{split}_bbx_gt.txt").write_text("".join(lines), encoding="utf-8")
    return tmp_path


def test_a_copy_is_found_and_nothing_else(leaky):
    pairs = find_pairs(open_split(leaky, "train"), open_split(leaky, "val"))
    assert [(pair.first, pair.second) for pair in pairs] == [("0--A/train1.jpg", "0--A/copy.jpg")]


def test_one_finds_nothing_among_other_scenes(small_set):
    train, val = (open_split(small_set, name) for name in ("train", "val"))
    assert find_pairs(train, val) == []
    itself = find_pairs(val, val)
    assert [(pair.first, pair.distance) for pair in itself if pair.first == pair.second] == [
        (image.path, 0) for image in sorted(val.images, key=lambda one: one.path)
    ]


def test_flat_pictures_are_like_nothing(tmp_path):
    for value in (100, 101):
        Image.new("RGB", (40, 40), (value,) * 3).save(tmp_path / f"{value}.png")
    looks = [hash_picture(tmp_path / f"{value}.png") for value in (100, 101)]
    assert near(looks, looks) == []
    assert near([], looks) == []


def test_the_hash_is_what_it_says(tmp_path):
    ramp = np.tile(np.arange(0, 252, 28, dtype=np.uint8), (9, 1))
    stream = io.BytesIO()
    Image.fromarray(ramp).save(stream, format="png")
    (tmp_path / "ramp.png").write_bytes(stream.getvalue())
    assert hash_picture(tmp_path / "ramp.png").bits.tolist() == [2**64 - 1, 0]
