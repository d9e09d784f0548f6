"""Files of weights as other programs save them: what just loads, and what is refused."""

from __future__ import annotations

import argparse
import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from featherface.errors import WeightsError
from featherface.networks.detector import build
from featherface.variants.table import variant
from featherface.weights.checkpoints import load_backbone, load_weights, save_weights
from featherface.weights.files import read_file
from featherface.weights.wrappers import AVERAGES, PREFIXES, WRAPPERS
from thesis_cli.commands.model import taking

NAME = "v3-nano"


@pytest.fixture(scope="module")
def trained():
    return build(variant(NAME), 0).state_dict()


def other(state):
    return {name: torch.zeros_like(value) for name, value in state.items()}


def under(prefix, state):
    return {f"{prefix}{name}": value for name, value in state.items()}


def loaded(tmp_path, content, name="weights.pth", **options):
    """Save CONTENT, load it into a fresh network, and return its state and what was told."""
    path = tmp_path / name
    torch.save(content, path)
    network = build(variant(NAME), 1)
    cleaning = load_weights(network, path, NAME, **options)
    return network.state_dict(), " | ".join(cleaning.sentences())


def same(first, second):
    return all(torch.equal(first[name], second[name]) for name in second)


def test_weights_under_any_usual_key_just_load(tmp_path, trained):
    for key in (*WRAPPERS, *AVERAGES):
        state, told = loaded(tmp_path, {key: trained, "epoch": 3, "lr": torch.ones(1)})
        assert same(state, trained), key
        assert f"the weights were under '{key}'" in told
        assert "left out epoch, lr" in told


def test_weights_within_nested_wrappers_just_load(tmp_path, trained):
    content = {"checkpoint": 1, "model": {"state_dict": {"module": trained}}, "optimizer": {}}
    state, told = loaded(tmp_path, content)
    assert same(state, trained)
    assert "under 'model.state_dict.module'" in told


def test_prefixes_of_parallelism_compilation_and_frameworks_come_off(tmp_path, trained):
    for prefix in (*PREFIXES, "module._orig_mod.", "model.net.", "module.model."):
        state, told = loaded(tmp_path, {"state_dict": under(prefix, trained)})
        assert same(state, trained), prefix
        assert "stripped the prefix" in told


def test_a_lightning_checkpoint_loads_without_its_other_modules(tmp_path, trained):
    content = under("model.", trained) | {"criterion.priors": torch.zeros(4, 4)}
    state, told = loaded(
        tmp_path,
        {"state_dict": content, "pytorch-lightning_version": "2.4", "hyper_parameters": {"lr": 1}},
    )
    assert same(state, trained)
    assert "left out tensors under criterion (1)" in told


def test_a_student_inside_a_distiller_is_taken_and_its_teacher_left_out(tmp_path, trained):
    adapter = {"adapters.0.weight": torch.ones(2)}
    content = under("student.", trained) | under("teacher.", other(trained)) | adapter
    for wrapped in (content, {"state_dict": under("model.", content)}):
        state, told = loaded(tmp_path, wrapped)
        assert same(state, trained)
        assert f"teacher ({len(trained):,})" in told
        assert "adapters (1)" in told


def test_an_averaged_model_of_pytorch_loads_without_its_count(tmp_path, trained):
    content = under("module.", trained) | {"n_averaged": torch.tensor(5)}
    assert same(loaded(tmp_path, content)[0], trained)


@pytest.mark.parametrize("key", ["state_dict_ema", "ema"])
def test_of_plain_and_averaged_weights_it_says_which_were_taken_and_how_to_take_the_other(
    tmp_path, trained, key
):
    content = {"state_dict": other(trained), key: trained}
    state, told = loaded(tmp_path, content)
    assert same(state, trained)
    assert "took the moving average of the weights" in told
    assert "the plain weights too, under 'state_dict'" in told
    assert "--take plain" in told
    state, told = loaded(tmp_path, content, take="plain")
    assert same(state, other(trained))
    assert "took the plain weights; the file holds the moving average of the weights too" in told
    assert "--take average" in told


def test_plain_and_averaged_weights_told_by_prefixes_can_be_chosen_too(tmp_path, trained):
    content = under("model.", other(trained)) | under("model_ema.", trained)
    state, told = loaded(tmp_path, content)
    assert same(state, trained)
    assert "under model.*" in told
    assert same(loaded(tmp_path, content, take="plain")[0], other(trained))


def test_weights_without_counters_of_batches_load(tmp_path, trained):
    content = {name: v for name, v in trained.items() if not name.endswith("num_batches_tracked")}
    assert len(content) < len(trained)
    assert same(loaded(tmp_path, content)[0], content)


def test_numbers_of_numpy_and_parsed_arguments_beside_the_tensors_are_no_code(tmp_path, trained):
    beside = {
        "best": np.float64(0.83),
        "epoch": np.int64(7),
        "history": np.arange(3.0),
        "args": argparse.Namespace(lr=0.1),
    }
    state, told = loaded(tmp_path, {"state_dict": trained, **beside})
    assert same(state, trained)
    assert "left out best, epoch, history, args" in told


def test_an_array_of_objects_is_still_refused_as_code(tmp_path, trained):
    path = tmp_path / "odd.pth"
    torch.save({"state_dict": trained, "x": np.array([print], dtype=object)}, path)
    with pytest.raises(WeightsError, match=r"wants to run code|can't be read"):
        load_weights(build(variant(NAME), 1), path, NAME)


def test_a_file_is_told_by_its_content_not_by_its_name(tmp_path, trained):
    named = tmp_path / "safe.pth"
    save_weights(named, build(variant(NAME), 0))
    network = build(variant(NAME), 1)
    load_weights(network, named, NAME)
    assert same(network.state_dict(), trained)
    assert same(loaded(tmp_path, trained, "pickled.safetensors")[0], trained)
    old = tmp_path / "old.pth"
    torch.save(trained, old, _use_new_zipfile_serialization=False)
    load_weights(network, old, NAME)


@pytest.mark.parametrize("length", [0x80, 0x4B50])
def test_safetensors_whose_length_looks_like_a_pickle_or_an_archive_are_read(tmp_path, length):
    path = tmp_path / "weights.safetensors"
    save_file({"a": torch.ones(2)}, path, {"padding": ""})
    shortest = int.from_bytes(path.read_bytes()[:8], "little")
    for padding in range(max(0, length - shortest - 8), length):  # it is a multiple of 8
        save_file({"a": torch.ones(2)}, path, {"padding": "x" * padding})
        if int.from_bytes(path.read_bytes()[:8], "little") == length:
            break
    assert path.read_bytes()[:2] in (b"\x80\0", b"PK")
    assert read_file(path)[0]["a"].tolist() == [1, 1]


def test_half_precision_whose_variance_became_infinite_is_refused_by_name(tmp_path, trained):
    name = next(name for name in trained if name.endswith("running_var"))
    spoilt = {key: value.clone() for key, value in trained.items()}
    spoilt[name][0] = 1e6
    halves = {key: v.half() if v.is_floating_point() else v for key, v in spoilt.items()}
    with pytest.raises(WeightsError, match=rf"{name} holds 1 of") as caught:
        loaded(tmp_path, halves)
    assert "model.float()" in caught.value.hint
    sound = {key: v.half() if v.is_floating_point() else v for key, v in trained.items()}
    loaded(tmp_path, sound)


def test_weights_that_are_no_numbers_are_refused_by_name(tmp_path, trained):
    name = next(iter(trained))
    for value in (float("nan"), float("inf")):
        spoilt = trained | {name: torch.full_like(trained[name], value)}
        with pytest.raises(WeightsError, match=name) as caught:
            loaded(tmp_path, spoilt)
        assert "earlier checkpoint" in caught.value.hint
        torch.save(spoilt, tmp_path / "backbone.pth")
        with pytest.raises(WeightsError, match=name):
            load_backbone(build(variant(NAME), 1), tmp_path / "backbone.pth")


def test_what_import_offers_to_take_is_what_reading_knows():
    from featherface.weights import wrappers  # noqa: PLC0415 - beside what it is compared with

    assert taking.TAKES == wrappers.TAKES


def test_a_pickle_of_a_module_is_still_refused(tmp_path):
    path = tmp_path / "module.pth"
    path.write_bytes(pickle.dumps(torch.nn.Linear(1, 1)))
    with pytest.raises(WeightsError):
        load_weights(build(variant(NAME), 1), path, NAME)
