"""`thesis export package` and `verify`, as they are typed."""

from __future__ import annotations

import shutil

import pytest
from stand_ins.packages import EXPORTED, NETWORK, PACKAGE, WEIGHTS, files_of_run, write

pytestmark = pytest.mark.usefixtures("traced_once")


@pytest.fixture(scope="module")
def packaged(shared_folder):
    """A network's weights, which say what they are of, and its package; not to be changed."""
    return shared_folder("deployment-package", write)


@pytest.mark.slow
def test_a_package_of_weights_is_written_and_verified(thesis, valid, packaged, tmp_path):
    folder = tmp_path / "package"
    answer = thesis(
        "export", "package", "--weights", packaged / WEIGHTS, "--output", folder, "--json"
    )
    data = valid(answer)
    assert data["run"] is None
    assert [model["path"] for model in data["models"]] == [f"models/{NETWORK}.onnx"]
    assert data["models"][0]["faces"] > 0
    assert "--licence TEXT" in answer.err
    assert valid(thesis("export", "verify", folder, "--json"))["intact"]


def test_verify_says_whether_a_package_is_intact(thesis, valid, packaged, tmp_path):
    folder = tmp_path / "package"
    shutil.copytree(packaged / PACKAGE, folder)
    verdict = valid(thesis("export", "verify", folder, "--json"))
    assert verdict["intact"]
    assert verdict["problems"] == []
    told = thesis("export", "verify", folder)
    assert told.code == 0
    assert "package: intact" in told.out
    (folder / "python" / "service.py").write_text("other", encoding="utf-8")
    told = thesis("export", "verify", folder)
    assert told.code == 1
    assert "NOT what was packaged" in told.out
    assert "python/service.py was changed" in told.out
    verdict = thesis("export", "verify", folder, "--json")
    assert verdict.code == 1
    assert [each["path"] for each in valid(verdict)["problems"]] == ["python/service.py"]


@pytest.fixture
def run(packaged, workspace, make_run):
    """A sealed run that trained the network and exported it in several formats."""
    others = [
        {"path": "exports/mine.bin", "format": "ncnn", "parity": None},
        {"path": "exports/gone.pte", "format": "executorch", "parity": None},
    ]
    return make_run(
        workspace,
        NETWORK,
        variant=NETWORK,
        details={"export": {"artifacts": [EXPORTED, *others]}},
        files={**files_of_run(packaged), "exports/mine.bin": b"other"},
    )


def test_a_package_of_a_run_takes_what_the_run_exported(thesis, valid, workspace, run, tmp_path):
    given = ("export", "package", "--run", run.id, "--licence", "Mine.", "--json")
    answer = thesis(*given, "--output", tmp_path / "package", workspace=workspace)
    data = valid(answer)
    assert (data["run"], data["seal"]) == (run.id, run.seal)
    first, second = data["models"]
    assert (first["path"], first["not_run"]) == ("models/mine.onnx", None)
    assert second["faces"] is None
    assert second["not_run"].startswith("converted, not run")
    assert "gone.pte" in answer.err
    assert valid(thesis("export", "verify", tmp_path / "package", "--json"))["intact"]


def test_a_changed_record_is_not_packaged(thesis, workspace, run, tmp_path):
    (run.folder / "results.json").write_text("{}", encoding="utf-8")
    given = ("export", "package", "--run", run.id, "--output", tmp_path / "package")
    answer = thesis(*given, workspace=workspace)
    assert answer.code == 1
    assert "was changed" in answer.err
    assert not (tmp_path / "package").exists()


def test_a_runs_network_is_packaged_as_it_was_measured(thesis, workspace, run, tmp_path):
    given = ("export", "package", "--run", run.id, "--set", "model.leak=0.2")
    answer = thesis(*given, "--output", tmp_path / "package", workspace=workspace)
    assert answer.code == 2
    assert "the run's numbers are of another" in answer.err


@pytest.mark.parametrize(
    ("given", "code", "told"),
    [
        (("verify", "nowhere"), 3, "is no folder, so it is no package"),
        (("package", "--variant", NETWORK, "--output", "x"), 2, "no weights"),
        (("package", "--output", "x"), 2, "no network"),
        (("package", "--weights", "nothing.pth"), 2, "--output"),
        (("verfy", "x"), 2, "verify"),
    ],
)
def test_what_is_missing_is_told(thesis, tmp_path, monkeypatch, given, code, told):
    monkeypatch.chdir(tmp_path)
    answer = thesis("export", *given)
    assert answer.code == code
    assert told in answer.err


@pytest.mark.slow
def test_export_without_a_verb_writes_files(thesis, valid, packaged, tmp_path):
    given = ("--weights", packaged / WEIGHTS, "--format", "onnx", "--output", tmp_path, "--json")
    (artifact,) = valid(thesis("export", *given))["artifacts"]
    assert artifact["format"] == "onnx"
    assert (tmp_path / f"{NETWORK}.onnx").is_file()


def test_export_names_its_verbs(thesis):
    told = thesis("export", "--help")
    assert told.code == 0
    assert all(verb in told.out for verb in ("files", "package", "verify"))
