"""What the student says of a run: kept apart from what nobody said, and spelt one way."""

import json

import pytest

from experiments.records.annotations import (
    VERDICTS,
    RunAnnotations,
    beside,
    read_tags,
    read_verdict,
)
from experiments.records.run import Run
from experiments.records.store import Store
from featherface.errors import DataError, UsageError


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"note": "", "tags": (), "hypothesis": ""},
        {"note": "Été\n\tok", "verdict": "open", "analysis": "a", "next_steps": "b"},
    ],
)
def test_what_was_never_said_is_not_what_is_empty(tmp_path, said):
    RunAnnotations(**said).write(tmp_path / "001")
    assert RunAnnotations.read(tmp_path / "001") == RunAnnotations(**said)


def test_a_file_of_the_first_form_says_nothing_where_it_is_empty(tmp_path):
    old = {"labels": ["a"], "note": "", "hypothesis": "H", "verdict": "", "tags": []}
    beside(tmp_path / "001").write_text(json.dumps(old), encoding="utf-8")
    assert RunAnnotations.read(tmp_path / "001") == RunAnnotations(labels=("a",), hypothesis="H")


@pytest.mark.parametrize("text", ["[]", "{", '{"tags": 3}', "\udcff"])
def test_a_damaged_file_is_named(tmp_path, text):
    beside(tmp_path / "001").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(DataError, match=r"001\.notes\.json"):
        RunAnnotations.read(tmp_path / "001")


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        *((word, name) for name, words in VERDICTS.items() for word in (name, *words)),
        ("Confirmée", "confirmed"),
        ("confirmee", "confirmed"),
        ("  NON-CONCLUANT ", "inconclusive"),
        ("re\u0301fute\u0301", "refuted"),
        ("", ""),
    ],
)
def test_verdicts_are_read_in_both_languages(text, verdict):
    assert read_verdict(text) == verdict


def test_an_unknown_verdict_names_the_nearest_and_all():
    with pytest.raises(UsageError, match="did you mean 'confirmed'") as raised:
        read_verdict("confirmd")
    assert "inconclusive" in raised.value.hint


def test_tags_lose_their_sign_and_their_doubles():
    assert read_tags(["#été", "a/b-c_d", "a/b-c_d", "e\u0301"]) == ("été", "a/b-c_d", "e\u0301")


@pytest.mark.parametrize(
    "tag", ["", "two words", "2026", "a,b", "x|y", "[[x]]", "#", "ablation:v2"]
)
def test_what_can_be_no_tag_is_refused(tag):
    with pytest.raises(UsageError, match="can't be a tag"):
        read_tags([tag])


def test_the_store_keeps_the_spelling_and_the_rest(workspace, make_run):
    run = make_run(workspace, labels=("mine",))
    store = Store(workspace)
    store.annotate(run, verdict="réfutée", tags=["#x"])
    store.annotate(run, note="later")
    said = Run(run.folder).annotations
    assert said == RunAnnotations(labels=("mine",), verdict="refuted", tags=("x",), note="later")
    assert Run(run.folder).tags == ("baseline", "x")
    assert store.summaries()[0].tags == ("baseline", "x")


def test_an_emptied_hypothesis_is_not_the_recipes(workspace, make_run):
    run = make_run(workspace)
    Store(workspace).annotate(run, hypothesis="")
    assert (Run(run.folder).hypothesis, run.record.hypothesis != "") == ("", True)


@pytest.mark.parametrize("label", ["v1", "taken", "a b", "@last", ""])
def test_labels_that_mean_something_else_are_refused(workspace, make_run, label):
    make_run(workspace, "v1", labels=("taken",))
    run = make_run(workspace, "v2")
    with pytest.raises(UsageError, match="label"):
        Store(workspace).annotate(run, labels=(label,))
    assert run.labels == ()
