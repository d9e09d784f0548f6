from __future__ import annotations

from experiments.records.dataframes import history, metrics


def test_a_frame_holds_each_metric_with_its_evidence(workspace, make_run) -> None:
    first, second = make_run(workspace, "v1"), make_run(workspace, "v2")
    frame = metrics([first, second])
    assert set(frame["run"]) == {first.id, second.id}
    row = frame[(frame["run"] == second.id) & (frame["name"] == "widerface.hard.ap")].iloc[0]
    metric = second.metric("widerface.hard.ap")
    assert metric is not None
    assert row["value"] == metric.value
    assert (row["evidence"], row["seal"]) == ("measured", second.seal)


def test_no_run_gives_an_empty_frame_with_the_same_columns(workspace, make_run) -> None:
    assert list(metrics([]).columns) == list(metrics([make_run(workspace, "v1")]).columns)


def test_history_has_a_row_per_epoch(workspace, make_run) -> None:
    run = make_run(workspace, "v1")
    frame = history(run)
    assert len(frame) == len(run.events("epoch"))
    assert "loss" in frame.columns
