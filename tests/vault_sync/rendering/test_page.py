from __future__ import annotations

import pytest

from experiments.conditions import Conditions
from experiments.metrics import Metric
from vault_sync.rendering.page import group
from vault_sync.rendering.words import Words


@pytest.mark.parametrize(("other", "tables"), [("a" * 64, 1), ("b" * 64, 2)])
def test_runs_on_other_versions_of_the_data_share_no_table(workspace, make_run, other, tables):
    runs = [
        make_run(
            workspace,
            name,
            metrics=[
                Metric(
                    name="widerface.hard.ap",
                    value=0.5,
                    unit="fraction",
                    dataset="synthetic",
                    split="val",
                    conditions=Conditions(protocol="original"),
                    n=4,
                    fingerprint=fingerprint,
                )
            ],
        )
        for name, fingerprint in (("v1", "a" * 64), ("v2", other))
    ]
    assert len(group(runs, Words("en"))) == tables
