"""What a selector means to milestones, chapters, numbers and comparisons: one rule for all."""

from __future__ import annotations

import json

import pytest

from experiments.metrics import Metric
from experiments.recipe.resolve import resolve
from experiments.records.selection import TAGS
from thesis_cli.commands.quickstart import RECIPES, keep_recipe

AP = "widerface.mean_ap"


def ap(value, **changes):
    given = {"dataset": "widerface", "split": "val", "n": 60, "unit": "fraction", **changes}
    return Metric(name=AP, value=value, **given)


def size(count):
    return Metric(name="params.total", value=count, unit="parameters")


def note(workspace, text):
    path = workspace.vault / "05-Results" / "Discussion.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def answer(thesis, workspace, *words):
    return json.loads(thesis(*words, "--json", workspace=workspace).out)


LESSER = {
    "partial": {"metrics": [ap(0.922, n=48, complete=False)]},
    "smoke": {"metrics": [ap(0.922)], "tags": ("smoke",)},
    "empty": {"metrics": []},
    "imported": {"metrics": [ap(0.922, evidence="imported", maker="YOLOv7-lite")]},
    "disturbed": {"metrics": [ap(0.922, marks=("disturbed",))]},
}


@pytest.fixture(params=LESSER)
def passed(request, workspace, make_run):
    """A whole evaluation, and after it one that says less."""
    make_run(workspace, "v1", metrics=[ap(0.8), size(490_000)])
    make_run(workspace, "v2", metrics=[ap(0.908), size(256_006)])
    make_run(workspace, "v2", **LESSER[request.param])
    return workspace


def test_fix_never_writes_a_lesser_number_over_a_wider_one(thesis, passed):
    text = f"AP <!--t:v2 {AP} .1%-->90.8 %<!--/t--> of <!--t:v2 params.total ,-->256,006<!--/t-->"
    path = note(passed, text)
    found = answer(thesis, passed, "check", "numbers", "--fix")
    assert [each["state"] for each in found["data"]["numbers"]] == ["fresh", "fresh"]
    assert path.read_text(encoding="utf-8") == text
    assert sum("v2@2 passed over" in warning for warning in found["warnings"]) == 1


def test_compare_and_the_chapter_take_the_wider_run_and_say_once_what_they_passed_over(
    thesis, passed
):
    compared = answer(thesis, passed, "compare", "v1", "v2")["data"]
    assert [run["run"] for run in compared["runs"]] == ["v1@1", "v2@1"]
    assert sum("v2@2 passed over" in said for said in compared["notes"]) == 1
    thesis("report", "sync", workspace=passed)
    chapter = next(passed.vault.rglob("Performance-Analysis.md")).read_text(encoding="utf-8")
    assert "92.2" not in chapter
    assert "90.8" in chapter


def test_a_milestone_judges_the_wider_run_and_says_what_it_passed_over(thesis, passed):
    claim = f'[milestones.wide]\npredicate = "v2 {AP} > 0.91"\n'
    with (passed.root / "thesis.toml").open("a", encoding="utf-8") as file:
        file.write(claim)
    told = thesis("milestone", "check", "wide", workspace=passed).out
    assert told.count("v2@2 passed over") == 1
    (found,) = answer(thesis, passed, "milestone", "check", "wide")["data"]
    assert found["metrics"][0]["metric"]["value"] == 0.908


def test_the_best_says_out_of_how_many_it_was_chosen_wherever_it_is_told(
    thesis, workspace, make_run
):
    make_run(workspace, "v1", metrics=[ap(0.8)])
    for value in (0.85, 0.9, 0.7):
        make_run(workspace, "v2", metrics=[ap(value)])
    note(workspace, f"<!--t:v2@best {AP} .1%-->90.0 %<!--/t-->")
    numbers = answer(thesis, workspace, "check", "numbers")
    assert "the best of 3 versions" in numbers["data"]["numbers"][0]["choice"][0]
    assert any("the best of 3 versions" in warning for warning in numbers["warnings"])
    compared = answer(thesis, workspace, "compare", "v1", "v2@best")["data"]
    assert any("v2@2, the best of 3" in said for said in compared["notes"])
    claim = f'[milestones.high]\npredicate = "v2@best {AP} > 0.8"\n'
    with (workspace.root / "thesis.toml").open("a", encoding="utf-8") as file:
        file.write(claim)
    assert "the best of 3 versions" in thesis("milestone", "check", "high", workspace=workspace).out
    thesis("report", "sync", workspace=workspace)
    boards = [path.read_text(encoding="utf-8") for path in workspace.vault.rglob("*.md")]
    assert any("best of 3, chosen on these images" in board for board in boards)


def test_a_smoke_run_is_in_its_note_and_in_no_chapter(thesis, workspace, make_run):
    make_run(workspace, "smoke", metrics=[ap(0.0317)], tags=("smoke",))
    thesis("report", "sync", workspace=workspace)
    holders = [
        path.relative_to(workspace.vault).as_posix()
        for path in workspace.vault.rglob("*.md")
        if "3.2" in path.read_text(encoding="utf-8")
    ]
    assert holders
    assert all("smoke" in holder for holder in holders), holders
    assert answer(thesis, workspace, "runs", "list")["data"][0]["run"] == "smoke@1"


def test_a_smoke_run_is_a_number_only_by_its_version(thesis, workspace, make_run):
    make_run(workspace, "smoke", metrics=[ap(0.0317)], tags=("smoke",))
    make_run(workspace, "v1", metrics=[ap(0.8)])
    note(
        workspace, f"<!--t:smoke {AP} .1%-->3.2 %<!--/t--> <!--t:smoke@1 {AP} .1%-->3.2 %<!--/t-->"
    )
    found = answer(thesis, workspace, "check", "numbers")["data"]["numbers"]
    assert [each["state"] for each in found] == ["orphan", "fresh"]
    assert "smoke@1" in found[0]["hint"]
    refused = thesis("compare", "smoke", "v1", workspace=workspace)
    assert "name the version: smoke@1" in refused.err
    assert thesis("compare", "smoke@1", "v1", workspace=workspace).code == 0


def test_what_a_quickstart_trains_is_in_its_chapters_and_labelled_synthetic(
    thesis, workspace, make_run
):
    for name, text in RECIPES.items():
        keep_recipe(workspace, name, text)
        tags = resolve(name, workspace).recipe.tags
        assert not set(tags) & set(TAGS)
        make_run(workspace, name, metrics=[ap(0.317, dataset="synthetic")], tags=tags)
    thesis("report", "sync", workspace=workspace)
    chapter = next(workspace.vault.rglob("Performance-Analysis.md")).read_text(encoding="utf-8")
    assert "31.7" in chapter
    assert "Synthetic data, not WIDER FACE" in chapter


def test_a_metric_that_a_columns_run_lacks_is_told_where_claims_read_it(
    thesis, workspace, make_run
):
    make_run(workspace, "v1", metrics=[ap(0.8), size(490_000)])
    make_run(workspace, "v2", metrics=[ap(0.9)])
    make_run(workspace, "v2", metrics=[size(256_006)])
    compared = answer(thesis, workspace, "compare", "v1", "v2")["data"]
    (said,) = [text for text in compared["notes"] if "has not measured" in text]
    assert said.startswith("v2@1 has not measured params.total; claims and numbers")
    assert "v2@2" in said
    rows = {row["metric"]: row["values"] for row in compared["rows"]}
    assert "v2@1" not in rows["params.total"]
    named = answer(thesis, workspace, "compare", "v1", "v2@1")["data"]
    assert not any("has not measured" in text for text in named["notes"])
    assert "v2@1 has not measured" in thesis("report", "show", "results", workspace=workspace).out


def test_the_baseline_is_held_against_the_run_that_its_bare_name_means(
    thesis, valid, workspace, make_run
):
    whole = {"dataset": "widerface", "n": 3226}
    make_run(workspace, "v1", metrics={"widerface.hard.ap": 0.79}, **whole)
    make_run(workspace, "v1", metrics={"widerface.hard.ap": 0.9, "macs.640": 0.9e9}, n=60)
    told = valid(thesis("check", "baseline", "--json", workspace=workspace))
    assert told["run"] == "v1@1"
    rows = {row["metric"]: row for row in told["rows"]}
    assert (rows["widerface.hard.ap"]["state"], rows["widerface.hard.ap"]["run"]) == (
        "pass",
        "v1@1",
    )
    assert (rows["macs.640"]["state"], rows["macs.640"]["run"]) == ("pass", "v1@2")
    shown = thesis("check", "baseline", workspace=workspace).out
    assert "of v1@2" in shown
    make_run(workspace, "smoke", variant="v1", metrics={"widerface.hard.ap": 0.0}, tags=("smoke",))
    assert valid(thesis("check", "baseline", "--json", workspace=workspace))["run"] == "v1@1"
