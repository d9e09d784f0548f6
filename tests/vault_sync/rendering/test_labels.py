"""Every generated table and figure has a caption and an id that no other one has."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stand_ins.captions import LABEL, unlabelled, unparted

from experiments.workspace.workspace import Workspace
from vault_sync.commands.sync import sync
from vault_sync.engine.text.markers import scan
from vault_sync.rendering.labels import FIGURE, TABLE, block_part, italic, new_label
from vault_sync.rendering.markdown import Safe

NAMES = st.from_regex(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,30}[A-Za-z0-9_])?", fullmatch=True)
"""What experiments may be called."""
WEEKLY = "weekly"
"""A report of the days of one week, which no chapter refers to."""


@given(st.sets(st.tuples(NAMES, st.integers(1, 30)), min_size=2, max_size=6))
def test_blocks_of_other_runs_have_other_ids(runs):
    blocks = [f"run.{name}@{version}" for name, version in runs]
    parts = {block_part(block) for block in blocks}
    assert len(parts) == len(blocks)
    assert all(re.fullmatch(r"[a-z0-9-]{1,60}", part) for part in parts)


def test_names_that_differ_in_a_sign_only_have_other_ids():
    blocks = ["run.a-b@1", "run.a.b@1", "run.a_b@1", "run.A-b@1", "progress.a-b", "progress.a.b"]
    assert len({block_part(block) for block in blocks}) == len(blocks)
    assert block_part("run.a-b@1") == "run-a-b-1"


def test_ids_of_a_block_name_it_and_what_is_shown():
    used = set()
    ids = [
        new_label(used, TABLE, "results", "accuracy", "widerface-val"),
        new_label(used, TABLE, "results", "accuracy", "widerface-val"),
        new_label(used, TABLE, "run.v2-plus@12", "over_seeds", ""),
        new_label(used, FIGURE, "results", "precision-recall", "v2"),
    ]
    assert ids == [
        "tbl-results-accuracy-widerface-val",
        "tbl-results-accuracy-widerface-val-2",
        "tbl-run-v2-plus-12-over-seeds",
        "fig-results-precision-recall-v2",
    ]
    assert used == set(ids)


def test_a_long_block_id_is_cut_and_stays_its_own():
    runs = [f"a-rather-long-name-{number}@1" for number in range(6)]
    parts = {block_part(f"comparison.{'+'.join(runs[:count])}") for count in range(2, 7)}
    assert len(parts) == 5
    assert max(map(len, parts)) <= 60


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("AP of **v1**", "*AP of v1.*"),
        (r"a \* b", r"*a \* b.*"),
        ("Ends here.", "*Ends here.*"),
    ],
)
def test_captions_are_sentences_in_italics(text, written):
    assert italic(Safe(text)) == written


def generated(workspace):
    """Yield id and text of each block of the vault but those of weeks."""
    for path in sorted(workspace.vault.rglob("*.md")):
        content = path.read_bytes()
        for block in scan(content).blocks:
            if block.template != WEEKLY:
                yield block.id, block.body.decode()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_table_and_figure_of_a_vault_has_a_caption_and_an_id_of_its_own(synced, language):
    blocks = dict(generated(synced(language)))
    assert {name: bare for name, text in blocks.items() if (bare := unlabelled(text))} == {}
    assert {name: bare for name, text in blocks.items() if (bare := unparted(text))} == {}
    ids = re.findall(r"\^(?:tbl|fig)-[a-z0-9-]+$", "\n".join(blocks.values()), re.MULTILINE)
    assert len(ids) > 20
    assert [name for name, count in Counter(ids).items() if count > 1] == []


def test_ids_stay_when_another_run_and_other_data_come(synced_copy, make_run):
    workspace = synced_copy()
    before = labels(workspace)
    make_run(workspace, "another", variant="v2", dataset="synthetic", split="train")
    sync(workspace)
    after = labels(Workspace.open(workspace.root))
    assert before.keys() <= after.keys()
    for block, ids in before.items():
        assert set(ids) <= set(after[block]), block
    assert "^tbl-results-accuracy-synthetic-train" in after["results"]


def labels(workspace):
    return {
        name: re.findall(LABEL.pattern + "$", text, re.MULTILINE)
        for name, text in generated(workspace)
    }
