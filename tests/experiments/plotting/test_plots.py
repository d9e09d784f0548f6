"""Plots are the same bytes for the same numbers, in two languages, and never mix data."""

import dataclasses

import numpy as np
import pytest

from experiments.comparison.compare import compare
from experiments.metrics import Metric
from experiments.plotting import format_plots, run_plots
from experiments.plotting.comparison_plots import _caption, draw_comparison
from experiments.plotting.data_plots import draw_statistics
from experiments.plotting.format_plots import ap_of_formats
from experiments.plotting.pareto import pareto
from experiments.plotting.pareto_points import front, has_front, of_runs
from experiments.plotting.published_curves import PublishedCurve
from experiments.wording.formats import FORMATS
from featherface.data.annotation import Annotations
from featherface.data.config import SyntheticConfig
from featherface.data.synthetic.dataset import draw
from featherface.data.widerface import open_split

PNG = b"\x89PNG\r\n\x1a\n"


def test_plots_are_deterministic_and_bilingual(workspace, make_run):
    run = make_run(workspace, matches=True)
    records = {run.id: run.matches()}
    for draw_one in (
        lambda language: run_plots.loss_curves(run, language),
        lambda language: run_plots.precision_recall(
            records, language, run_plots.caption(run, language)
        ),
        lambda language: pareto([run], language=language),
    ):
        english, french = draw_one("en"), draw_one("fr")
        assert english.startswith(PNG)
        assert english == draw_one("en")
        assert english != french
    assert b"Software" not in english


def test_a_run_without_training_or_matches_has_no_plot(workspace, make_run):
    run = make_run(
        workspace,
        events=False,
        metrics={"params.total": 1},
        dataset="widerface",
        recipe={"data.root": "widerface"},
    )
    assert run_plots.draw_record(run) == {}
    assert run_plots.caption(run) == ""
    assert pareto([run]) == b""


def test_published_results_never_share_a_plot_with_synthetic_ones(workspace, make_run):
    run = make_run(workspace)
    cited = workspace.cited.values()
    assert pareto([run], cited) == pareto([run])
    real = make_run(workspace, "v2", dataset="widerface", n=3226)
    assert pareto([real], cited) != pareto([real])


@pytest.mark.parametrize(
    ("about", "text"),
    [
        ({}, "Synthetic images, split val, 80 images"),
        ({"dataset": "widerface", "n": 34, "complete": False}, "34 images, not a WIDER FACE"),
        ({"dataset": "widerface", "n": 3226}, "WIDER FACE, split val, 3,226 images"),
    ],
)
def test_captions_say_on_what(workspace, make_run, about, text):
    assert run_plots.caption(make_run(workspace, **about)).startswith(text)


def test_formats_are_those_the_command_line_offers():
    assert list(FORMATS) == ["md", "latex", "csv", "json"]


def test_what_is_drawn_adds_up_to_the_total(workspace, make_run):
    taught = {"teacher_soft": 0.5, "teacher_box": 0.25, "teacher_landmark": 2.0}
    truth = {"box": 1.0, "face": 2.0, "landmark": 5.0}
    weights = {"train.box_weight": 2.0, "train.landmark_weight": 0.2}
    weights |= {"distill.box_weight": 3.0, "distill.landmark_weight": 0.1}
    recipe = weights | {"distill.alpha": 0.25}
    run = make_run(workspace, "v2", recipe=recipe, events=False)
    total = 0.75 * (2 + 2 + 1) + 0.25 * (0.5 + 0.75 + 0.2)
    lines = run_plots._losses(run, [{"loss": total} | truth | taught], "fr")
    assert [label for label, _ in lines] == ["totale", "annotations × 0,75", "enseignant × 0,25"]
    assert lines[1][1][0] + lines[2][1][0] == pytest.approx(lines[0][1][0])


def test_the_front_holds_what_no_other_beats():
    points = [(3, 0.8), (1, 0.5), (2, 0.4), (3, 0.7), (5, 0.8), (4, 0.9)]
    assert front(points) == [(1, 0.5), (3, 0.8), (4, 0.9)]
    assert front([]) == []


@pytest.mark.parametrize("cost", ["params.total", "macs.640", "latency.cpu.median_ms"])
def test_other_protocols_get_a_plane_of_their_own(workspace, make_run, cost):
    run = make_run(workspace, "v2", dataset="widerface", n=3226)
    cited = workspace.cited.values()
    alone, beside = (pareto([run], cited, cost=cost, others=others) for others in (False, True))
    assert alone.startswith(PNG)
    assert (alone == beside) == (cost == "latency.cpu.median_ms")  # nobody published latencies
    part = make_run(workspace, "v2", dataset="widerface", n=34, complete=False)
    assert pareto([part], cited, others=True) == pareto([part], others=False)


@pytest.mark.slow
def test_a_comparison_draws_what_it_can(workspace, make_run):
    runs = [
        make_run(workspace, name, dataset="widerface", n=3226, matches=True)
        for name in ("v1", "v2")
    ]
    comparison = compare(runs, resamples=0)
    curve = PublishedCurve(np.array([1.0, 0.5]), np.array([0.4, 0.8]))
    pictures, warnings = draw_comparison(comparison, (), {"Other": {"hard": curve}})
    names = ["pareto-params", "pareto-macs", "pareto-latency", "precision-recall"]
    assert list(pictures) == names
    plain = {run.id: run.matches() for run in runs}
    alone = run_plots.precision_recall(plain, "en", run_plots.caption(runs[0]))
    assert alone != pictures["precision-recall"]
    assert warnings == []
    part = [make_run(workspace, name, dataset="widerface", n=34, complete=False) for name in "ab"]
    _, warnings = draw_comparison(compare(part), (), {"Other": {"hard": curve}}, "fr")
    assert "toute la partition de validation" in warnings[0]


@pytest.mark.slow
def test_a_data_set_is_drawn_in_two_languages(tmp_path):
    draw(tmp_path / "set", SyntheticConfig(image_size=96, train_images=1, val_images=3))
    split = open_split(tmp_path / "set", "val")
    english, french = draw_statistics(split), draw_statistics(split, "fr")
    assert list(english) == ["heights", "faces-per-image", "attributes"]
    assert all(png.startswith(PNG) for png in english.values())
    assert all(english[name] != french[name] for name in english)
    nobody = dataclasses.replace(split, annotations=Annotations(()))
    assert draw_statistics(nobody) == {}


def test_a_disturbed_time_is_drawn_with_its_mark_and_carries_no_front(workspace, make_run):
    def timed(name, ap, milliseconds, marks=()):
        latency = Metric(name="latency.cpu.median_ms", value=milliseconds, unit="ms", marks=marks)
        score = Metric(name="widerface.hard.ap", value=ap, unit="fraction", dataset="synthetic")
        return make_run(workspace, name, metrics=[latency, score])

    runs = [timed("v1", 0.5, 80.0), timed("v2", 0.6, 8.0, ("disturbed",))]
    points = of_runs(runs, "latency.cpu.median_ms", "widerface.hard.ap", "fr")
    assert [point.label for point in points] == ["v1@1", "v2@1 (mesure perturbée)"]
    assert [point.claims for point in points] == [True, False]
    assert pareto(runs, cost="latency.cpu.median_ms").startswith(PNG)


def test_an_ap_on_training_pictures_is_drawn_with_its_mark_and_carries_no_front(
    workspace, make_run
):
    def sized(name, ap, count, marks=()):
        size = Metric(name="params.total", value=count, unit="parameters")
        score = Metric(
            name="widerface.hard.ap", value=ap, unit="fraction", dataset="synthetic", marks=marks
        )
        return make_run(workspace, name, metrics=[size, score])

    runs = [sized("v1", 0.5, 488_664), sized("v2", 0.9, 256_006, ("overlap",))]
    points = of_runs(runs, "params.total", "widerface.hard.ap", "en")
    assert [point.label for point in points] == ["v1@1", "v2@1 (on its training pictures)"]
    assert [point.claims for point in points] == [True, False]
    assert run_plots.caption(runs[1]).endswith("(on its training pictures)")


def test_the_foot_of_curves_says_what_each_run_is_of_where_they_differ(workspace, make_run):
    drawn = make_run(workspace, "v1", n=10)
    whole = make_run(workspace, "v2", dataset="widerface", n=3226)
    assert _caption([drawn, drawn], "en") == run_plots.caption(drawn)
    assert _caption([drawn, whole], "en").splitlines() == [
        f"v1@1: {run_plots.caption(drawn)}",
        f"v2@1: {run_plots.caption(whole)}",
    ]


def test_scores_of_a_training_on_drawn_pictures_are_called_so_before_any_evaluation(
    workspace, make_run
):
    assert "Synthetic" in run_plots.caption(make_run(workspace, "v1", metrics={}))


def format_point(run="v2@1", name="ONNX", **about):
    return {
        "run": run,
        "format": name,
        "ap": 0.7,
        "latency": 20.0,
        "megabytes": 1.2,
        "marked": False,
        **about,
    }


def test_a_format_without_a_point_is_not_in_the_key(monkeypatch):
    keys = []
    monkeypatch.setattr(format_plots, "_key", lambda _, runs, formats: keys.append((runs, formats)))
    points = [format_point("v1@1"), format_point("v2@1"), format_point(name="TFLite", ap=None)]
    assert ap_of_formats(points, "34 images").startswith(PNG)
    assert keys == [(["v1@1", "v2@1"], ["ONNX"])]


def test_formats_are_drawn_by_latency_and_size_in_two_languages_and_a_mark_is_seen():
    points = [format_point(), format_point(name="ONNX INT8", ap=0.69, latency=12.0)]
    plain = ap_of_formats(points, "34 images")
    assert plain.startswith(PNG)
    assert plain == ap_of_formats(points, "34 images")
    assert plain != ap_of_formats(points, "34 images", "fr")
    assert plain != ap_of_formats([points[0], points[1] | {"marked": True}], "34 images")
    assert plain != ap_of_formats([*points, format_point(run="v1@1")], "34 images")


def test_formats_without_ap_or_without_any_cost_are_not_drawn():
    assert ap_of_formats([format_point(ap=None)], "") == b""
    assert ap_of_formats([format_point(latency=None, megabytes=None)], "") == b""
    assert ap_of_formats([format_point(latency=None)], "").startswith(PNG)


def test_a_front_is_told_of_only_where_one_is_drawn(workspace, make_run):
    def run(name, parameters, ap):
        return make_run(
            workspace, name, metrics={"params.total": parameters, "widerface.hard.ap": ap}
        )

    small, large = run("v2", 256_000, 0.5), run("v1", 489_000, 0.4)
    better = run("v1-wide", 600_000, 0.6)
    assert not has_front([])
    assert not has_front([small, large])  # the larger one is beaten in both
    assert has_front([small, large, better])
    assert pareto([small, large, better]) != pareto([small, large])


def test_intervals_of_ap_are_drawn(workspace, make_run):
    runs = [make_run(workspace, "v1"), make_run(workspace, "v2", variant="v2")]
    ends = {run.id: (0.5, 0.6) for run in runs}
    assert pareto(runs, ends=ends) != pareto(runs)
    assert pareto(runs, ends={"another@1": (0.5, 0.6)}) == pareto(runs)


def test_a_run_without_detections_has_no_empty_axes(workspace, make_run):
    run = make_run(workspace, matches=True)
    record = run.matches()
    none = dataclasses.replace(
        record,
        subsets={
            name: dataclasses.replace(
                counts,
                hits=np.zeros_like(counts.hits),
                proposals=np.zeros_like(counts.proposals),
            )
            for name, counts in record.subsets.items()
        },
    )
    assert run_plots.precision_recall({"v1@1": none}) == b""
    assert run_plots.precision_recall({"v1@1": none, "v2@1": record}).startswith(PNG)
