"""A teacher that another engine computes."""

from __future__ import annotations

import pytest
import torch

from featherface.engines.pytorch import PyTorchEngine
from featherface.errors import UsageError
from featherface.training.config.distill import DistillConfig
from featherface.training.distillation.cached_teachers import CachedTeachers
from featherface.training.distillation.engine_teacher import EngineTeacher
from featherface.training.distillation.terms import distill, start_from
from featherface.training.optimization.precision import Precision
from featherface.validation.case import VariantCase, pictures
from featherface.variants.table import variant

NETWORK = "v3-nano"


@pytest.fixture(scope="module")
def model():
    return VariantCase(NETWORK, variant(NETWORK)).stirred()


def test_its_outputs_teach_as_the_networks_own_do(model):
    teacher, images = EngineTeacher(model, PyTorchEngine(model)), pictures(2, 64, 64)
    with torch.no_grad():
        wanted, given = model(images), teacher(images)
    for temperature in (1.0, 2.0, 5.0):
        softened = [(each.logits / temperature).softmax(-1) for each in (given, wanted)]
        torch.testing.assert_close(*softened, atol=1e-6, rtol=1e-4)
    student = model(pictures(2, 64, 64, seed=1))
    losses = [distill(student, each, DistillConfig(teacher="v1"), 7) for each in (given, wanted)]
    for one, other in zip(*losses, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_a_certain_face_has_finite_logits(model):
    class Certain(PyTorchEngine):
        def __call__(self, images):
            answer = super().__call__(images)
            return answer._replace(scores=(answer.scores > answer.scores.mean()).float())

    with torch.no_grad():
        assert EngineTeacher(model, Certain(model))(pictures(1, 64, 64)).logits.isfinite().all()


def test_a_student_starts_from_its_backbone(model):
    student = VariantCase(NETWORK, variant(NETWORK)).network()
    names = start_from(student, EngineTeacher(model, PyTorchEngine(model)))
    assert names
    assert all(torch.equal(student.state_dict()[name], model.state_dict()[name]) for name in names)


def test_its_outputs_are_kept_apart_from_pytorchs(model, tmp_path):
    precision, config = Precision(torch.device("cpu"), "no"), DistillConfig(teacher="v1")
    plain, other = (
        CachedTeachers([each], config, tmp_path, precision)
        for each in (model, EngineTeacher(model, PyTorchEngine(model)))
    )
    assert plain.caches[0].path != other.caches[0].path
    outputs = other.outputs_of(0, pictures(1, 64, 64), [b"name"])
    assert len(outputs) == 1


def test_maps_are_not_compared_with_an_engines():
    settings = {"teacher": "v1", "teacher_engine": "onnxruntime"}
    assert DistillConfig(**settings).teacher_engine == "onnxruntime"
    with pytest.raises(UsageError, match=r"distill\.teacher_engine"):
        DistillConfig(**settings, feature_weight=1.0)
