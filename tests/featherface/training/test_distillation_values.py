"""What each kind of distillation adds to a training, against loops, in double precision.

Weights have to agree to 1e-11 of the largest of a tensor: divergences are sums of differences of
logarithms, which lose a digit more than the ground truth's loss.
"""

import copy
from dataclasses import replace
from functools import partial

import pytest
import torch
from safetensors.torch import load_file
from stand_ins.plain_distillation import PlainDistillation, compared
from stand_ins.plain_losses import Raw
from stand_ins.plain_training import PlainAverage, PlainTraining, epochs_of
from stand_ins.tiny_detector import TinyDetector

from featherface.training.config.distill import DistillConfig, Phase
from featherface.training.config.train import TrainConfig
from featherface.training.distillation.temporal_ensemble import TemporalEnsemble
from featherface.training.distillation.terms import Teacher, distill
from featherface.training.loop import train

pytestmark = pytest.mark.usefixtures("_double")

CONFIG = TrainConfig(
    epochs=2,
    batch_size=2,
    image_size=64,
    lr=0.03,
    optimizer="sgd",
    weight_decay=0.1,
    warmup=0.3,
    clip=20.0,
    ema=0.5,
    negatives=2,
    log_every=1,
    device="cpu",
    augmentations=(),
    workers=0,
)
taught = partial(
    DistillConfig, teacher="t", cache=False, init_backbone=False, temperature=3.0, confidence=0.6
)
MAPS = {"feature_weight": 2.0, "attention_weight": 5.0, "cross_scale_weight": 3.0}
EARLIER = {"temporal_weight": 0.7, "temporal_decay": 0.75, "confidence": 0.45}
LESSONS = {
    "scores, boxes and landmarks": taught(
        alpha=0.3, soft_weight=1.5, box_weight=0.7, landmark_weight=0.4
    ),
    "a teacher alone": taught(alpha=1.0),
    "maps": taught(**MAPS),
    "given shares": taught(teachers=("u", "v"), teacher_shares=(1, 5, 2)),
    "equal shares": taught(teachers=("u",)),
    "learnt shares": taught(teachers=("u",), learn_shares=True, **MAPS),
    "itself": DistillConfig(self_weight=0.8, self_decay=0.6, temperature=2.0, confidence=0.5),
    "its teacher and itself": taught(self_weight=0.8, self_decay=0.05, alpha=0.6),
    "phases": taught(
        self_decay=0.6,
        phases=(
            Phase(until=0.5, alpha=0.9, temperature=6, feature_weight=1.0, soft_weight=0.5),
            Phase(until=1, self_weight=0.4),
        ),
    ),
    "its past": DistillConfig(**EARLIER, temperature=2.0),
    "from the disk": replace(taught(), cache=True),
    "the teacher's backbone": replace(taught(), init_backbone=True),
}
TRAININGS = {
    "its past": replace(CONFIG, views=1, epochs=3),
    "from the disk": replace(CONFIG, views=1),
}


def close(values, wanted):
    assert values.keys() == wanted.keys()
    for name, value in wanted.items():
        bound = 1e-11 * max(1.0, float(value.abs().max()))
        torch.testing.assert_close(values[name], value, rtol=0, atol=bound, msg=name)


def teachers_of(lesson):
    """Return networks that are sure of some faces, the second one wider than the student."""
    count = lesson.taught + len(lesson.teachers)
    made = [TinyDetector(seed, channels) for seed, channels in ((11, 4), (12, 8), (13, 4))][:count]
    for model in made:
        with torch.no_grad():
            model.heads.predict.weight.mul_(4)
    return [model.eval() for model in made]


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_is_its_plain_loop(small_split, tmp_path, name):
    lesson, config, split = LESSONS[name], TRAININGS.get(name, CONFIG), small_split.limit(4)
    student, teachers = TinyDetector(3), teachers_of(lesson)
    plain = PlainTraining(copy.deepcopy(student), config)
    if lesson.init_backbone and teachers:
        plain.model.backbone.load_state_dict(teachers[0].backbone.state_dict())
    objective = PlainDistillation(lesson, copy.deepcopy(teachers), cached=lesson.cache is True)
    if lesson.uses("self_weight"):
        objective.own = PlainAverage(plain.model, lesson.self_decay)
        plain.averages.append(objective.own)
    plain.objective, plain.beside = objective, objective.beside
    wanted = plain.run(epochs_of(split, config, student))

    events, (first, *others) = [], teachers or (None,)
    teacher = Teacher(first, "t@1", lesson, tuple(others))
    result = train(student, split, config, folder=tmp_path, teacher=teacher, on_event=events.append)
    close(student.state_dict(), plain.model.state_dict())
    close(load_file(result.last), plain.average.model.state_dict())
    steps = [event for event in events if event["kind"] == "step"]
    for step, expected in zip(steps, wanted, strict=True):
        assert {key: step[key] for key in expected} == pytest.approx(expected, rel=1e-9, abs=1e-12)
    parts = {part for step in wanted for part in step}
    assert len(parts) >= 8


def outputs(seed, pictures=2, count=40):
    chance = torch.Generator().manual_seed(seed)
    return Raw(*(2 * torch.randn(pictures, count, n, generator=chance) for n in (4, 2, 10)))


@pytest.mark.parametrize("temperature", [1.0, 2.5, 6.0])
@pytest.mark.parametrize("confidence", [0.0, 0.7, 1.0])
@pytest.mark.parametrize("negatives", [1, 3, 100])
def test_terms_are_loops_over_priors(temperature, confidence, negatives):
    """With gradients; where nobody is sure, each picture counts as one prior."""
    lesson = DistillConfig(temperature=temperature, confidence=confidence)
    teacher = outputs(1)
    pairs = [Raw(*(part.requires_grad_() for part in outputs(2))) for _ in range(2)]
    losses = distill(pairs[0], teacher, lesson, negatives)._asdict()
    wanted = compared(pairs[1], teacher, lesson, negatives)
    for name, value in wanted.items():
        assert losses[name].item() == pytest.approx(value.item(), rel=1e-11)
    sum(losses.values()).backward()
    sum(wanted.values()).backward()
    for own, plain in zip(*pairs, strict=True):
        torch.testing.assert_close(own.grad, plain.grad, rtol=1e-9, atol=1e-12)


def test_a_hot_divergence_has_the_size_of_squared_distances_of_logits():
    """With T², its limit is the variance of the differences over their number: (d1 - d0)² / 8."""
    teacher, student = outputs(1, 1), outputs(2, 1)
    lesson = DistillConfig(temperature=1e4, confidence=0.0)
    apart = teacher.logits - student.logits
    limit = ((apart[..., 1] - apart[..., 0]) ** 2 / 8).mean()
    # The next term is smaller by a logit / T, 1e-3; differences of logarithms lose 8 digits.
    assert distill(student, teacher, lesson, 1).soft.item() == pytest.approx(limit.item(), rel=3e-3)


def test_the_past_is_an_average_that_begins_with_the_first_output(tmp_path):
    """Of looks 8, 0, 4 with decay 3/4: 8, 6, 5.5; all are exact in half precision.

    No correction of a bias is needed, as an average of zeros would: its weights add up to 1.
    """
    past = TemporalEnsemble(tmp_path / "past.sqlite", 0.75, 0.5)
    shown = []
    for step, value in enumerate((8.0, 0.0, 4.0, 1.0)):
        past.since = past.step = step
        logits = torch.stack((torch.full((1, 3), -2.0), torch.full((1, 3), value - 2)), -1)
        part = Raw(torch.full((1, 3, 4), value), logits, torch.full((1, 3, 10), -value))
        shown.append(past.join(part, [b"picture"]))
        past.flush()
    for average, value in zip(shown, (8.0, 8.0, 6.0, 5.5), strict=True):
        difference = average.logits[..., 1] - average.logits[..., 0]
        assert difference.unique().tolist() == [value]
        assert average.boxes.unique().tolist() == [value]
        assert average.landmarks.unique().tolist() == [-value]


def test_phases_hold_from_epoch_to_epoch():
    """Four epochs: a phase until 0.5 holds in the first two, one until 0.6 in them alone too."""
    for until, first in ((0.5, 2), (0.6, 2), (0.65, 3), (0.25, 1), (0.1, 0)):
        lesson = DistillConfig(alpha=0.5, phases=(Phase(until=until, alpha=0.9), Phase(until=1)))
        alphas = [lesson.at(epoch, 4).alpha for epoch in range(4)]
        assert alphas == [0.9] * first + [0.5] * (4 - first)
