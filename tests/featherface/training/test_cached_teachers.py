"""Teachers that look at each picture once, and what they said of it."""

import sqlite3
import threading
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from featherface import errors
from featherface.data.config import SyntheticConfig
from featherface.data.synthetic.dataset import draw
from featherface.data.widerface import open_split
from featherface.networks.detector import RawOutput, build
from featherface.training.config.distill import DistillConfig, Phase
from featherface.training.config.train import TrainConfig
from featherface.training.distillation import teacher_cache
from featherface.training.distillation.cached_teachers import CachedTeachers
from featherface.training.distillation.teacher_cache import TeacherCache, identity
from featherface.training.distillation.teacher_outputs import (
    TeacherOutput,
    attention_maps,
    decode,
    encode,
    from_columns,
)
from featherface.training.distillation.terms import Teacher, distill
from featherface.training.loading.batches import TrainingPictures, ordered
from featherface.training.loop import train
from featherface.training.optimization.precision import Precision
from featherface.variants.table import variant

MEAN = (104.0, 117.0, 123.0)
CONFIG = TrainConfig(epochs=3, batch_size=2, image_size=64, log_every=1, device="cpu", views=2)
LESSON = DistillConfig(teacher="v1", confidence=0.4)
CPU = torch.device("cpu")
FULL = Precision(CPU, "no")


@pytest.fixture(scope="module")
def split(tmp_path_factory):
    root = tmp_path_factory.mktemp("data") / "set"
    small = SyntheticConfig(image_size=64, train_images=4, val_images=1, largest_face=40, crowd=3)
    draw(root, small)
    return open_split(root, "train")


def model(seed):
    return build(variant("v3-nano"), seed=seed)


def go(split, folder, lesson=LESSON, config=CONFIG, teacher=1, **options):
    """Train; return the weights, the events, what was said, and the pictures the teacher saw."""
    taught, events, said = model(teacher), [], []
    looks = []
    taught.backbone.register_forward_pre_hook(lambda _, given: looks.append(len(given[0])))
    result = train(
        model(3),
        split,
        config,
        folder=folder / "run",
        teacher=Teacher(taught, "v1@1", lesson, cache_folder=folder / "answers"),
        on_event=events.append,
        on_message=said.append,
        **options,
    )
    return load_file(result.last), events, said, sum(looks)


def same(first, second):
    return first.keys() == second.keys() and all(
        torch.equal(first[name], second[name]) for name in first
    )


@pytest.fixture(scope="module")
def whole(split, tmp_path_factory):
    """What an undisturbed training gave, and its folder."""
    folder = tmp_path_factory.mktemp("whole")
    return (folder, *go(split, folder))


def answers_file(folder):
    (path,) = (folder / "answers").glob("*.sqlite")
    return path


def test_views_come_one_after_the_other_in_another_order_each_time(split):
    order = ordered(split, CONFIG)
    seen = []
    for epoch in range(4):
        order.epoch = epoch
        seen.append([key for batch in order for key in batch])
    assert [{view for view, _, _ in keys} for keys in seen] == [{0}, {1}, {0}, {1}]
    assert sorted(seen[0]) == sorted(seen[2])
    assert seen[0] != seen[2]
    pictures = TrainingPictures(split, CONFIG, MEAN, named=True)
    names = [[pictures[key].name for key in sorted(keys)] for keys in seen]
    assert names[0] == names[2]
    assert not set(names[0]) & set(names[1])


def test_a_name_stands_for_what_the_network_sees(split):
    def name(key=(0, 1, 64), mean=MEAN, **options):
        return TrainingPictures(split, replace(CONFIG, **options), mean, named=True)[key].name

    assert name() == name(epochs=9, lr=1, workers=2)
    others = [name((0, 1, 96)), name((1, 1, 64)), name((0, 2, 64)), name(mean=(1.0, 2.0, 3.0))]
    others += [name(seed=1), name(crop_scales=(0.5,)), name(augmentations=("pad",))]
    assert len({name(), *others}) == 8
    assert TrainingPictures(split, CONFIG, MEAN)[(0, 1, 64)].name == b""


def test_a_teacher_looks_once_at_each_view(split, tmp_path, whole):
    _, weights, events, said, looks = whole
    assert looks == 4 * 2
    assert said[-1].startswith("4 of 12 answers of the teacher were read back from")
    again, repeated, said, looks = go(split, whole[0])
    assert looks == 0
    assert said[-1].startswith("12 of 12")
    assert same(weights, again)
    assert [event["loss"] for event in events] == [event["loss"] for event in repeated]
    *_, looks = go(split, whole[0], teacher=2)
    assert looks == 4 * 2


LOSSES = {
    "all": "DELETE FROM answers",
    "half": "DELETE FROM answers WHERE rowid % 2",
    "none": "DELETE FROM answers WHERE 0",
}


@pytest.mark.parametrize("lost", LOSSES)
def test_a_stopped_training_goes_on_exactly_whatever_is_lost(split, tmp_path, whole, lost):
    calls = iter(range(100))
    with pytest.raises(errors.InterruptedRunError):
        go(split, tmp_path, should_stop=lambda: next(calls) >= 4)
    with closing(sqlite3.connect(answers_file(tmp_path))) as database, database:
        database.execute(LOSSES[lost])
    weights, *_ = go(split, tmp_path, resume=True)
    assert same(whole[1], weights)


def test_a_full_folder_changes_no_weight_and_is_told_once(split, tmp_path, whole):
    lesson = replace(LESSON, cache_gb=1e-9)
    weights, _, said, looks = go(split, tmp_path, lesson)
    assert same(whole[1], weights)
    assert looks == 4 * 3
    messages = [message for message in said if "distill.cache_gb allows" in message]
    assert len(messages) == 1
    assert "lower train.views" in messages[0]


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(teacher_cache, "MIN_FREE_BYTES", 2**62)
    cache = TeacherCache(tmp_path / "x.sqlite", 1e9)
    cache.write({b"a": teacher_output()})
    cache.flush()
    assert "nearly full" in cache.trouble
    assert cache.read([b"a"]) == {}


@pytest.mark.parametrize(
    ("lesson", "config", "wanted"),
    [
        (LESSON, replace(CONFIG, views=0), "with train.views=8 it would look"),
        (replace(LESSON, cache=False), CONFIG, ""),
        (replace(LESSON, cache=True), replace(CONFIG, views=0), "sees no picture twice alike"),
        (LESSON, CONFIG, "is kept in"),
        (replace(LESSON, feature_weight=1.0), CONFIG, "too large to keep"),
        (
            replace(LESSON, phases=(Phase(until=0.4, feature_weight=1.0), Phase(until=1))),
            CONFIG,
            "in 1 of 3 epochs its maps are compared",
        ),
    ],
)
def test_what_is_kept_is_said_before_training(split, tmp_path, lesson, config, wanted):
    calls = iter(range(9))
    said = []
    with pytest.raises(errors.InterruptedRunError):
        train(
            model(3),
            split,
            config,
            folder=tmp_path,
            teacher=Teacher(model(1), "v1@1", lesson),
            on_message=said.append,
            should_stop=lambda: next(calls) >= 0,
        )
    assert [wanted in message for message in said] == ([True] if wanted else [])
    assert (tmp_path / "answers").exists() == ("kept in" in wanted or "twice alike" in wanted)


def test_what_maps_are_strong_in_is_kept_too(split, tmp_path):
    lesson = replace(LESSON, attention_weight=1.0)
    config = replace(CONFIG, epochs=2, views=1)
    _, kept, _, looks = go(split, tmp_path, lesson, config)
    assert looks == 4
    _, fresh, _, looks = go(split, tmp_path / "fresh", replace(lesson, cache=False), config)
    assert looks == 8
    for part in ("teacher_attention", "teacher_soft", "teacher_box", "loss"):
        assert kept[0][part] == pytest.approx(fresh[0][part], rel=0.03)  # halves


def output(batch=2, priors=40, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return RawOutput(*(3 * torch.randn(batch, priors, n, generator=rng) for n in (4, 2, 10)))


def test_answers_teach_what_the_whole_output_teaches():
    student, teacher = output(seed=1), output()
    answers = encode(teacher, (), LESSON.confidence)
    exact = distill(student, teacher, LESSON, 7)
    kept = distill(student, decode(answers, CPU), LESSON, 7)
    assert [float(loss) for loss in kept] == pytest.approx(
        [float(loss) for loss in exact], rel=2e-3
    )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 3), st.sampled_from([0.0, 0.5, 0.99]))
def test_answers_come_back_from_bytes_as_they_were(seed, batch, confidence):
    teacher = output(batch, 30, seed)
    rows = [torch.rand(batch, cells) for cells in (8, 2)]
    before = encode(teacher, rows, confidence)
    after = [from_columns(teacher_output.columns()) for teacher_output in before]
    assert all(
        np.array_equal(a, b)
        for x, y in zip(before, after, strict=True)
        for a, b in zip(x, y, strict=True)
    )
    again = decode(after, CPU)
    sure = teacher.logits.softmax(-1)[..., 1] >= confidence
    assert again.boxes[sure].numpy() == pytest.approx(
        teacher.boxes[sure].numpy(), rel=6e-4, abs=1e-6
    )
    scores = [raw.logits.softmax(-1) for raw in (teacher, again)]
    assert (scores[0] - scores[1]).abs().max() < 5e-4
    for wanted, restored in zip(rows, attention_maps(after, (8, 2), CPU), strict=True):
        assert torch.allclose(wanted, restored, rtol=6e-4)


def test_a_teacher_that_is_beyond_all_bounds_is_still_a_number():
    huge = RawOutput(*(1e9 * part for part in output()))
    assert all(part.isfinite().all() for part in decode(encode(huge, (), 0.5), CPU))


def teacher_output(seed=0):
    return encode(output(1, 50, seed), (), 0.5)[0]


def equal(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_programs_may_write_at_once(tmp_path):
    known = {f"{number}".encode(): teacher_output(number) for number in range(40)}

    def write(part):
        cache = TeacherCache(tmp_path / "x.sqlite", 1e9)
        for name, output in part:
            cache.write({name: output})
            cache.flush()

    items = list(known.items())
    threads = [
        threading.Thread(target=write, args=(items[first : first + 25],)) for first in (0, 15)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outputs = TeacherCache(tmp_path / "x.sqlite", 1e9).read(list(known))
    assert outputs.keys() == known.keys()
    assert all(equal(outputs[name], known[name]) for name in known)


@pytest.mark.parametrize("damage", ["nonsense", "cut"])
def test_a_damaged_file_is_begun_anew(tmp_path, damage):
    path = tmp_path / "x.sqlite"
    cache = TeacherCache(path, 1e9)
    cache.write({str(number).encode(): teacher_output(number) for number in range(200)})
    cache.flush()
    content = path.read_bytes()
    path.write_bytes(b"nonsense" * 999 if damage == "nonsense" else content[: len(content) // 2])
    again = TeacherCache(path, 1e9)
    again.read([str(number).encode() for number in range(200)])
    again.write({b"new": teacher_output()})
    again.flush()
    assert again.trouble == ""
    assert equal(TeacherCache(path, 1e9).read([b"new"])[b"new"], teacher_output())


def test_what_stands_for_a_teacher_changes_with_its_weights():
    first, second = model(1), model(1)
    assert identity(first, 0.5) == identity(second, 0.5)
    assert identity(first, 0.5) != identity(first, 0.4)
    with torch.no_grad():
        next(second.parameters())[0, 0, 0, 0] += 1e-6
    assert identity(first, 0.5) != identity(second, 0.5)
    assert identity(first) != identity(build(variant("v1"), seed=1))


def test_a_picture_is_answered_the_same_in_any_batch(tmp_path):
    images = torch.randn(3, 3, 64, 64)
    taught = model(1).eval()
    alone = CachedTeachers([taught], LESSON, tmp_path / "a", FULL).outputs_of(
        0, images[1:2], [b"1"]
    )
    among = CachedTeachers([taught], LESSON, tmp_path / "b", FULL).outputs_of(
        0, images, [b"0", b"1", b"2"]
    )
    assert equal(alone[0], among[1])


def test_answers_of_another_device_or_precision_are_not_mixed(tmp_path):
    images, taught = torch.randn(2, 3, 64, 64), model(1).eval()
    with torch.no_grad():
        for value in taught.parameters():
            value.add_(0.3 * torch.randn(value.shape))  # so that it has something to say
    names, outputs = [b"0", b"1"], []
    for kind in (FULL, Precision(CPU, "bf16"), FULL):
        cached_teachers = CachedTeachers([taught], LESSON, tmp_path, kind)
        outputs.append(cached_teachers.outputs_of(0, images, names))
        cached_teachers.flush()
        assert cached_teachers.caches[0].path.stem.endswith(f"-{kind.name}")
    assert not equal(outputs[0][0], outputs[1][0])
    assert cached_teachers.hits == 2
    assert all(equal(first, second) for first, second in zip(outputs[0], outputs[2], strict=True))


def test_a_file_that_does_not_say_what_computed_it_is_told_and_left_alone(tmp_path):
    taught = model(1)
    assert CachedTeachers([taught], LESSON, tmp_path, FULL).ignored_files() == ""
    old = tmp_path / f"{identity(taught, LESSON.confidence, False)}.sqlite"
    old.write_bytes(b"of an earlier version")
    said = CachedTeachers([taught], LESSON, tmp_path, FULL).ignored_files()
    assert str(old) in said
    assert "cpu-fp32" in said
    assert old.read_bytes() == b"of an earlier version"


def test_an_answer_has_a_part_for_each_column():
    assert TeacherOutput._fields == tuple(teacher_cache.PARTS)


@pytest.mark.parametrize(("key", "value"), [("views", -1)])
def test_views_that_make_no_sense_name_the_key(key, value):
    with pytest.raises(errors.UsageError, match=rf"train\.{key}"):
        TrainConfig(**{key: value})


def test_room_that_makes_no_sense_names_the_key():
    with pytest.raises(errors.UsageError, match=r"distill\.cache_gb"):
        DistillConfig(cache_gb=0)
