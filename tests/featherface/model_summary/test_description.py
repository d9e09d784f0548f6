from __future__ import annotations

import json
import subprocess
import sys

import pytest
import torch

from featherface.errors import UsageError
from featherface.geometry.priors import priors
from featherface.model_summary.description import describe
from featherface.model_summary.effective import effective_fields
from featherface.model_summary.summary_cache import anatomy
from featherface.model_summary.summary_types import Anatomy
from featherface.model_summary.trace import walk
from featherface.networks.detector import build
from featherface.profiling.counting import macs, parameters
from featherface.source import cache_entries
from featherface.variants.table import VARIANTS, variant


@pytest.fixture(scope="module", params=sorted(VARIANTS))
def named(request):
    return request.param, describe(variant(request.param))


def test_nothing_is_counted_twice_or_forgotten(named):
    name, found = named
    model = build(variant(name), 0)
    assert found.parameters == parameters(model)
    assert found.macs == macs(model, 640)
    for rows in (found.layers, found.blocks, found.parts, found.stages):
        assert sum(row.parameters for row in rows) == found.parameters
        assert sum(row.macs for row in rows) == found.macs
    assert {one.component: one.parameters for one in found.parts if one.parameters} == (
        model.components()
    )


def test_it_survives_a_trip_through_json(named):
    _, found = named
    assert Anatomy.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_anchors_are_those_that_are_computed(named):
    name, found = named
    assert sum(one.count for one in found.anchors) == len(priors(variant(name), 640, 640))


def test_sizes_follow_from_the_numbers(named):
    name, found = named
    state = build(variant(name), 0).state_dict().values()
    numbers = sum(one.numel() for one in state if one.is_floating_point())
    sizes = found.storage
    assert (sizes.fp32, sizes.fp16) == (4 * numbers, 2 * numbers)
    assert sizes.quantised + sizes.single == numbers
    assert sizes.quantised + 4 * sizes.single < sizes.int8 < sizes.fp32


def test_deformable_convolutions_stay_in_single_precision():
    shares = [
        one.storage.single / one.parameters
        for one in (describe(variant("v1-official")), describe(variant("retinaface-mnet025")))
    ]
    assert shares[0] > 0.4
    assert shares[1] < 0.05


@pytest.mark.parametrize("name", ["v1-official", "v2-vit"])
@pytest.mark.parametrize("size", [(96, 64), (64, 160)])
def test_shapes_of_any_size_are_those_that_come_out(name, size):
    model = build(variant(name), 0).eval()
    found = walk(model, *size)
    given = []
    model.backbone.register_forward_hook(lambda _, __, maps: given.extend(maps))
    with torch.no_grad():
        model(torch.zeros(1, 3, *size))
    assert found["backbone"].shapes == [tuple(one.shape[1:]) for one in given]
    assert sum(one.macs for one in found.values()) == macs(model, size)


def test_fields_of_view_are_those_one_can_work_out():
    found = describe(variant("retinaface-mnet025")).fields
    # MobileNet: 3, then a 3x3 at strides 2, 2, 4, 4, 8 | 8, five at 16 | 16, 32.
    assert [one.backbone for one in found] == [43, 219, 315]
    assert found[2].prediction == 315 + 3 * 2 * 32  # SSH's widest branch: three 3x3
    assert not any(one.whole or one.learnt for one in found)


def test_the_gradient_stays_inside_the_field():
    """From the middle of the finest map of a network without global parts."""
    model = build(variant("retinaface-mnet025"), 0).double().eval()
    picture = torch.randn(1, 3, 640, 640, dtype=torch.float64, requires_grad=True)
    features = model.features(picture)[0][0, :, 40, 40]
    (gradient,) = torch.autograd.grad(features.sum(), picture)
    rows = gradient[0].abs().sum((0, 2)).nonzero().flatten()
    field = describe(variant("retinaface-mnet025")).fields[0]
    assert field.features - 32 <= int(rows[-1] - rows[0]) + 1 <= field.features


def test_global_parts_and_learnt_reach_are_told():
    seen = {name: describe(variant(name)).fields[0] for name in ("v1-489k", "v2", "v2-vit")}
    assert {name: one.whole for name, one in seen.items()} == {
        "v1-489k": False,
        "v2": True,
        "v2-vit": True,
    }
    assert seen["v1-489k"].learnt
    assert not seen["v2"].learnt


def test_the_effective_field_is_smaller_than_the_theoretical():
    config = variant("retinaface-mnet025")
    found = effective_fields(build(config, 0), 256)
    whole = describe(config).fields
    assert [one.level for one in found] == [3, 4, 5]
    assert all(0 < one.side <= field.prediction for one, field in zip(found, whole, strict=True))
    assert found[0].side < found[2].side


def test_stages_are_what_the_configuration_turns_on():
    names = [one.name for one in describe(variant("v2-ultra")).stages]
    assert names.index("laterals") < names.index("attention") < names.index("neck")
    assert {"recycling", "scale_fusion", "enhancement"} <= set(names)
    plain = [one.name for one in describe(variant("v3-nano")).stages]
    assert plain == ["backbone", "neck", "context", "heads"]


def test_a_size_that_does_not_divide_names_the_nearest():
    with pytest.raises(UsageError, match="333 pixels") as caught:
        describe(variant("v2"), 333, 640)
    assert caught.value.hint == "try 320"


def test_what_was_found_is_read_without_pytorch(tmp_path):
    known = anatomy(variant("v3-nano"), tmp_path)
    code = (
        "import sys, pathlib\n"
        "from featherface.model_summary.summary_cache import anatomy\n"
        "from featherface.variants.table import variant\n"
        "print(anatomy(variant('v3-nano'), pathlib.Path(sys.argv[1])).parameters)\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], check=True, capture_output=True, text=True
    )
    assert int(done.stdout) == known.parameters


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", "3"])
def test_a_damaged_file_is_not_believed(tmp_path, text):
    config, folder = variant("v3-nano"), tmp_path / "networks"
    known = anatomy(config, folder)
    (file,) = folder.iterdir()
    whole = file.read_bytes()
    file.write_text(text, encoding="utf-8")
    assert anatomy(config, folder) == known
    assert file.read_bytes() == whole


@pytest.mark.parametrize("what", ["definition_digest", "_version"])
def test_another_program_or_library_is_not_believed(tmp_path, monkeypatch, what):
    config, folder = variant("v3-nano"), tmp_path / "networks"
    known = anatomy(config, folder)
    monkeypatch.setattr(cache_entries, what, lambda *_: "another")
    assert anatomy(config, folder) == known
    assert len(list(folder.iterdir())) == 2
