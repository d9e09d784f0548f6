"""What the benchmark seals: counts without weights, times with what disturbed them, ratios."""

import numpy as np
import pytest
from stand_ins.machines import CalmMachine

from experiments.benchmarking.further_cases import time_files
from experiments.claims.checking import check
from experiments.comparison.compare import compare
from experiments.disturbances import Disturbances
from experiments.metrics import CASE
from experiments.recipe.resolve import resolve
from experiments.records.seal import verify
from experiments.records.store import Store
from experiments.running import runner
from featherface.errors import NotFoundError, UsageError
from featherface.networks.detector import build
from featherface.profiling import machine
from featherface.profiling.config import BenchmarkConfig
from featherface.variants.table import variant
from featherface.weights.checkpoints import save_weights

pytestmark = pytest.mark.usefixtures("traced_once", "weighed_here")
QUICK = ("benchmark.image_size=64", "benchmark.runs=10", "benchmark.threads=1")


@pytest.fixture
def measure(workspace):
    """Run the benchmark stage of a recipe, with weights where they are asked for."""

    def go(name, *overrides, weights=True, said=None, stages=("benchmark",)):
        changes = [*QUICK, *overrides]
        if weights:
            path = workspace.root / f"{name}.safetensors"
            save_weights(path, build(variant(name), seed=0))
            changes.append(f"model.weights={path}")
        recipe = resolve(name, workspace, changes)
        listen = {"on_message": said.append} if said is not None else {}
        return runner.run(workspace, recipe, stages=stages, **listen)

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


def test_further_statistics_are_sealed_with_their_conditions(measure):
    run = measure("v3-nano", "benchmark.runs=21")
    times = np.array(run.results["details"]["benchmark"]["runs_ms"])
    wanted = {
        "latency.cpu.mean_ms": times.mean(),
        "latency.cpu.std_ms": times.std(),
        "latency.cpu.p95_ms": np.sort(times)[19],
        "throughput.cpu.pictures_per_s": 1000 / times.mean(),
    }
    assert {name: run.metric(name).value for name in wanted} == pytest.approx(wanted)
    assert run.metric("latency.cpu.p99_ms") is None
    median, mean = (run.metric(f"latency.cpu.{name}_ms") for name in ("median", "mean"))
    assert (mean.conditions, mean.n) == (median.conditions, 21)
    assert run.results["details"]["benchmark"]["statistics_ms"]["p99"] == times.max()


@pytest.mark.slow
def test_cases_of_sizes_batches_and_engines_are_sealed_under_names_of_their_own(measure):
    run = measure(
        "v3-nano",
        "benchmark.runs=2",
        "benchmark.sizes=[64, 96]",
        "benchmark.batches=[1, 2]",
        "benchmark.engines=[torch, onnxruntime]",
    )
    assert verify(run.folder) == []
    for by in ("torch", "onnxruntime"):
        for side in (64, 96):
            for batch in (1, 2):
                metric = run.metric(f"latency.cpu.{by}.{side}.b{batch}.median_ms")
                conditions = metric.conditions
                assert (conditions.sizes, conditions.batch) == (((side, side),), batch)
                assert (conditions.engine, conditions.threads) == (by, 1)
    assert run.metric("latency.cpu.onnxruntime.96.b2.ratio").value > 0
    assert run.metric("latency.cpu.torch.96.b2.ratio") is None
    assert len(run.results["details"]["benchmark"]["cases"]) == 8
    title = run.metric("throughput.cpu.onnxruntime.96.b2.pictures_per_s").kind.title("en")
    assert title == "CPU throughput (onnxruntime, 96², batch 2)"


def test_a_recipe_that_asks_for_no_cases_has_none_and_its_digest_stays(workspace, measure):
    run = measure("v3-nano", "benchmark.runs=2")
    assert not [name for name in names(run) if CASE.fullmatch(name)]
    plain = resolve("v3-nano", workspace).recipe
    assert resolve("v3-nano", workspace, ["benchmark.sizes=[]"]).recipe.digest == plain.digest
    assert resolve("v3-nano", workspace, ["benchmark.sizes=[96]"]).recipe.digest != plain.digest
    with pytest.raises(UsageError, match="did you mean 'onnxruntime'"):
        resolve("v3-nano", workspace, ["benchmark.engines=[onnxrun]"])


def test_exported_files_are_timed_in_turns_with_the_network(workspace, measure):
    run = measure(
        "v3-nano",
        "benchmark.runs=2",
        "benchmark.exports=true",
        "export.parity_sizes=[[64, 64]]",
        stages=("export",),
    )
    assert verify(run.folder) == []
    metric = run.metric("latency.cpu.onnx.64.b1.median_ms")
    assert (metric.conditions.engine, metric.n) == ("onnxruntime", 2)
    assert run.metric("latency.cpu.onnx.64.b1.ratio").value > 0
    assert run.metric("latency.cpu.torch.64.b1.median_ms").conditions.engine == "torch"
    assert run.results["details"]["export"]["not_timed"] == {}


def test_a_file_that_nothing_here_runs_is_told_and_the_others_are_timed(tmp_path):
    model = build(variant("v3-nano"), seed=0).eval()
    other = tmp_path / "network.mlpackage"
    other.write_bytes(b"made elsewhere")
    config = BenchmarkConfig(image_size=64, runs=2, warmup=0, threads=1, device="cpu")
    timed = time_files(model, {"coreml": other}, config, "v3-nano@1")
    assert timed.metrics == []
    assert "not for times" in timed.missing["coreml"]
