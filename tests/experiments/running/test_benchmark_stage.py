"""What the benchmark seals: counts without weights, times with what disturbed them, ratios."""

import pytest
from stand_ins.machines import CalmMachine

from experiments.claims.checking import check
from experiments.comparison.compare import compare
from experiments.disturbances import Disturbances
from experiments.recipe.resolve import resolve
from experiments.records.seal import verify
from experiments.records.store import Store
from experiments.running import runner
from featherface.errors import NotFoundError, UsageError
from featherface.networks.detector import build
from featherface.profiling import machine
from featherface.variants.table import variant
from featherface.weights.checkpoints import save_weights

QUICK = ("benchmark.image_size=64", "benchmark.runs=10", "benchmark.threads=1")


@pytest.fixture
def measure(workspace):
    """Run the benchmark stage of a recipe, with weights where they are asked for."""

    def go(name, *overrides, weights=True, said=None):
        changes = [*QUICK, *overrides]
        if weights:
            path = workspace.root / f"{name}.safetensors"
            save_weights(path, build(variant(name), seed=0))
            changes.append(f"model.weights={path}")
        recipe = resolve(name, workspace, changes)
        listen = {"on_message": said.append} if said is not None else {}
        return runner.run(workspace, recipe, stages=["benchmark"], **listen)

    return go


def busy(monkeypatch):
    monkeypatch.setattr(machine, "THIS", CalmMachine(tick=1.0, others=1.5))


def names(run):
    return [metric.name for metric in run.metrics]


def test_parameters_are_counted_without_training_and_the_claim_passes(workspace, measure):
    (before,) = check(workspace, ["v2-parameters"])
    assert [step.text() for step in before.steps] == ["thesis run v2 --stage benchmark"]
    said = []
    run = measure("v2", weights=False, said=said)
    assert (run.status, verify(run.folder)) == ("sealed", [])
    assert names(run) == ["params.total", "macs.640", "size.fp32_mb"]
    assert any("thesis run v2" in text for text in said)
    (after,) = check(workspace, ["v2-parameters"])
    assert (after.state, after.runs) == ("pass", (run,))


def test_a_time_is_claimed_of_weights_so_the_step_trains_where_there_are_none(workspace, measure):
    measure("v2", weights=False)
    (outcome,) = check(workspace, ["mobile-ready"])
    assert "thesis run v2" in [step.text() for step in outcome.steps]
    assert not any("--stage" in step.text() for step in outcome.steps)


@pytest.mark.parametrize(("name", "counted"), [("v1-official", 488_661), ("v2", None)])
def test_only_what_a_paper_counted_is_counted_as_in_the_paper(measure, name, counted):
    metric = measure(name, weights=False).metric("params.paper_counted")
    assert (metric and metric.value) == counted


def test_an_earlier_records_count_that_no_paper_gives_is_passed_over(workspace, make_run):
    counts = {"params.total": 256_006, "params.paper_counted": 255_988}
    run = make_run(workspace, "v2", metrics=counts)
    assert names(run) == ["params.total"]
    assert len(run.results["metrics"]) == 2
    assert verify(run.folder) == []


def test_a_machine_that_is_left_alone_leaves_no_mark(measure):
    run = measure("v2")
    assert run.metric("latency.cpu.median_ms").marks == ()
    about = run.results["details"]["benchmark"]["circumstances"]
    assert about["disturbances"] == []
    assert len(about["reference_ms"]) == 5
    assert run.record.warnings == ()


def test_a_busy_machines_latency_is_kept_marked_and_explained(workspace, measure, monkeypatch):
    busy(monkeypatch)
    said = []
    run = measure("v2", said=said)
    for name in ("median_ms", "p90_ms"):
        assert run.metric(f"latency.cpu.{name}").marks == ("disturbed",)
    assert run.metric("memory.peak_mb").marks == run.metric("params.total").marks == ()
    (warning,) = run.record.warnings
    assert warning in said
    assert "other programs wanted 50% of the cores" in warning
    assert warning.endswith("thesis run v2@1 --stage benchmark --new")
    about = Disturbances.recorded(run.results)
    assert "d'autres programmes voulaient 50" in about.text("fr")


def test_a_disturbed_latency_is_claimed_nowhere_and_the_step_measures_again(
    workspace, measure, monkeypatch
):
    busy(monkeypatch)
    measure("v2", "benchmark.image_size=640")
    (outcome,) = check(workspace, ["mobile-ready"])
    assert outcome.state == "not_measurable"
    assert "taken on a machine that was not left alone: other programs wanted" in outcome.reason()
    assert "servait à autre chose" in outcome.reason("fr")
    assert "thesis run v2@1 --stage benchmark --new" in [step.text() for step in outcome.steps]


def test_networks_beside_are_timed_in_turns_and_their_ratio_is_sealed(workspace, measure):
    first = measure("v1")
    second = measure("v2", f"benchmark.beside=[{first.id}]")
    ratio = second.metric("latency.cpu.ratio.v1")
    assert ratio.value == pytest.approx(1.0)  # a tick each, on this machine
    assert ratio.conditions == second.metric("latency.cpu.median_ms").conditions
    assert ("beside", "v1@1", first.seal) in [
        (parent.role, parent.run, parent.seal) for parent in second.record.parents
    ]
    (entry,) = second.results["details"]["benchmark"]["beside"]
    assert len(entry["runs_ms"]) == entry["ratio"]["pairs"] == 10
    comparison = compare([first, second], resamples=0)
    row = comparison.row("latency.cpu.ratio.v1")
    assert row.intervals[0] is None
    assert row.intervals[1].low <= ratio.value <= row.intervals[1].high
    said = [note.text() for note in comparison.notes]
    assert any("v2@1 and v1@1 were timed in turns" in text for text in said)
    assert not any("one after the other" in text for text in said)


def test_what_can_not_be_timed_beside_is_refused_before_anything_is_written(workspace, measure):
    counted = measure("v2", weights=False)
    with pytest.raises(NotFoundError, match="v2@1 has no weights"):
        measure("v1", f"benchmark.beside=[{counted.id}]")
    with pytest.raises(NotFoundError):
        measure("v1", "benchmark.beside=[nosuch@1]")
    pair = [measure("v1").id, measure("v1").id]
    with pytest.raises(UsageError, match="several runs of v1"):
        measure("v2", f"benchmark.beside=[{','.join(pair)}]")
    assert len(Store(workspace).runs("v2")) == 1
