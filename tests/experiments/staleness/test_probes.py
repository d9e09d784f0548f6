"""A record keeps its probes; later code is compared by them, once for each state of the sources."""

from __future__ import annotations

import dataclasses
import json

import pytest

from experiments.recipe.resolve import resolve
from experiments.records.record import Git, Parent, Stage
from experiments.records.run import RECIPE, Run
from experiments.records.seal import seal
from experiments.records.store import Store
from experiments.staleness import probe_cache, probes, source_digest
from experiments.staleness.changes import changes, rewritten
from experiments.staleness.families import families
from experiments.staleness.probes import FILE, verdicts, write_probes
from featherface.evaluation import overlaps
from featherface.losses import parts
from featherface.probes import table
from featherface.source.state_lines import STATES
from featherface.variants.table import VARIANTS

AP, PARAMETERS = "widerface.hard.ap", "params.total"
RECIPE_TEXT = "extends: smoke\nmodel: {variant: v3-nano}\n"


@pytest.fixture(autouse=True)
def _fresh_caches():
    """Forget what another test's workspace kept."""
    probe_cache.cache_of.cache_clear()
    table.forget_networks()
    yield
    probe_cache.cache_of.cache_clear()
    table.forget_networks()


@pytest.fixture
def made(workspace, make_run):
    """Write a record with the probes of STAGES, as the runner would."""

    def make(name="mine", text=RECIPE_TEXT, stages=("evaluate",), parents=(), trained=False):
        (workspace.recipes / f"{name}.yaml").write_text(text, encoding="utf-8")
        run = make_run(workspace, name, n=4, parents=parents)
        resolved = resolve(name, workspace)
        (run.folder / RECIPE).write_text(resolved.to_yaml(), encoding="utf-8")
        source_digest.write_code(run.folder)
        for stage in stages:
            write_probes(run.folder, stage, resolved.recipe)
        done = {**run.record.stages, "train": Stage(status="done" if trained else "skipped")}
        record = dataclasses.replace(
            run.record,
            recipe=resolved.recipe.digest,
            recipe_name=name,
            code=source_digest.code_digest(),
            stages=done,
        )
        record.write(run.folder)
        seal(run.folder)
        return Run(run.folder)

    return make


@pytest.fixture
def edited(monkeypatch):
    """Pretend that the sources were edited before this program started: to the state TEXT."""

    def edit(text="edited"):
        for place in (probe_cache, probes):
            monkeypatch.setattr(place, "source_now", lambda: text)
        monkeypatch.setattr(probe_cache, "program_digest", lambda: text)
        probe_cache.cache_of.cache_clear()

    return edit


def sentences(workspace, run, metric=AP, language="en"):
    return [
        change.text(language) for change in changes(run, Store(workspace), families(run, metric))
    ]


def counted(monkeypatch):
    """Return a list that grows by the names of the probes that are computed."""
    computed, real = [], table.measure
    monkeypatch.setattr(
        table, "measure", lambda settings, asked: computed.extend(asked) or real(settings, asked)
    )
    return computed


def rewrite(run, change):
    """Change the probes of a record, and seal it anew."""
    content = json.loads((run.folder / FILE).read_text(encoding="utf-8"))
    change(content)
    (run.folder / FILE).write_text(json.dumps(content), encoding="utf-8")
    seal(run.folder)
    return Run(run.folder)


def test_a_record_keeps_values_tolerance_and_the_state_of_the_sources(made):
    run = made(stages=("evaluate", "export"))
    content = json.loads((run.folder / FILE).read_text(encoding="utf-8"))
    assert content["schema"] == 1
    assert set(content["families"]) == {"accuracy", "export"}
    family = content["families"]["accuracy"]
    assert family["source"] == probe_cache.source_now()
    assert family["probes"]["matching"]["tolerance"] == table.EXACT
    assert family["probes"]["matching"]["values"][1] == 3  # pictures


def test_where_no_line_differs_nothing_is_computed(workspace, made, monkeypatch):
    run = made()
    computed = counted(monkeypatch)
    assert sentences(workspace, run) == []
    assert computed == []


def test_other_lines_that_compute_the_same_leave_a_number_fresh(workspace, made, edited):
    run = made()
    edited()
    assert sentences(workspace, run) == []
    assert rewritten(run, Store(workspace), ["accuracy"]) == ("accuracy",)


def test_code_that_computes_something_else_is_told_with_family_probe_and_commit(
    workspace, made, edited, monkeypatch
):
    run = made()
    edited()
    monkeypatch.setattr(overlaps, "IOU", 0.6)
    wanted = "mine@1: the code computes something else since (accuracy: {}, commit 012345678)"
    assert sentences(workspace, run) == [wanted.format("matching, landmark-error +1")]
    (text,) = sentences(workspace, run, language="fr")
    assert text.startswith("mine@1\u202f: le code calcule autre chose depuis (accuracy: matching, ")
    assert rewritten(run, Store(workspace), ["accuracy"]) == ()


def test_the_files_that_differ_are_named_where_the_record_tells(
    workspace, made, edited, monkeypatch
):
    run = made()
    known = json.loads((run.folder / source_digest.CODE).read_text(encoding="utf-8"))
    known["files"]["gone/before.py"] = ["before", "before"]
    (run.folder / source_digest.CODE).write_text(json.dumps(known), encoding="utf-8")
    seal(run.folder)
    edited()
    monkeypatch.setattr(overlaps, "IOU", 0.6)
    (text,) = sentences(workspace, Run(run.folder))
    assert text.endswith("(accuracy: matching, landmark-error +1, gone/before.py)")


def test_a_change_of_training_is_nothing_to_a_run_that_only_evaluated(
    workspace, made, edited, monkeypatch
):
    evaluated = made("evaluated", stages=("evaluate", "benchmark"))
    trained = made("trained", stages=("train", "evaluate", "benchmark"), trained=True)
    edited()
    monkeypatch.setitem(parts.BOXES, "smooth-l1", parts.BOXES["ciou"])
    assert sentences(workspace, evaluated) == []
    (text,) = sentences(workspace, trained)
    assert "(training: loss, " in text
    assert sentences(workspace, trained, PARAMETERS) == []


def test_a_teacher_that_would_be_trained_otherwise_makes_its_student_stale(
    workspace, made, edited, monkeypatch
):
    teacher = made("teacher", stages=("train",), trained=True)
    text = f"{RECIPE_TEXT}distill: {{teacher: teacher}}\ntrain: {{loss: {{box: diou}}}}\n"
    student = made("student", text, stages=("train", "evaluate"), parents=[teacher], trained=True)
    edited()
    monkeypatch.setitem(parts.BOXES, "smooth-l1", parts.BOXES["ciou"])
    first, second = sentences(workspace, student)
    assert first.startswith("teacher@1: the code computes something else since (training: loss")
    assert second == "student@1 was made from teacher@1, its teacher, so it is stale too"


def test_probes_are_computed_once_for_a_state_and_equal_settings(
    workspace, made, edited, monkeypatch
):
    first, second = made("first"), made("second", RECIPE_TEXT + "seed: 7\n")
    other = made("other", RECIPE_TEXT + "evaluate: {nms_threshold: 0.3}\n")
    edited()
    computed = counted(monkeypatch)
    assert sentences(workspace, first) == []
    assert len(computed) > 5
    assert len(computed) == len(set(computed))
    computed.clear()
    assert sentences(workspace, second) == []
    assert computed == []
    assert sentences(workspace, other) == []
    assert set(computed) == {"detections", "suppression", "score-border"}
    probe_cache.cache_of.cache_clear()  # as another program
    computed.clear()
    for run in (first, second, other):
        assert sentences(workspace, run) == []
    assert computed == []
    edited("edited again")
    assert sentences(workspace, first) == []
    assert len(computed) > 5


def test_nothing_is_kept_where_files_were_edited_meanwhile(workspace, made, edited, monkeypatch):
    run = made()
    edited()
    monkeypatch.setattr(probe_cache, "program_digest", lambda: "edited while it ran")
    assert sentences(workspace, run) == []
    assert not list((workspace.state / "cache" / "probes").glob("*"))


@pytest.mark.parametrize("damage", ["", "{", '{"probe": 1}\n', "\x00\xff"])
def test_a_damaged_cache_is_made_again(workspace, made, edited, damage):
    run = made()
    edited()
    folder = workspace.state / "cache" / "probes"
    folder.mkdir(parents=True)
    (folder / "edited.jsonl").write_text(damage, encoding="latin-1")
    assert sentences(workspace, run) == []
    probe_cache.cache_of.cache_clear()
    assert sentences(workspace, run) == []


def test_states_that_were_left_long_ago_are_forgotten(tmp_path):
    for number in range(12):
        cache = probe_cache.cache_of(tmp_path, f"state {number}")
        cache.keep_values({("matching", "settings"): [1.0]})
    assert len(list(tmp_path.glob("*.jsonl"))) <= STATES
    probe_cache.cache_of.cache_clear()
    assert probe_cache.cache_of(tmp_path, "state 11").values("matching", "settings") == [1.0]


def test_equal_within_the_tolerance_is_fresh_and_more_is_not(workspace, made, edited):
    def moved(by):
        def change(content):
            values = content["families"]["accuracy"]["probes"]["matching"]["values"]
            values[0] += by

        return change

    run = made()
    edited()
    assert sentences(workspace, rewrite(run, moved(1e-10))) == []
    (text,) = sentences(workspace, rewrite(run, moved(1e-7)))
    assert "(accuracy: matching, " in text


def test_a_probe_that_only_today_knows_is_no_change_and_one_that_is_gone_is(
    workspace, made, edited
):
    def without(content):
        del content["families"]["accuracy"]["probes"]["matching"]

    def beside(content):
        entry = {"values": [1.0], "tolerance": 1e-9}
        content["families"]["accuracy"]["probes"]["of-another-version"] = entry

    run = made()
    edited()
    assert sentences(workspace, rewrite(run, without)) == []
    (text,) = sentences(workspace, rewrite(run, beside))
    assert "(accuracy: of-another-version, " in text


def test_a_record_without_probes_says_so_unless_the_code_is_the_same(workspace, made):
    run = made(stages=(), trained=True)
    (run.folder / "checkpoints").mkdir()
    (run.folder / "checkpoints" / "best.safetensors").write_bytes(b"weights")
    assert sentences(workspace, run) == []
    dataclasses.replace(run.record, code="0" * 64).write(run.folder)
    seal(run.folder)
    run = Run(run.folder)
    wanted = (
        "mine@1 keeps no probes (training, accuracy) and the code changed since: whether it still"
        " computes the same can't be told"
    )
    assert sentences(workspace, run) == [wanted]
    assert sentences(workspace, run, language="fr")[0].startswith("mine@1 ne garde pas de sondes")
    (change,) = changes(run, Store(workspace), families(run, AP))
    assert change.stage == "evaluate"  # nothing needs to be trained again
    (change,) = changes(run, Store(workspace), ["training"])
    assert change.stage == "train"
    (run.folder / "checkpoints" / "best.safetensors").unlink()
    (change,) = changes(run, Store(workspace), families(run, AP))
    assert change.stage == "train"  # nothing is left to evaluate


def test_weights_of_a_run_without_probes_can_be_evaluated_afresh(workspace, made):
    old = made("mine", stages=(), trained=True)
    dataclasses.replace(old.record, code="0" * 64).write(old.folder)
    seal(old.folder)
    new = made("mine", stages=("evaluate",))
    parent = Parent(role="weights", run=old.id, seal=Run(old.folder).seal)
    dataclasses.replace(new.record, parents=(parent,)).write(new.folder)
    seal(new.folder)
    assert sentences(workspace, Run(new.folder)) == []


@pytest.mark.parametrize("content", ["", "[]", '{"schema": 2, "families": {}}', "{nothing"])
def test_damaged_probes_are_none(workspace, made, content):
    run = made()
    (run.folder / FILE).write_text(content, encoding="utf-8")
    dataclasses.replace(run.record, code="0" * 64).write(run.folder)
    seal(run.folder)
    (text,) = sentences(workspace, Run(run.folder))
    assert "keeps no probes (accuracy)" in text


def test_a_recipe_key_that_this_version_does_not_know_is_passed_over(workspace, made, edited):
    run = made()
    text = (run.folder / RECIPE).read_text(encoding="utf-8")
    (run.folder / RECIPE).write_text(
        text.replace("evaluate:\n", "evaluate:\n  of_another_version: 3\n"), encoding="utf-8"
    )
    seal(run.folder)
    edited()
    assert sentences(workspace, Run(run.folder)) == []


def test_a_variant_that_is_no_more_can_not_be_computed(workspace, made, edited, monkeypatch):
    run = made(text="extends: smoke\nmodel: {variant: v2}\n", stages=("benchmark",))
    edited()
    monkeypatch.delitem(VARIANTS, "v2")
    (text,) = sentences(workspace, run, PARAMETERS)
    assert text.startswith(
        "mine@1: the code changed since, and can't compute its probes again (model.variant: "
    )


def test_a_record_without_a_commit_says_that_it_does_not_know_where(
    workspace, made, edited, monkeypatch
):
    run = made()
    (run.folder / source_digest.CODE).unlink()
    dataclasses.replace(run.record, git=Git()).write(run.folder)
    seal(run.folder)
    edited()
    monkeypatch.setattr(overlaps, "IOU", 0.6)
    (text,) = sentences(workspace, Run(run.folder))
    assert text.endswith("(accuracy: matching, landmark-error +1)")


def test_what_an_unsealed_run_gives_is_not_kept(workspace, made, edited):
    run = made()
    (run.folder / "SEAL.json").unlink()
    edited()
    (verdict,) = verdicts(Run(run.folder), workspace, ["accuracy"])
    assert verdict.state == "same"
    kept = next((workspace.state / "cache" / "probes").glob("*")).read_text(encoding="utf-8")
    assert '"seal"' not in kept
