"""One damaged record takes nothing from the others."""

import pytest

from experiments.records.store import Store
from vault_sync.commands.sync import sync

pytestmark = pytest.mark.usefixtures("quick_plots")

PIPELINE = "Technical-Notes/Model-Pipeline/{}_monitor.md"
DAMAGES = {
    "record cut short": ("record.json", b"{"),
    "record of another kind": ("record.json", b"[]"),
    "record that is no text": ("record.json", b"\xff\xfe\x00"),
    "results cut short": ("results.json", b"{"),
    "recipe broken": ("recipe.yaml", b"{:"),
    "seal broken": ("SEAL.json", b"{"),
}


@pytest.fixture
def three(thesis, make_run):
    """A workspace with v1 and v2, and an interrupted v3."""
    workspace = thesis()
    make_run(workspace, "v3", variant="v2", status="interrupted")
    sync(workspace)
    return workspace


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_sealed_record_refuses_only_what_needs_it(three, make_run, name):
    file, content = DAMAGES[name]
    (Store(three).find("v2@1").folder / file).write_bytes(content)
    make_run(three, "v1", seed=3)
    report = sync(three)
    assert "runs/v2/001" in report.refused
    assert "05-Results/Runs/v1@2.md" in report.written
    assert PIPELINE.format("v1") in report.written
    assert PIPELINE.format("v3") not in report.refused
    assert PIPELINE.format("v2") in report.refused


def test_a_damaged_unsealed_record_refuses_only_its_log(three, make_run):
    (three.runs / "v3" / "001" / "record.json").write_text("{", encoding="utf-8")
    make_run(three, "v1", seed=3)
    report = sync(three)
    assert report.refused == [PIPELINE.format("v3"), "runs/v3/001"]
    assert len(set(report.reasons)) == len(report.reasons)
    assert "05-Results/Performance-Analysis.md" in report.written


def test_damaged_annotations_refuse_only_their_run(three, make_run):
    (three.runs / "v2" / "001.notes.json").write_text("{", encoding="utf-8")
    make_run(three, "v1", seed=3)
    report = sync(three)
    assert "runs/v2/001" in report.refused
    assert "05-Results/Runs/v1@2.md" in report.written


@pytest.mark.parametrize("folder", ["v3/002", "v4/001", "v1/001 (conflict 2026-01-02)"])
def test_a_folder_that_is_no_run_yet_is_passed_by(three, folder):
    (three.runs / folder).mkdir(parents=True)
    report = sync(three)
    assert (report.written, report.reasons) == ([], [])


def test_a_log_of_steps_with_broken_bytes_is_read_as_far_as_it_goes(three):
    path = three.runs / "v3" / "001" / "metrics.jsonl"
    path.write_bytes(path.read_bytes() + b'{"kind": "epoch", \xff\xfe')
    assert sync(three).problem is None
