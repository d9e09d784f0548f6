from __future__ import annotations

import hashlib

import pytest

from featherface.errors import DataError, NotFoundError, UsageError
from featherface.export.manifest import CONVERTED, entry, faults, read_manifest, write_manifest
from featherface.export.writing import Artifact


@pytest.fixture
def folder(tmp_path):
    """Two files and their manifest."""
    entries = []
    for name in ("one.onnx", "two.onnx"):
        path = tmp_path / "exports" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(name.encode())
        digest = hashlib.sha256(name.encode()).hexdigest()
        artifact = Artifact(path=path, format="onnx", sha256=digest, megabytes=8e-6)
        entries.append(entry(artifact, path.parent))
    write_manifest(tmp_path / "exports", {"run": "", "artifacts": entries})
    return tmp_path / "exports"


def test_a_manifest_comes_back_as_it_was_written(folder):
    first, _ = read_manifest(folder)["artifacts"]
    assert (first["path"], first["format"], first["status"]) == ("one.onnx", "onnx", CONVERTED)
    assert faults(folder) == []


def test_swapped_truncated_and_missing_files_are_named(folder):
    one, two = folder / "one.onnx", folder / "two.onnx"
    one.write_bytes(b"two.onnx")
    two.write_bytes(b"one.onnx")
    swapped = faults(folder)
    assert [fault.split()[0] for fault in swapped] == ["one.onnx", "two.onnx"]
    assert all("is not what was written" in fault for fault in swapped)
    one.unlink()
    two.write_bytes(b"two")
    missing, truncated = faults(folder)
    assert missing == "one.onnx is missing"
    assert "two.onnx is not what was written" in truncated


def test_the_manifest_of_a_run_names_its_files_from_the_runs_folder(folder):
    content = read_manifest(folder)
    for each in content["artifacts"]:
        each["path"] = f"exports/{each['path']}"
    write_manifest(folder, content)
    assert faults(folder) == []


@pytest.mark.parametrize("path", ["../x.onnx", "/etc/passwd", "C:\\x.onnx", "a\\..\\b"])
def test_a_path_that_leads_out_is_refused(folder, path):
    content = read_manifest(folder)
    content["artifacts"][0]["path"] = path
    write_manifest(folder, content)
    with pytest.raises(UsageError, match="leads out"):
        faults(folder)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"artifacts": [{"path": 1}]}'])
def test_a_damaged_manifest_is_refused(folder, text):
    (folder / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"manifest\.json"):
        read_manifest(folder)


def test_a_folder_without_manifest_is_told_so(tmp_path):
    with pytest.raises(NotFoundError, match=r"no manifest\.json"):
        read_manifest(tmp_path)
