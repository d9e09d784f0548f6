from typing import NamedTuple

import pytest
import torch
from torch.nn import functional

from featherface.errors import UsageError
from featherface.networks.detector import build
from featherface.training.config.distill import DistillConfig
from featherface.training.distillation.terms import Teacher, distill, freeze, start_from
from featherface.variants.table import variant


class Raw(NamedTuple):
    boxes: torch.Tensor
    logits: torch.Tensor
    landmarks: torch.Tensor


def raw(count=40, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return Raw(*(torch.randn(2, count, width, generator=rng) for width in (4, 2, 10)))


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_a_student_that_equals_its_teacher_has_nothing_to_learn(temperature):
    config = DistillConfig(temperature=temperature)
    losses = distill(raw(), raw(), config, 7)
    assert [value.item() for value in losses] == pytest.approx([0, 0, 0], abs=1e-6)


def test_boxes_and_landmarks_count_only_where_the_teacher_is_sure():
    teacher = raw()
    teacher.logits[..., 1] = teacher.logits[..., 0] - 10
    teacher.logits[0, 3, 1] = teacher.logits[0, 3, 0] + 10
    student = raw(seed=1)
    losses = distill(student, teacher, DistillConfig(confidence=0.5), 7)
    expected = functional.smooth_l1_loss(student.boxes[0, 3], teacher.boxes[0, 3], reduction="sum")
    torch.testing.assert_close(losses.box, expected)
    none = distill(student, teacher, DistillConfig(confidence=1.0), 7)
    assert none.box.item() == none.landmark.item() == 0
    assert none.soft.item() > 0


def test_other_priors_are_refused_with_both_numbers():
    with pytest.raises(UsageError, match=r"teacher predicts 40 priors .* student 30"):
        distill(raw(30), raw(40), DistillConfig(), 7)


def test_the_student_starts_from_the_teachers_backbone():
    teacher, student = build(variant("v1"), seed=1), build(variant("v2"), seed=2)
    names = start_from(student, teacher)
    assert names
    assert all(name.startswith("backbone.") for name in names)
    own, given = student.state_dict(), teacher.state_dict()
    assert all(torch.equal(own[name], given[name]) for name in names)
    assert set(names) == {name for name in own if name.startswith("backbone.")}


def test_a_teacher_stays_as_it_is():
    teacher = Teacher(build(variant("v1"), seed=1), "v1@1")
    freeze(teacher)
    assert not teacher.model.training
    assert not any(value.requires_grad for value in teacher.model.parameters())


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"temperature": 0}, "distill.temperature"),
        ({"alpha": 1.5}, "distill.alpha"),
        ({"teacher": "v1", "teacher_weights": "x", "teacher_variant": "v1"}, "distill.teacher"),
        ({"teacher_weights": "x"}, "distill.teacher_variant"),
    ],
)
def test_configuration_faults_name_the_key(options, key):
    with pytest.raises(UsageError, match=key):
        DistillConfig(**options)
