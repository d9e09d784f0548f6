from dataclasses import replace

import numpy as np
import pytest

from featherface import errors
from featherface.data.augmentation.transforms import AUGMENTATIONS
from featherface.data.config import SyntheticConfig
from featherface.data.synthetic.dataset import draw
from featherface.data.widerface import open_split
from featherface.training.config.train import TrainConfig
from featherface.training.preview import CELL, PIPELINE, preview, sheet


@pytest.fixture(scope="module")
def split(tmp_path_factory):
    root = tmp_path_factory.mktemp("data") / "set"
    draw(root, SyntheticConfig(image_size=96, train_images=5, val_images=1, crowd=3))
    return open_split(root, "train")


def test_every_augmentation_is_shown_doing_something(split):
    rows = preview(split, TrainConfig(), tuple(AUGMENTATIONS), count=2)
    assert list(rows) == list(AUGMENTATIONS)
    idle = {name for name, pairs in rows.items() if not any(pair.changed for pair in pairs)}
    assert idle == {"pad"}  # the drawn pictures are squares already
    drawn = sheet(rows)
    assert drawn.width > 4 * CELL
    assert drawn.height > len(rows) * CELL


def test_many_pictures_go_on_below(split):
    few, many = (sheet(preview(split, TrainConfig(), ("mirror",), count=count)) for count in (4, 9))
    assert few.width == many.width
    assert 2.5 < many.height / few.height < 3


def test_the_same_seed_shows_the_same_and_another_something_else(split):
    names = ("crop", "mosaic")
    sheets = [
        sheet(preview(split, TrainConfig(), names, count=2, seed=seed)).tobytes()
        for seed in (0, 0, 1)
    ]
    assert sheets[0] == sheets[1] != sheets[2]


def test_the_pipeline_is_what_training_sees(split):
    config = TrainConfig(image_size=64, augmentations=("crop", "mirror"))
    (pair, *_) = preview(split, config, (PIPELINE,), count=1)[PIPELINE]
    assert pair.after.size == (64, 64)
    assert pair.before.size == (96, 96)


def test_an_unknown_name_and_a_split_without_faces_are_told(split):
    with pytest.raises(errors.UsageError, match="did you mean 'mosaic'"):
        preview(split, TrainConfig(), ("mosiac",))
    empty = tuple(i.keep(np.zeros(len(i.boxes), dtype=bool)) for i in split.images)
    nobody = replace(split, annotations=replace(split.annotations, images=empty))
    with pytest.raises(errors.DataError, match="nothing to show"):
        preview(nobody, TrainConfig(), ("crop",))
