"""One damaged record stops nobody else: it is named with what to type, and the exit code is 1."""

import pytest

FILES = (
    "results.json",
    "record.json",
    "recipe.yaml",
    "data.json",
    "matches.npz",
    "SEAL.json",
    "environment.txt",
)


@pytest.fixture
def damaged(synced_copy):
    def damage(name, content="[]"):
        workspace = synced_copy("en")
        (workspace.runs / "v2" / "001" / name).write_text(content, encoding="utf-8")
        return workspace

    return damage


@pytest.mark.parametrize("name", FILES)
def test_other_claims_are_checked_beside_a_damaged_record(thesis, damaged, name):
    answer = thesis("milestone", "check", workspace=damaged(name))
    assert answer.code == 1
    assert "v1-parameters" in answer.whole
    assert "v2@1 was left out, its record is not as sealed" in answer.whole
    assert "thesis runs verify v2@1" in answer.whole


@pytest.mark.parametrize("content", ["{", "null", '{"metrics": 3}', '{"metrics": [1]}', "\x00"])
@pytest.mark.parametrize("command", [["milestone", "check"], ["compare", "v1", "v2"]])
def test_however_results_are_damaged_the_exit_code_is_1(thesis, damaged, content, command):
    answer = thesis(*command, workspace=damaged("results.json", content))
    assert answer.code == 1
    assert "thesis runs verify v2@1" in answer.whole


@pytest.mark.parametrize("name", FILES)
def test_every_command_names_the_damaged_record(thesis, damaged, name):
    workspace = damaged(name)
    dashboard = next(workspace.vault.rglob("Dashboard.md"))
    with dashboard.open("a", encoding="utf-8") as file:
        file.write("\nIt is <!--t:v2 widerface.mean_ap-->64.0 %<!--/t-->.\n")
    for command in (["compare", "v1", "v2"], ["check", "numbers"], ["runs", "verify"]):
        answer = thesis(*command, workspace=workspace)
        assert answer.code == 1, command
        assert "v2@1" in answer.whole
    answer = thesis("report", "sync", workspace=workspace)
    assert answer.code == 7
    assert "v2@1 was changed after it was sealed" in answer.whole
    assert thesis("runs", "list", workspace=workspace).code == 0


def test_a_damaged_version_does_not_decide_which_is_best(thesis, workspace, make_run):
    make_run(workspace, "v2", dataset="widerface", n=3226, metrics={"widerface.mean_ap": 0.8})
    bad = make_run(workspace, "v2", dataset="widerface", n=3226, metrics={"widerface.mean_ap": 0.9})
    (bad.folder / "results.json").write_text("{", encoding="utf-8")
    with (workspace.root / "thesis.toml").open("a", encoding="utf-8") as file:
        file.write('[milestones.good]\npredicate = "v2@best widerface.mean_ap > 0.75"\n')
    answer = thesis("milestone", "check", "good", workspace=workspace)
    assert "v2@1" in answer.whole
    assert (answer.code, "v2@2 was left out" in answer.whole) == (1, True)
