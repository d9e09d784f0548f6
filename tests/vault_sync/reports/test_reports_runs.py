"""The reports that speak of runs: training, protocol, networks, exports, ablations, baseline."""

import dataclasses
import re

import numpy as np
import pytest
from stand_ins.captions import unlabelled, unparted

from experiments.earlier_conditions import from_text
from experiments.metrics import Metric
from experiments.records import writer
from experiments.records.store import Store
from experiments.workspace.workspace import Workspace
from featherface.errors import RefusedError
from featherface.evaluation.matches import MatchRecords, SubsetMatches
from vault_sync.commands.sync import sync
from vault_sync.rendering.figures import Figures
from vault_sync.rendering.jinja import render
from vault_sync.rendering.links import Links, LinkStyle
from vault_sync.rendering.page import Page
from vault_sync.rendering.sources import Sources
from vault_sync.reports import REPORTS, progress
from vault_sync.reports.sections.trends import remarks

IMAGES = 60
V1_PARTS = {
    "backbone": 213_072,
    "attention": 11_528,
    "neck": 84_010,
    "neck_attention": 1_401,
    "context": 173_565,
    "heads": 5_088,
}
V2_PARTS = {
    "backbone": 213_072,
    "attention": 586,
    "neck": 18_386,
    "neck_attention": 586,
    "context": 11_952,
    "heads": 11_424,
}
COSTS = {
    "v1": {"params.total": 488_664, "params.paper_counted": 420_189, "macs.640": 979_000_000},
    "v2": {"params.total": 256_006, "params.paper_counted": 255_988, "macs.640": 498_000_000},
}
SHORT = {"model.channels": 32, "model.neck": "bifpn-light", "model.attention": "cbam-shared"}


def matched(skill):
    """Make match records of the same pictures and faces for every SKILL, from 0 to 1."""
    random = np.random.default_rng(7)
    names = tuple(f"0--Parade/{place:04d}" for place in range(IMAGES))
    reach = np.linspace(0.3, 1.0, 1000)
    subsets = {}
    for subset, chance in (("easy", 0.9), ("medium", 0.8), ("hard", 0.6)):
        faces = random.integers(1, 9, IMAGES).astype(np.int32)
        luck = random.random((IMAGES, 9))
        found = (luck < chance * skill)[:, :8]
        found = np.array([row[:count].sum() for row, count in zip(found, faces, strict=True)])
        hits = np.floor(found[:, None] * reach).astype(np.int32)
        extra = np.floor(random.integers(0, 3, IMAGES)[:, None] * reach**6).astype(np.int32)
        subsets[subset] = SubsetMatches(faces=faces, proposals=hits + extra, hits=hits)
    return MatchRecords(images=names, subsets=subsets)


def described(variant, *formats):
    """Give what results.json says of each stage beside the metrics."""
    name = {"onnx": f"{variant}.onnx", "tflite": f"{variant}.tflite"}
    return {
        "train": {"weights": "checkpoints/best.safetensors"},
        "evaluate": {"faces": {"easy": 47, "medium": 161, "hard": 186}},
        "benchmark": {"components": V1_PARTS if variant == "v1" else V2_PARTS},
        "export": {
            "artifacts": [
                {
                    "path": f"exports/{name[one]}",
                    "format": one,
                    "sha256": f"{place}5" * 32,
                    "megabytes": 1.605819 + place,
                    "parity": 4.5e-6 if one == "onnx" else 0.0,
                    "landmarks_parity": 6.4e-6,
                    **({"precision": "fp16"} if one == "tflite" else {}),
                }
                for place, one in enumerate(formats)
            ]
        },
    }


@pytest.fixture
def make_scored(make_run):
    """Write a run whose APs are those of its match records."""

    def make(workspace, experiment, variant="v2", skill=0.8, formats=("onnx",), **more):
        matches = matched(skill)
        aps = {name: matches.ap(name) for name in matches.subsets}
        metrics = {f"widerface.{name}.ap": ap for name, ap in aps.items()}
        metrics |= {"widerface.mean_ap": sum(aps.values()) / len(aps), **COSTS[variant]}
        more = {"details": described(variant, *formats), "n": IMAGES} | more
        return make_run(
            workspace, experiment, variant=variant, metrics=metrics, matches=matches, **more
        )

    return make


@pytest.fixture
def study(tmp_path, make_scored):
    """Make a workspace in a language: a teacher, two versions of a student, three ablations."""

    def make(language="en"):
        workspace = Workspace.create(tmp_path / language, language=language, title="A thesis")
        workspace.vault.mkdir()
        teacher = make_scored(workspace, "v1", "v1", 0.95)
        recipe = SHORT | {"distill.alpha": 0.5, "export.opset": 20, "export.tolerance": 1e-4}
        taught = {"parents": [teacher], "recipe": recipe}
        make_scored(workspace, "v2", skill=0.78, **taught)
        taught["recipe"] = recipe | {"train.lr": 0.004, "train.epochs": 6, "train.patience": 2}
        make_scored(workspace, "v2", formats=("onnx", "tflite"), **taught)
        tags = {"tags": ("ablation:v2",), "events": False}
        plain = taught["recipe"]
        off = {"recipe": plain | {"model.attention": "none"}, "parents": [teacher]}
        make_scored(workspace, "v2-no-attention", skill=0.6, **tags, **off)
        make_scored(workspace, "v2-twin", skill=0.8, **tags, **taught)
        make_scored(workspace, "v2-untaught", skill=0.75, recipe=recipe, **tags)
        return workspace

    return make


def show(workspace, template, block="", **attributes):
    """Render one block as a sync would."""
    sources = Sources(workspace)
    places = {f"run/{run.id}": f"05-Results/Runs/{run.id}.md" for run in sources.sealed}
    style, language = LinkStyle(), sources.words.language
    figures = Figures(workspace.state / "figures", style, language)
    page = Page(sources, Links("Note.md", style, places), figures, block or template, attributes)
    values = REPORTS[template](page)
    return "" if values is None else render(language, template, values)


BLOCKS = {
    "progress": "progress.v2",
    "pipeline": "pipeline.v2",
    "protocol": "",
    "architecture": "",
    "exports": "",
    "ablation": "",
    "baseline": "",
    "hypotheses": "",
    "performance": "",
    "comparison": "",
}


@pytest.mark.usefixtures("quick_plots")
@pytest.mark.parametrize("language", ["en", "fr"])
def test_blocks_read_as_they_were_accepted(study, golden, language):
    workspace = study(language)
    for template, block in BLOCKS.items():
        text = show(workspace, template, block)
        golden(f"{language}/blocks/{template}.md", text)
        assert unlabelled(text) == []
        assert unparted(text) == []


@pytest.mark.parametrize("template", [name for name in BLOCKS if name != "baseline"])
def test_before_the_first_run_a_block_says_nothing(workspace, template):
    assert show(workspace, template, BLOCKS[template]) == ""


def test_before_the_first_run_the_baseline_names_the_command(workspace):
    text = show(workspace, "baseline")
    assert "cited" in text
    assert "`thesis run v1`" in text


@pytest.mark.usefixtures("quick_plots")
@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_table_has_equal_columns(study, language):
    workspace = study(language)
    for template, block in BLOCKS.items():
        for table in re.findall(r"(?:^\|.*\n)+", show(workspace, template, block), re.MULTILINE):
            counts = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
            assert len(counts) == 1, (template, table)


@pytest.mark.usefixtures("quick_plots")
def test_a_second_sync_of_all_reports_writes_nothing(study):
    workspace = study()
    report = sync(workspace)
    assert (report.conflicts, report.refused) == ([], [])
    again = sync(workspace)
    assert again.written == [], again.diffs
    note = (workspace.vault / "05-Results/Ablation-Study.md").read_text(encoding="utf-8")
    assert "[[v2-no-attention@1]]" in note


HOSTILE = ("a|b", "[[x]]", "-->", "%%", "<%* x %>", "`$= x`", "../x", "CON", "x" * 300)


@pytest.mark.usefixtures("quick_plots")
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_break_no_table_and_no_marker(workspace, make_run, name):
    details = described("v2", "onnx")
    details["benchmark"] = {"components": {name: 5, "heads": 7}}
    details["export"]["artifacts"][0] |= {"path": name, "format": name, "sha256": name, name: name}
    hostile = {"details": details, "variant": name, "hypothesis": name}
    recipe = {f"train.{name.replace('.', '')}": name, "train.optimizer": name}
    for place, tags in enumerate(((), (), (f"ablation:{name}",), ("ablation:v2",))):
        experiment = ("v2", "v2", "v2-a", "v2-b")[place]
        make_run(workspace, experiment, tags=tags, seed=place, recipe=recipe, **hostile)
    for template, block in BLOCKS.items():
        text = show(workspace, template, block)
        plain = re.sub(r"%%`thesis [^%\n]*%%", "", text)  # for the student alone
        plain = re.sub(r"`[^`\n]*`", "", plain)
        for sign in ("<%", "%%", "[[x]]", "-->"):
            assert sign not in plain, template
        for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
            counts = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
            assert len(counts) == 1, (template, table)


class TestProgress:
    @pytest.mark.parametrize("count", [1, 3, 10, 47, 350, 640])
    def test_long_trainings_are_condensed(self, count):
        epochs = [{"epoch": at, "loss": 100.0 / at} for at in range(1, count + 1)]
        best = epochs[count // 3]
        shown = progress.shown_epochs(epochs, best)
        assert {epochs[0]["epoch"], epochs[-1]["epoch"], best["epoch"]} <= {
            one["epoch"] for one in shown
        }
        assert len(shown) <= 13
        assert shown == sorted(shown, key=lambda one: one["epoch"])

    def test_unsealed_runs_are_named_without_numbers(self, workspace, make_run):
        make_run(workspace, "v2", status="interrupted")
        text = show(workspace, "progress", "progress.v2")
        assert "v2@1 (interrupted)" in text
        assert "|" not in text
        log = show(workspace, "pipeline", "pipeline.v2")
        (row,) = re.findall("^.* interrupted .*$", log, re.MULTILINE)
        assert re.search(r"\| interrupted \| [\d-]+ \| \S+ s \| 5 \| – \| – \| – \|", row)

    @pytest.mark.usefixtures("quick_plots")
    def test_a_version_of_the_same_recipe_is_said_to_be_so(self, workspace, make_scored):
        for _ in range(2):
            make_scored(workspace, "v2")
        assert "Nothing that the records know changed" in show(workspace, "progress", "progress.v2")

    @pytest.mark.usefixtures("quick_plots")
    def test_versions_on_other_data_are_not_set_side_by_side(self, workspace, make_scored):
        make_scored(workspace, "v2")
        make_scored(workspace, "v2", dataset="widerface", complete=False)
        text = show(workspace, "progress", "progress.v2")
        assert "their values are not set side by side" in text
        assert "not a WIDER FACE result" in text


def epochs_of(losses, scores=()):
    found = [{"epoch": at, "loss": loss} for at, loss in enumerate(losses, 1)]
    for one, score in zip(found, scores, strict=False):
        one["mean_ap"] = score
    return found


TRENDS = [
    ([4, 3, 2, 1], [0.1, 0.2, 0.3, 0.4], ["fell at every epoch", "highest at the end (40.0%)"]),
    ([4, 3, 2, 1], [0.1, 0.4, 0.3, 0.2], ["20.0 pt lower at the end, while", "does not prove it"]),
    ([4, 1, 2, 3], [0.1, 0.4, 0.3, 0.2], ["20.0 pt lower at the end.", "2 times out of 3"]),
    ([4, 3, 5, 6], [], ["ended higher than it began: 6.000 after 4.000", "was not measured"]),
    ([4, 3, 3.3, 2], [], ["rose once", "epoch 3 (+10.0%)", "went from 3.300 to 2.000 (−39.4%)"]),
    ([2, 1], [0.1], ["after the last epoch only"]),
]


@pytest.mark.parametrize(("losses", "scores", "said"), TRENDS)
def test_trends_say_what_the_data_shows(workspace, make_run, losses, scores, said):
    run = make_run(workspace, events=False)
    sources = Sources(workspace)
    page = Page(sources, Links("N.md", LinkStyle(), {}), None, "progress.v1", {})
    text = "\n".join(remarks(page, run, epochs_of(losses, scores)))
    for one in said:
        assert one in text
    if len(losses) < 4:
        assert "quarter" not in text


class TestAblation:
    @pytest.mark.usefixtures("quick_plots")
    def test_established_only_where_the_interval_excludes_zero(self, study):
        text = show(study(), "ablation")
        assert re.search(r"no-attention@1\]\] \|.*−.*\*\*AP Easy.*Mean AP\*\* \|", text)
        (twin,) = [one for one in text.splitlines() if "twin@1]] | 0 pt" in one]
        assert twin.endswith("| none |")

    @pytest.mark.usefixtures("quick_plots")
    def test_what_was_switched_is_told_and_mixed_changes_are_warned_of(self, study):
        text = show(study(), "ablation")
        assert "Attention: CBAM, one spatial gate for all levels → –" in text
        assert "Teacher: [[v1@1]] → –" in text
        assert "nothing that the records know" in text
        (warning,) = [one for one in text.splitlines() if one.startswith("More than one thing")]
        assert "v2-no-attention" not in warning

    @pytest.mark.usefixtures("quick_plots")
    def test_without_a_base_on_the_same_data_there_is_no_difference(self, workspace, make_scored):
        make_scored(workspace, "v2", dataset="widerface", complete=False)
        make_scored(workspace, "v2-bare", tags=("ablation:v2",))
        text = show(workspace, "ablation")
        assert "`thesis run v2`" in text
        assert "pt (" not in text

    @pytest.mark.usefixtures("quick_plots")
    def test_without_match_records_nothing_is_established(self, workspace, make_run):
        for name, tags in (("v2", ()), ("v2-bare", ("ablation:v2",))):
            make_run(workspace, name, tags=tags)
        assert "unknown: no match records" in show(workspace, "ablation")

    @pytest.mark.usefixtures("quick_plots")
    def test_each_set_of_data_has_its_own_tables(self, workspace, make_scored):
        for about in ({}, {"dataset": "widerface", "complete": False}):
            make_scored(workspace, "v2", **about)
        make_scored(workspace, "a", tags=("ablation:v2",))
        make_scored(workspace, "b", tags=("ablation:v2",), dataset="widerface", complete=False)
        text = show(workspace, "ablation")
        first, _, second = text.partition("not a WIDER FACE result**")
        assert "[[a@1]]" in first
        assert "[[v2@1]]" in first
        assert "[[b@1]]" in second
        assert "[[v2@2]]" in second

    @pytest.mark.usefixtures("quick_plots")
    def test_a_seed_is_set_against_the_base_of_the_same_seed(self, workspace, make_scored):
        for seed, skill in enumerate((0.8, 0.6)):
            make_scored(workspace, "v2", skill=skill, seed=seed)
        for seed, skill in enumerate((0.7, 0.7)):
            off = {"tags": ("ablation:v2",), "recipe": {"model.attention": "none"}}
            make_scored(workspace, "v2-off", skill=skill, seed=seed, **off)
        text = show(workspace, "ablation")
        assert "More than one thing" not in text
        worse, better = (line for line in text.splitlines() if "v2-off@" in line and " pt" in line)
        assert (worse.count("−") >= 4, "+" in worse) == (True, False)
        assert better.count("+") >= 4
        (row,) = [line for line in text.splitlines() if line.startswith("| v2-off |")]
        one, other, mean = (
            float(part.removesuffix(" pt").replace("−", "-"))
            for part in row.strip("| ").split(" | ")[1:4]
        )
        assert one < 0 < other
        assert mean == pytest.approx((one + other) / 2, abs=0.1)
        assert row.endswith("| nothing: the seeds disagree |")

    @pytest.mark.usefixtures("quick_plots")
    @pytest.mark.parametrize(
        ("skills", "claim"),
        [
            ((0.60, 0.58), "nothing yet: 2 of 5 seeds"),
            ((0.60, 0.58, 0.62, 0.59, 0.61), "**less accurate than the base**"),
            ((0.60, 0.79, 0.62, 0.40, 0.78), "nothing: it may be chance"),
        ],
    )
    def test_seeds_decide_what_may_be_claimed(self, workspace, make_scored, skills, claim):
        off = {"tags": ("ablation:v2",), "recipe": {"model.attention": "none"}}
        for seed, skill in enumerate(skills):
            make_scored(workspace, "v2", skill=0.8, seed=seed)
            make_scored(workspace, "v2-off", skill=skill, seed=seed, **off)
        text = show(workspace, "ablation")
        (row,) = [line for line in text.splitlines() if "| v2-off |" in line]
        assert row.endswith(f"| {claim} |")
        assert "attachments/ablation-v2-seeds.png" in text
        assert ("(" in row) is (len(skills) >= 5)  # the interval

    @pytest.mark.usefixtures("quick_plots")
    def test_a_build_up_is_told_step_by_step(self, workspace, make_scored):
        full = {"model.attention": "cbam", "model.neck": "bifpn"}
        make_scored(workspace, "v2", skill=0.9, recipe=full)
        tags = {"tags": ("ablation:v2",)}
        half = full | {"model.neck": "none"}
        make_scored(workspace, "v2-up-to-attention", skill=0.8, recipe=half, **tags)
        none = half | {"model.attention": "none"}
        make_scored(workspace, "v2-bare", skill=0.6, recipe=none, **tags)
        text = show(workspace, "ablation")
        _, _, steps = text.partition("Step by step")
        rows = [line for line in steps.splitlines() if line.startswith("| [[v2")]
        assert [re.search(r"v2[\w-]*", line)[0] for line in rows] == ["v2-up-to-attention", "v2"]
        assert "Attention: – → CBAM" in rows[0]
        assert "Neck: – → BiFPN" in rows[1]
        assert all(row.count("+") == 4 for row in rows)
        first = text.index("[[v2-bare@1]]")
        assert text.index("[[v2@1]]") < first < text.index("[[v2-up-to-attention@1]]")

    @pytest.mark.usefixtures("quick_plots")
    def test_other_chapters_leave_ablations_out(self, study):
        workspace = study()
        for template in ("performance", "comparison", "protocol", "architecture", "exports"):
            assert "no-attention" not in show(workspace, template)

    @pytest.mark.usefixtures("quick_plots")
    def test_the_base_is_the_version_that_the_ablations_were_made_from(self, study, make_scored):
        workspace = study()
        make_scored(workspace, "v2", recipe={"train.lr": 0.1, "train.epochs": 100})
        text = show(workspace, "ablation")
        assert "| [[v2@2]] | base |" in text
        assert "v2@3" not in text

    @pytest.mark.usefixtures("quick_plots")
    @pytest.mark.parametrize("template", ["protocol", "architecture", "exports", "performance"])
    def test_a_broken_record_is_refused_by_name(self, study, template):
        workspace = study()
        (Store(workspace).find("v2").folder / "results.json").write_text("{", encoding="utf-8")
        with pytest.raises(RefusedError, match=r"v2@2 was changed"):
            show(workspace, template)

    def test_a_changed_record_is_refused(self, study):
        workspace = study()
        run = Store(workspace).find("v2-twin")
        (run.folder / "log.txt").write_text("changed", encoding="utf-8")
        with pytest.raises(RefusedError, match="changed afterwards"):
            show(workspace, "ablation")


class TestComparison:
    @pytest.mark.usefixtures("quick_plots")
    def test_many_runs_get_a_row_each(self, workspace, make_scored):
        for place in range(5):
            make_scored(workspace, f"e{place}", skill=0.6 + place / 20)
        text = show(workspace, "comparison")
        assert "[[e0@1]], [[e1@1]], [[e2@1]], [[e3@1]] and [[e4@1]] side by side" in text
        assert "| Less e0@1 | AP Easy |" in text
        assert all(line.count("|") < 12 for line in text.splitlines())

    @pytest.mark.usefixtures("quick_plots")
    def test_times_of_two_machines_have_no_difference(self, workspace, make_run):
        first = make_run(workspace, "a")
        second = make_run(workspace, "b", status="interrupted")
        record = dataclasses.replace(
            second.record, status="finished", finished="x", hardware={"cpu": "another"}
        )
        earlier = [
            dataclasses.replace(one, conditions=one.conditions.manner) for one in first.metrics
        ]
        writer.write_results(second.folder, earlier)
        writer.finish(second.folder, record)
        text = show(workspace, "comparison")
        (row,) = [one for one in text.splitlines() if one.startswith("| CPU latency, median")]
        assert row.endswith("41.5\u00a0ms | 41.5\u00a0ms | – |")
        assert "must not be compared" in text


@pytest.mark.usefixtures("quick_plots")
class TestSeeds:
    def test_each_is_shown_and_few_claim_nothing(self, workspace, make_run):
        for seed in range(5):
            make_run(workspace, "v1", seed=seed, metrics={"widerface.hard.ap": 0.5 + seed / 100})
        for seed in range(2):
            make_run(workspace, "v2", seed=seed, variant="v2")
        text = show(workspace, "comparison")
        assert "| v1 | 3 | [[v1@4]] |" in text
        assert "| v1 | mean of 5 |  |" in text
        assert "| 52.0% (50.0 to 54.0) |" in text.replace("\N{NO-BREAK SPACE}", " ")
        assert "Fewer than 5 seeds of v2: nothing is claimed" in text
        assert "Welch" not in text

    def test_one_seed_each_needs_no_table(self, workspace, make_run):
        make_run(workspace, "v1")
        make_run(workspace, "v2", variant="v2")
        assert "seed only" not in show(workspace, "comparison")


class TestBaseline:
    def test_the_whole_split_is_held_against_the_publication(self, workspace, make_run):
        metrics = {"widerface.easy.ap": 0.9, "widerface.medium.ap": 0.88, "widerface.hard.ap": 0.76}
        about = {"dataset": "widerface", "n": 3226, "metrics": metrics}
        make_run(workspace, "v1-official", variant="v1-official", **about)
        text = show(workspace, "baseline")
        assert "| −2.6 pt | −2.2 pt | −2.1 pt | – |" in text
        assert "| AP Hard | 78.3%, less 0.5 pt | 76.0%: fails |" in text
        assert "| Recall Hard | 81.7%, less 1.0 pt | not measured |" in text

    @pytest.mark.usefixtures("quick_plots")
    def test_other_data_is_not(self, study):
        text = show(study(), "baseline")
        assert "must not be compared with the published ones" in text
        assert "pt" not in re.findall(r"measured here.*?###", text, re.DOTALL)[0].split()
        assert "| AP Hard | 78.3%, less 0.5 pt | not measured |" in text


class TestArchitecture:
    @pytest.mark.usefixtures("quick_plots")
    def test_components_that_do_not_add_up_are_said(self, workspace, make_run):
        details = {"benchmark": {"components": {"backbone": 5, "novel|part": 7}}}
        make_run(workspace, "v1", details=details)
        text = show(workspace, "architecture")
        assert "do not add up" in text
        assert "novel\\|part | 7 (58.3%)" in text

    @pytest.mark.usefixtures("quick_plots")
    def test_zero_is_told_from_nothing(self, workspace, make_run):
        parts = {"backbone": 5, "shuffle": 0}
        for name, passes in (("v2", 0), ("v2-ultra", 3)):
            recipe = {"model.enhancement_passes": passes}
            details = {"benchmark": {"components": parts}}
            make_run(workspace, name, variant=name, recipe=recipe, details=details)
            parts = {"backbone": 5}
        text = show(workspace, "architecture")
        assert "| Passes of progressive enhancement | 0 | 3 |" in text
        assert "| Channel shuffle | 0 (0%) | – |" in text

    def test_the_pictures_are_drawn(self, study):
        workspace = study("fr")
        for template in ("architecture", "ablation"):
            assert ".png)" in show(workspace, template)
        kept = list((workspace.state / "figures").glob("*.png"))
        assert all(one.read_bytes().startswith(b"\x89PNG") for one in kept)

    @pytest.mark.usefixtures("quick_plots")
    def test_a_switch_that_a_variant_turns_on_is_told(self, workspace, make_run):
        for name, on in (("v2", False), ("v2-ultra", True)):
            recipe = {"model.feature_recycling": on, "model.attention_passes": 1 + 2 * on}
            make_run(workspace, name, variant=name, recipe=recipe, details=described("v2"))
        text = show(workspace, "architecture")
        assert "| Feature recycling | – | yes |" in text
        assert "| Passes of the attention | 1 | 3 |" in text
        text = show(workspace, "hypotheses")
        assert "Feature recycling: no → yes" in text

    @pytest.mark.usefixtures("quick_plots")
    def test_a_list_that_the_baseline_has_too_is_no_change(self, workspace, make_run):
        make_run(workspace, recipe={"model.prior_ratios": [1.0]})
        assert "Height over width" not in show(workspace, "hypotheses")
        make_run(workspace, recipe={"model.prior_ratios": [1.0, 1.5]})
        assert "Height over width of the priors: 1 → 1, 1.5" in show(workspace, "hypotheses")


@pytest.mark.usefixtures("quick_plots")
def test_a_key_that_an_older_record_lacks_is_no_change(workspace, make_scored):
    make_scored(workspace, "v2")
    make_scored(workspace, "v2", recipe={"train.patience": 0, "model.attention_kernel": 7})
    assert "Nothing that the records know changed" in show(workspace, "progress", "progress.v2")
    make_scored(workspace, "v2", recipe={"train.patience": 3})
    assert "| Early stop, evaluations without progress | 0 | 3 |" in show(
        workspace, "progress", "progress.v2"
    )


class TestProtocol:
    def test_settings_of_later_versions_are_listed_as_they_are_called(self, workspace, make_run):
        make_run(workspace, recipe={"train.assigner": "simota"})
        assert "| `train.assigner` | `simota` |" in show(workspace, "protocol")

    def test_more_trainings_than_a_page_holds_are_parted(self, workspace, make_run):
        for place in range(6):
            make_run(workspace, f"e{place}")
        text = show(workspace, "protocol")
        assert text.count("| Setting |") == 2
        assert all(line.count("|") <= 6 for line in text.splitlines())


@pytest.mark.usefixtures("quick_plots")
@pytest.mark.parametrize(
    ("language", "mark", "note"),
    [("en", "(disturbed)", "not left alone"), ("fr", "(mesure perturbée)", "autre chose")],
)
def test_notes_show_a_disturbed_time_with_its_mark_and_no_difference(
    workspace, make_run, language, mark, note
):
    spoken = Workspace.open(workspace.root, {"language": language})
    for name, marks in (("a", ("disturbed",)), ("b", ())):
        latency = Metric(
            name="latency.cpu.median_ms",
            value=46.0,
            unit="ms",
            marks=marks,
            conditions=from_text("640×640, batch 1, 1 threads"),
        )
        make_run(spoken, name, metrics=[latency])
    for template in ("performance", "comparison"):
        text = show(spoken, template)
        assert text.count(mark) == 1, template
        assert note in text, template
    (row,) = [line for line in show(spoken, "comparison").splitlines() if mark in line]
    assert row.endswith("| – |")


@pytest.mark.usefixtures("quick_plots")
@pytest.mark.parametrize(
    ("language", "mark", "claim"),
    [
        ("en", " (on its training pictures)", "was trained on these pictures"),
        ("fr", " (sur ses images d'entraînement)", "a été entraîné sur ces images"),
    ],
)
def test_notes_show_an_ap_on_training_pictures_with_its_mark_and_no_difference(
    workspace, make_run, language, mark, claim
):
    spoken = Workspace.open(workspace.root, {"language": language})
    for name, marks in (("a", ("overlap",)), ("b", ())):
        score = Metric(
            name="widerface.mean_ap",
            value=0.9,
            unit="fraction",
            dataset="synthetic",
            split="val",
            n=IMAGES,
            fingerprint="f" * 64,
            marks=marks,
        )
        make_run(spoken, name, metrics=[score], matches=False)
    for template in ("performance", "comparison"):
        text = show(spoken, template)
        assert text.count(mark) == 1, template
        assert claim in text, template
    assert "b@1 − a@1" not in show(spoken, "comparison")
