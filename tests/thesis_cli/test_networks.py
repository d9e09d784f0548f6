"""A network is variant, tensors and settings: all three travel, whatever a command is given."""

from __future__ import annotations

import json
import shutil

import pytest
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from experiments.recipe.resolve import resolve
from experiments.records.run import Run
from experiments.running import runner
from experiments.workspace.workspace import Workspace
from featherface.inference import running_statistics
from featherface.networks.detector import build
from featherface.variants.table import variant
from featherface.weights.checkpoints import save_weights
from featherface.weights.network_settings import SETTINGS, network_settings

pytestmark = pytest.mark.usefixtures("traced_once")
ODD = {
    "leak": 0.35,
    "prior_sizes": ((12, 20), (40, 60), (80, 90)),
    "variances": (0.15, 0.3),
    "pixel_mean": (90.0, 100.0, 110.0),
    "channel_order": "rgb",
    "pixel_scale": 0.01,
    "prior_probability": 0.5,
}
"""Settings that change no tensor's name or shape, and what is found."""


def odd_recipe():
    lines = [f"  {key}: {json.dumps(value)}" for key, value in ODD.items()]
    return "\n".join(["extends: smoke", "model:", "  variant: v3-nano", *lines, ""])


@pytest.fixture(scope="module")
def trained(tmp_path_factory, small_set):
    """A workspace with a sealed run of odd settings: trained, evaluated, exported."""
    workspace = Workspace.create(tmp_path_factory.mktemp("odd") / "thesis")
    workspace.vault.mkdir()
    (workspace.recipes / "odd.yaml").write_text(odd_recipe(), encoding="utf-8")
    changes = [
        *(f"data.root={small_set.as_posix()}", "train.epochs=1", "train.batch_size=3"),
        *("train.image_size=64", "train.device=cpu"),
    ]
    stages = ("train", "evaluate", "export")
    runner.run(workspace, resolve("odd", workspace, changes), stages=stages)
    return workspace


@pytest.fixture
def run(trained):
    return Run(trained.runs / "odd" / "001")


def pictures(small_set):
    images = small_set / "WIDER_val" / "images"
    return ("--images", images, "--ground-truth", small_set)


def aps(data):
    return {name: subset["ap"] for name, subset in data["subsets"].items()}


def sealed_aps(run):
    return {name: run.metric(f"widerface.{name}.ap").value for name in ("easy", "medium", "hard")}


def test_a_sealed_runs_own_file_gives_the_runs_ap_outside_of_it(
    thesis, valid, run, small_set, tmp_path
):
    outside, kept = tmp_path / "anywhere.safetensors", tmp_path / "kept"
    outside.write_bytes(run.weights.read_bytes())
    network = ("--variant", "v3-nano", "--weights", outside, "--save-predictions", kept)
    data = valid(thesis("eval", "widerface", *network, *pictures(small_set), "--json"))
    assert aps(data) == sealed_aps(run)
    assert max(sealed_aps(run).values()) > 0
    assert data["settings"] == json.loads(json.dumps(ODD))
    files = sorted(kept.rglob("*.txt"))
    assert files
    for file in files:
        recorded = run.folder / "predictions" / file.relative_to(kept)
        assert file.read_bytes() == recorded.read_bytes()


def test_every_file_of_weights_that_a_run_leaves_carries_its_settings(run):
    files = sorted((run.folder / "checkpoints").glob("*.safetensors"))
    assert {file.name for file in files} >= {"best.safetensors", "last.safetensors"}
    for file in files:
        assert network_settings(file).config == variant("v3-nano", **ODD)


def test_the_exported_file_of_a_run_carries_its_settings(run):
    onnx = pytest.importorskip("onnx")
    (file,) = run.folder.rglob("*.onnx")
    props = {entry.key: entry.value for entry in onnx.load(file).metadata_props}
    kept = json.loads(props["model"])
    assert {key: kept[key] for key in ODD} == json.loads(json.dumps(ODD))
    assert (props["channel_order"], props["pixel_scale"]) == ("rgb", "0.01")


def test_a_variant_may_be_left_out_where_the_file_says_it(thesis, valid, run, small_set):
    data = valid(
        thesis("eval", "widerface", "--weights", run.weights, *pictures(small_set), "--json")
    )
    assert (data["variant"], aps(data)) == ("v3-nano", sealed_aps(run))


def test_weights_that_say_no_variant_name_those_that_fit(thesis, tmp_path, small_set):
    path = tmp_path / "bare.safetensors"
    state = build(variant("v3-nano"), seed=0).state_dict()
    save_file({name: value.contiguous() for name, value in state.items()}, path)
    answer = thesis("eval", "widerface", "--weights", path, *pictures(small_set))
    assert answer.code == 2
    assert "it fits v3-nano" in answer.err
    assert "--variant v3-nano" in answer.err


def test_a_run_gives_variant_weights_and_settings(thesis, valid, trained, run, small_set):
    given = ("--run", "odd@1", *pictures(small_set))
    data = valid(thesis("eval", "widerface", *given, "--json", workspace=trained))
    assert (data["variant"], aps(data)) == ("v3-nano", sealed_aps(run))


def test_set_wins_over_a_run_aloud(thesis, valid, trained, run, small_set):
    sizes = "[[16, 32], [64, 128], [256, 512]]"
    given = ("--run", "odd", *pictures(small_set), "--set", f"model.prior_sizes={sizes}")
    answer = thesis("eval", "widerface", *given, "--json", workspace=trained)
    data = valid(answer)
    assert "prior_sizes" not in data["settings"]  # those of the variant again
    assert aps(data) != sealed_aps(run)
    before = "[[12, 20], [40, 60], [80, 90]]"
    wanted = f"--set model.prior_sizes={sizes} wins over {before}, which odd@1 needs"
    assert wanted in answer.json["warnings"]


def test_set_wins_over_a_file_aloud(thesis, run, small_set):
    picture = next((small_set / "WIDER_val" / "images").rglob("*.jpg"))
    given = ("--weights", run.weights, "--set", "leak=0.1", "--json")
    answer = thesis("detect", picture, *given)
    assert answer.code == 0
    (warning,) = answer.json["warnings"]
    assert warning == "--set model.leak=0.1 wins over 0.35, which best.safetensors needs"


def test_detections_of_a_run_are_those_of_its_file(thesis, valid, trained, run, small_set):
    picture = next((small_set / "WIDER_val" / "images").rglob("*.jpg"))
    of_run = valid(
        thesis("detect", picture, "--run", "odd@1", "--score", 0.3, "--json", workspace=trained)
    )
    of_file = valid(thesis("detect", picture, "--weights", run.weights, "--score", 0.3, "--json"))
    assert of_run == of_file
    assert of_run[0]["faces"]


def test_a_benchmark_measures_the_network_of_a_run(thesis, valid, trained):
    given = ("--run", "odd@1", "--size", 64, "--runs", 2, "--json")
    data = valid(thesis("benchmark", *given, workspace=trained))
    assert data["name"] == "odd@1"
    changed = valid(thesis("benchmark", "v1", "--set", "model.channels=40", *given[2:]))
    plain = valid(thesis("benchmark", "v1", *given[2:]))
    assert changed["parameters"] < plain["parameters"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--run", "odd@1", "--variant", "v1"), 2, "--run and --variant exclude each other"),
        (("--run", "odd@7"), 3, "odd@7"),
        (("--run", "odd@1", "--set", "model.leek=0.1"), 2, "leak"),
        (("--run", "odd@1", "--set", "leak"), 2, "write it like model.channels=48"),
        (("--run", "odd@1", "--set", "model.leak=7"), 2, "model.leak"),
    ],
)
def test_what_names_no_network_is_refused(thesis, trained, small_set, arguments, code, message):
    picture = next((small_set / "WIDER_val" / "images").rglob("*.jpg"))
    answer = thesis("detect", picture, *arguments, workspace=trained)
    assert answer.code == code
    assert message in answer.err


def test_a_damaged_record_gives_no_network(thesis, trained, small_set, tmp_path):
    copy = tmp_path / "thesis"
    shutil.copytree(trained.root, copy)
    recipe = copy / "runs" / "odd" / "001" / "recipe.yaml"
    recipe.write_text(recipe.read_text(encoding="utf-8").replace("0.35", "0.1"), encoding="utf-8")
    picture = next((small_set / "WIDER_val" / "images").rglob("*.jpg"))
    answer = thesis("detect", picture, "--run", "odd@1", workspace=Workspace.open(copy))
    assert answer.code == 1
    assert "its sealed record was changed: recipe.yaml" in answer.err


def test_imported_weights_carry_the_settings_that_were_set(thesis, valid, workspace, tmp_path):
    source = tmp_path / "theirs.safetensors"
    state = build(variant("v3-nano"), seed=0).state_dict()
    save_file({name: value.contiguous() for name, value in state.items()}, source)
    settings = ("--set", "model.channel_order=rgb", "--set", "model.pixel_scale=0.0078125")
    answer = thesis(
        *("model", "import", source, "--variant", "v3-nano", *settings, "--json"),
        workspace=workspace,
    )
    made = valid(answer)
    assert made["settings"] == {"channel_order": "rgb", "pixel_scale": 0.0078125}
    path = workspace.root / made["weights"]
    assert network_settings(path).config.channel_order == "rgb"
    # The command that is suggested next seals what the file says, not the variant's defaults.
    recipe = resolve("v3-nano", workspace, [f"model.weights={made['weights']}"])
    assert recipe.recipe.model.detector() == network_settings(path).config
    assert recipe.origins["model.channel_order"] == f"weights {path.name}"


def test_settings_that_fit_better_are_told_where_the_files_own_are_not_known(
    thesis, workspace, run, small_set, tmp_path, monkeypatch
):
    sentence = "the running statistics of these weights fit model.leak 0.1 better than 0.35"
    monkeypatch.setattr(running_statistics, "better_settings", lambda *_: sentence)
    nameless = tmp_path / "nameless.safetensors"
    save_file(load_file(run.weights), nameless)
    given = ("eval", "widerface", *pictures(small_set), "--variant", "v3-nano", "--weights")
    assert sentence in thesis(*given, nameless).err
    assert sentence in thesis(*given, run.weights, "--set", "model.leak=0.2").err
    assert sentence not in thesis(*given, run.weights).err
    imported = ("model", "import", nameless, "--variant", "v3-nano", "--check")
    photographs = tmp_path / "photographs"
    photographs.mkdir()
    answer = thesis(*imported, photographs, workspace=workspace)
    assert answer.code == 2
    assert "holds 0 pictures, too few to tell" in answer.err
    for number in range(6):
        (photographs / f"{number}.jpg").write_bytes(b"")
    assert sentence in thesis(*imported, photographs, workspace=workspace).err
    monkeypatch.setattr(running_statistics, "better_settings", lambda *_: "")
    told = thesis(*imported, photographs, workspace=workspace).err
    assert "name no settings that fit better" in told


def test_what_a_run_left_is_imported_with_its_settings(thesis, valid, workspace, run):
    made = valid(thesis("model", "import", run.weights, "--json", workspace=workspace))
    assert made["variant"] == "v3-nano"
    path = workspace.root / made["weights"]
    assert network_settings(path).config == variant("v3-nano", **ODD)
    assert made["settings"] == json.loads(json.dumps(ODD))


def test_a_file_of_an_earlier_version_names_the_run_that_knows_its_settings(
    thesis, run, tmp_path, small_set
):
    with safe_open(run.weights, "pt") as file:
        metadata = file.metadata()
    old = tmp_path / "old.safetensors"
    save_file(
        load_file(run.weights), old, {key: metadata[key] for key in metadata if key != SETTINGS}
    )
    picture = next((small_set / "WIDER_val" / "images").rglob("*.jpg"))
    answer = thesis("detect", picture, "--variant", "v3-nano", "--weights", old)
    assert "--run odd@1 takes them from the record" in answer.err


def test_trained_weights_of_show_are_told_where_their_settings_differ(thesis, run):
    given = ("model", "show", "v3-nano", "--effective", "--weights", run.weights, "--size", 64)
    answer = thesis(*given, "--json")
    assert answer.code == 0
    assert any("model.leak = 0.1 wins over 0.35" in text for text in answer.json["warnings"])


def test_weights_of_a_twin_are_refused_under_the_other_name(thesis, tmp_path, small_set):
    path = tmp_path / "own.safetensors"
    save_weights(path, build(variant("retinaface-1mb"), seed=0), {"variant": "retinaface-1mb"})
    given = ("--variant", "retinaface-mnet025", "--weights", path)
    answer = thesis("eval", "widerface", *given, *pictures(small_set))
    assert answer.code == 4
    assert "use --variant retinaface-1mb" in answer.err
