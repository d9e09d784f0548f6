"""What a person reads in the vault: golden notes, and honesty about data."""

import re

import pytest
from stand_ins.markdown_samples import unpadded

from experiments.conditions import Conditions
from experiments.metrics import Metric
from experiments.records.store import Store
from experiments.workspace.workspace import Workspace
from vault_sync.commands.sync import sync
from vault_sync.engine.text.markers import scan
from vault_sync.rendering.words import Words

NOTES = [
    "05-Results/Performance-Analysis.md",
    "05-Results/Comparative-Studies.md",
    "05-Results/Runs/v2@1.md",
    "Technical-Notes/Model-Pipeline/v2_monitor.md",
    "Templates/Experiment-Log-Template.md",
]


def read(workspace, path) -> str:
    return (workspace.vault / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("path", NOTES)
def test_notes_read_as_they_were_accepted(synced, golden, language, path):
    text = read(synced(language), path)
    text = re.sub(r"sha=[0-9a-f]{64}", "sha=...", text)
    text = re.sub(r"`[0-9a-f]{16}`", "`(seal)`", text)
    golden(f"{language}/{path}", text)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_board_shows_every_milestone_and_passes_none_on_synthetic_data(synced, language):
    workspace = synced(language)
    text = read(workspace, "05-Results/Milestones.md")
    for name, milestone in workspace.milestones.items():
        title = Words(language).sentence(milestone.titled(language))
        (row,) = [line for line in text.splitlines() if line.startswith(f"| {title}<br>")]
        assert f"`{name}` ({title})" in text
        reached = {"en": "**reached**", "fr": "**atteint**"}[language]
        if "widerface." in milestone.predicate:
            assert reached not in row


CLAIMS = [
    (
        {"dataset": "synthetic", "n": 80},
        "**Synthetic data, not WIDER FACE**: 80 images drawn by the tool, val split",
        "**Données synthétiques, et non WIDER FACE**\u202f: 80 images dessinées par l'outil",
    ),
    (
        {"dataset": "widerface", "n": 34, "complete": False},
        "34 images, not a WIDER FACE result",
        "34 images\u202f: ce n'est pas un résultat WIDER FACE",
    ),
    (
        {"dataset": "widerface", "n": 3226},
        "**WIDER FACE**, val split, 3,226 images",
        "**WIDER FACE**, partition val, 3\u202f226 images",
    ),
    (
        {"dataset": "my|set", "n": 5, "complete": False},
        "**my\\|set, not WIDER FACE**: 5 images, only a part of the val split",
        "**my\\|set, et non WIDER FACE**\u202f: 5 images, une partie seulement de la partition val",
    ),
]


@pytest.mark.parametrize(("about", "english", "french"), CLAIMS)
def test_every_table_says_what_data_it_speaks_of(about, english, french):
    taken = Conditions(protocol="original")
    metric = Metric(name="widerface.hard.ap", value=0.5, split="val", conditions=taken, **about)
    assert english in Words("en").claim(metric)
    assert french in Words("fr").claim(metric)
    assert str(about["n"])[-2:] in Words("fr").short(metric)


@pytest.mark.usefixtures("quick_plots")
@pytest.mark.parametrize("language", ["en", "fr"])
def test_runs_on_different_data_never_share_a_table(tmp_path, make_run, language):
    workspace = Workspace.create(tmp_path, language=language)
    workspace.vault.mkdir()
    make_run(workspace, "v1")
    make_run(workspace, "v1-official", dataset="widerface", n=34, complete=False)
    make_run(workspace, "sized", metrics={"params.total": 426_608})
    report = sync(workspace)
    assert report.refused == []
    words = Words(language)
    for path in NOTES[:2]:
        (block, *_) = scan((workspace.vault / path).read_bytes()).blocks
        text = block.body.decode()
        for table in re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE):
            shown = [name for name in ("v1", "v1-official", "sized") if f"[[{name}@1]]" in table]
            assert len(shown) <= 1
        for metric in (
            Store(workspace).find("v1").primary,
            Store(workspace).find("v1-official").primary,
        ):
            assert words.claim(metric) in text
        assert words.say("claim.none") in text
        assert "34 images" in text
    assert sync(workspace).written == []


@pytest.mark.usefixtures("quick_plots")
def test_what_was_not_measured_is_said(workspace, make_run):
    make_run(workspace, "v1")
    make_run(workspace, "v2", metrics={"widerface.mean_ap": 0.5})
    sync(workspace)
    text = unpadded(read(workspace, NOTES[0]))
    assert "| [[v2@1]] | `v1` | not measured | not measured | not measured | 50.0% |" in text


@pytest.mark.usefixtures("quick_plots")
def test_the_log_shows_runs_that_did_not_finish(workspace, make_run):
    make_run(workspace, "v1", status="interrupted")
    make_run(workspace, "v1", status="failed")
    assert sync(workspace).refused == []
    text = unpadded(read(workspace, "Technical-Notes/Model-Pipeline/v1_monitor.md"))
    assert "| v1@1 | interrupted |" in text
    assert "| v1@2 | failed |" in text
    assert "has been run 2 times" in text
    assert not (workspace.vault / "05-Results/Runs").exists()


def test_cited_and_aimed_at_figures_are_never_results(synced):
    text = unpadded(read(synced(), "02-Literature-Review/Ultra-Light-Models.md"))
    published, _, targets = text.partition("### Targets of this thesis")
    assert "**cited**, not measured in this thesis" in published
    assert "_Cited results, which were not measured here._" in published
    assert "**targets**, not results" in targets
    assert "_Targets of the thesis, which are no results._" in targets
    assert "(goal)" not in published


@pytest.mark.parametrize(
    ("seconds", "english", "french"),
    [(1.25, "1.2 s", "1,2 s"), (75, "1 min 15 s", "1 min 15 s"), (3720, "1 h 2 min", "1 h 2 min")],
)
def test_lengths_of_time(seconds, english, french):
    assert Words("en").duration(seconds) == english
    assert Words("fr").duration(seconds) == french


def test_the_language_may_change(thesis):
    workspace = thesis("en")
    config = workspace.root / "thesis.toml"
    config.write_text(config.read_text(encoding="utf-8").replace('"en"', '"fr"'), encoding="utf-8")
    changed = Workspace.open(workspace.root)
    assert sync(changed).problem is None
    text = read(changed, NOTES[0])
    assert "# Performance analysis" in text
    assert "Données synthétiques" in text
