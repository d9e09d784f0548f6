from __future__ import annotations

import json

import pytest

from experiments.proof.model_file import ModelOrigin, origin_of
from experiments.records.seal import sha256
from featherface.errors import ClaimFalseError, DataError


def test_a_file_of_a_record_is_proved_by_the_seal_and_brings_its_evidence(workspace, make_run):
    run = make_run(workspace, "v2")
    path = run.folder / "environment.txt"  # whichever file: the seal covers all
    origin = origin_of(path, sha256(path))
    assert (origin.run, origin.seal, origin.checked_by) == ("v2@1", run.seal, "seal of v2@1")
    assert [metric.name for metric in origin.metrics] == [metric.name for metric in run.metrics]


def test_a_file_that_was_changed_or_added_since_the_seal_is_refused(workspace, make_run):
    folder = make_run(workspace, "v2").folder
    changed = folder / "environment.txt"
    changed.write_text("torch==1.0\n", encoding="utf-8")
    with pytest.raises(ClaimFalseError, match=r"not what was sealed in v2@1"):
        origin_of(changed, sha256(changed))
    added = folder / "exports" / "swapped.onnx"
    added.parent.mkdir()
    added.write_bytes(b"another")
    with pytest.raises(ClaimFalseError, match=r"no part of v2@1"):
        origin_of(added, sha256(added))


def test_a_file_beside_a_manifest_is_the_one_that_it_lists(tmp_path):
    path = tmp_path / "models" / "v2.onnx"
    path.parent.mkdir()
    path.write_bytes(b"a network")
    manifest = tmp_path / "manifest.json"
    entry = {"path": "models/v2.onnx", "sha256": sha256(path)}
    manifest.write_text(json.dumps({"artifacts": [entry]}), encoding="utf-8")
    assert origin_of(path, sha256(path)) == ModelOrigin("manifest.json")
    path.write_bytes(b"another")
    with pytest.raises(ClaimFalseError, match=r"is not the file that .*manifest\.json lists"):
        origin_of(path, sha256(path))
    manifest.write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match=r"manifest\.json"):
        origin_of(path, sha256(path))


def test_of_a_file_that_nothing_lists_nothing_is_said(tmp_path):
    path = tmp_path / "v2.onnx"
    path.write_bytes(b"a network")
    assert origin_of(path, sha256(path)) == ModelOrigin()
    (tmp_path / "manifest.json").write_text('{"artifacts": []}', encoding="utf-8")
    assert origin_of(path, sha256(path)) == ModelOrigin()
