"""Each kind of change of a package is noticed, and named."""

from __future__ import annotations

import json
import shutil

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from PIL import Image
from stand_ins.packages import MODEL

from experiments.deployment.manifest import as_text, leaves
from experiments.deployment.sample_picture import differences
from experiments.deployment.verification import verify_package
from featherface.data.fingerprint import file_sha256
from featherface.errors import NotFoundError


def only(folder):
    """Return kind and sentence of the one problem of the package in FOLDER."""
    (problem,) = verify_package(folder).problems
    return problem.path, problem.problem, problem.detail


def rewrite(folder, change):
    """CHANGE the manifest and give it fitting digests, as somebody with a purpose would."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    change(manifest)
    for entry in (*manifest["models"], *manifest["files"]):
        if (folder / entry["path"]).is_file():
            entry["sha256"] = file_sha256(folder / entry["path"])
    path.write_text(as_text(manifest), encoding="utf-8")


def test_a_package_as_it_was_made_is_intact(packaged):
    verdict = verify_package(packaged / "package")
    assert verdict.intact
    (model,) = verdict.models
    assert (model.path, model.engine, model.ran) == (MODEL, "onnxruntime", True)
    assert model.faces > 0


@pytest.mark.parametrize("name", [MODEL, "python/service.py", "README.fr.md", "sample/picture.png"])
def test_a_changed_file_is_named(package, name):
    path = package / name
    path.write_bytes(path.read_bytes() + b" ")
    where, kind, detail = only(package)
    assert (where, kind) == (name, "changed")
    assert detail.startswith(f"{name} was changed: its SHA-256 begins with")


@pytest.mark.parametrize("name", [MODEL, "Dockerfile"])
def test_a_missing_file_is_named(package, name):
    (package / name).unlink()
    assert only(package) == (name, "missing", f"{name} is missing")


def test_a_model_that_came_later_is_named_and_what_is_built_beside_is_not(package):
    (package / "build").mkdir()
    (package / "build" / "detect_faces").write_bytes(b"mine")
    assert verify_package(package).intact
    shutil.copyfile(package / MODEL, package / "models" / "other.onnx")
    assert only(package)[:2] == ("models/other.onnx", "added")


@pytest.mark.parametrize("old", ['"score": 0.5', '"name": "images"'])
def test_a_changed_manifest_is_named(package, old):
    path = package / "manifest.json"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, old[:-1] + "1" + old[-1]), encoding="utf-8")
    assert only(package)[:2] == ("manifest.json", "changed")


@pytest.mark.parametrize("text", ["", "{}", "[" * 100_000, '{"schema": "thesis/package/1"'])
def test_a_damaged_manifest_is_a_changed_one(package, text):
    (package / "manifest.json").write_text(text, encoding="utf-8")
    assert only(package)[:2] == ("manifest.json", "changed")


def test_another_model_with_fitting_digests_finds_other_faces(package):
    model = onnx.load(package / MODEL)
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.ndim == 4:
            tensor.CopyFrom(numpy_helper.from_array(-values, tensor.name))
    onnx.save(model, package / MODEL)
    rewrite(package, lambda manifest: None)
    where, kind, detail = only(package)
    assert (where, kind) == (MODEL, "other faces")
    assert "packaged faces are gone" in detail


def test_a_model_of_another_network_with_fitting_digests_is_swapped(package):
    def pretend(manifest):
        manifest["network"]["settings"]["variances"] = [0.2, 0.2]

    rewrite(package, pretend)
    assert only(package)[:2] == (MODEL, "swapped")


def test_a_cut_model_with_fitting_digests_can_not_be_opened(package):
    path = package / MODEL
    path.write_bytes(path.read_bytes()[:2000])
    rewrite(package, lambda manifest: None)
    assert only(package)[:2] == (MODEL, "unreadable")


def test_another_picture_with_fitting_digests_shows_other_faces(package):
    Image.new("RGB", (320, 320), "navy").save(package / "sample" / "picture.png")
    rewrite(package, lambda manifest: None)
    assert only(package)[:2] == (MODEL, "other faces")


def test_a_manifest_may_not_name_files_outside(package):
    def lead_out(manifest):
        manifest["files"][0]["path"] = "../outside"

    rewrite(package, lead_out)
    assert only(package)[:2] == ("manifest.json", "changed")
    names = ["C:/windows", "/etc/hosts", "..", "models/v2.onnx"]
    assert [leaves(name) for name in names] == [True, True, True, False]


def test_a_model_that_did_not_run_is_told_and_no_fault(package):
    def convert(manifest):
        entry = {"path": "models/v.mlpackage", "format": "coreml", "engine": None}
        entry |= {"sha256": "", "bytes": 1, "default": False, "parity": None}
        entry |= {"detections": None, "not_run": "converted, not run"}
        manifest["models"].append(entry)

    (package / "models" / "v.mlpackage").write_bytes(b"x")
    rewrite(package, convert)
    verdict = verify_package(package)
    assert verdict.intact
    assert [(model.ran, model.reason) for model in verdict.models] == [
        (True, ""),
        (False, "converted, not run"),
    ]


def test_what_is_no_package_is_told(tmp_path):
    with pytest.raises(NotFoundError, match="holds no manifest"):
        verify_package(tmp_path)
    with pytest.raises(NotFoundError, match="is no folder"):
        verify_package(tmp_path / "nothing")


def face(score, left=0.0):
    return {"box": [left, 0.0, left + 10.0, 10.0], "score": score, "landmarks": []}


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ([face(0.9), face(0.8, 50)], ""),
        ([face(0.9, 0.9), face(0.8, 50)], ""),
        ([face(0.9, 1.1), face(0.8, 50)], "1 of 2 packaged faces are gone and 1 others came"),
        ([face(0.88), face(0.8, 50)], "1 of 2 packaged faces are gone and 1 others came"),
        ([face(0.9)], "1 of 2 packaged faces are gone"),
        ([], "2 of 2 packaged faces are gone"),
        ([face(0.9), face(0.8, 50), face(0.7, 99)], "1 others came"),
        ([face(0.9), face(0.8, 50), face(0.505, 99)], ""),
    ],
)
def test_faces_agree_to_a_pixel_and_a_hundredth(found, told):
    kept = [face(0.9), face(0.8, 50)]
    assert differences(kept, found, 0.5, {"pixels": 1.0, "score": 0.01}) == told


def test_a_face_at_the_threshold_may_come_and_go():
    assert differences([face(0.505)], [], 0.5, {"pixels": 1.0, "score": 0.01}) == ""
