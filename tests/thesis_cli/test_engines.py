"""`--engine`, and `--weights` that are an exported file."""

from __future__ import annotations

import pytest

from experiments.recipe.resolve import resolve
from experiments.running import runner
from experiments.workspace.workspace import Workspace
from featherface.errors import UsageError
from featherface.export.formats import WriterSettings
from featherface.export.onnx_file import write_onnx
from featherface.validation.case import VariantCase
from featherface.variants.table import variant
from featherface.weights.checkpoints import save_weights
from featherface.weights.network_settings import settings_metadata

NETWORK = "v3-nano"
pytestmark = pytest.mark.usefixtures("traced_once")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The same network as weights, and as an exported file."""
    folder = tmp_path_factory.mktemp("files")
    model = VariantCase(NETWORK, variant(NETWORK)).stirred()
    weights, exported = folder / "best.safetensors", folder / "best.onnx"
    settings = settings_metadata(model.config)
    save_weights(weights, model, {"variant": NETWORK, **settings})
    write_onnx(model, exported, WriterSettings(), NETWORK)
    return weights, exported


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    made = Workspace.create(tmp_path_factory.mktemp("engines") / "thesis")
    made.vault.mkdir()
    return made


def evaluated(thesis, small_set, *options, **extra):
    images = small_set / "WIDER_val" / "images"
    given = ("--images", images, "--ground-truth", small_set, "--json")
    return thesis("eval", "widerface", *options, *given, **extra)


def aps(data):
    return [subset["ap"] for subset in data["subsets"].values() if subset["ap"] is not None]


def test_an_exported_file_gives_the_ap_of_its_weights(thesis, valid, files, small_set):
    weights, exported = files
    wanted = valid(evaluated(thesis, small_set, "--weights", weights))
    given = valid(evaluated(thesis, small_set, "--weights", exported))
    assert aps(given) == pytest.approx(aps(wanted), abs=0.002)
    assert given["variant"] == wanted["variant"] == NETWORK
    assert given["detections"] == pytest.approx(wanted["detections"], rel=0.01)
    assert given["detections"] > 0
    engines = [data["conditions"]["engine"] for data in (wanted, given)]
    assert engines == ["torch", "onnxruntime"]


def test_the_table_names_the_engine(thesis, files, small_set):
    images = small_set / "WIDER_val" / "images"
    given = ("--images", images, "--ground-truth", small_set)
    assert ", fp32, ONNX Runtime" in thesis("eval", "widerface", "--weights", files[1], *given).out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--variant", "v2"), "is of v3-nano, not of v2"),
        (("--set", "model.leak=0.3"), "can't change best.onnx: its network was written with"),
        (("--set", "model.variances=[0.2,0.4]"), "can't change best.onnx"),
        (("--engine", "torch"), "--engine torch can't run best.onnx, which is for onnxruntime"),
        (("--device", "cuda"), "does not compute on cuda"),
        (("--precision", "bf16"), "computes a file as it was written"),
    ],
)
def test_what_an_exported_file_can_not_do_is_refused(thesis, files, small_set, options, message):
    answer = evaluated(thesis, small_set, "--weights", files[1], *options)
    assert answer.code != 0
    assert message in answer.err


def test_pixels_are_not_in_the_file_and_can_be_set(thesis, valid, files, small_set):
    options = ("--weights", files[1], "--set", "model.pixel_scale=0.5")
    answer = evaluated(thesis, small_set, *options)
    assert valid(answer)["settings"] == {"pixel_scale": 0.5}
    assert "--set model.pixel_scale=0.5 wins over 1.0" in answer.err


def test_a_truncated_file_is_refused(thesis, files, small_set, tmp_path):
    short = tmp_path / "short.onnx"
    short.write_bytes(files[1].read_bytes()[:5000])
    answer = evaluated(thesis, small_set, "--weights", short)
    assert answer.code != 0
    assert "ONNX Runtime can't run" in answer.err


def test_detect_takes_an_exported_file(thesis, valid, files, small_set):
    picture = next((small_set / "WIDER_val" / "images").rglob("*.jpg"))
    wanted, given = (
        valid(thesis("detect", picture, "--weights", file, "--score", 0.3, "--json"))
        for file in files
    )
    assert len(given[0]["faces"]) == len(wanted[0]["faces"]) > 0


def test_auto_says_torch_where_measuring_takes_longer_than_it_saves(
    thesis, valid, files, small_set
):
    answer = evaluated(thesis, small_set, "--weights", files[0], "--engine", "auto")
    assert valid(answer)["conditions"]["engine"] == "torch"
    assert "engine: torch: for 4 pictures measuring takes longer than it saves" in answer.err


def test_precision_and_engine_that_exclude_each_other_are_refused(thesis, files, small_set):
    options = ("--weights", files[0], "--engine", "onnxruntime", "--precision", "bf16")
    answer = evaluated(thesis, small_set, *options)
    assert answer.code == 2
    assert "--engine is onnxruntime, which computes a file as it was written" in answer.err


def test_a_run_is_evaluated_by_the_engine_of_its_recipe_which_its_numbers_name(
    thesis, valid, files, small_set, workspace
):
    values = [
        *(f"data.root={small_set.as_posix()}", f"model.weights={files[0].as_posix()}"),
        *("evaluate.engine=onnxruntime", "train.device=cpu", f"model.variant={NETWORK}"),
    ]
    made = runner.run(workspace, resolve("smoke", workspace, values), stages=("evaluate",))
    (kept,) = (workspace.state / "cache" / "engines").glob("*.onnx")
    metric = made.metric("widerface.mean_ap")
    assert metric.conditions.engine == "onnxruntime"
    before = kept.stat().st_mtime_ns
    options = ("--weights", files[0], "--engine", "onnxruntime")
    again = valid(evaluated(thesis, small_set, *options, workspace=workspace))
    assert again["conditions"]["engine"] == "onnxruntime"
    assert again["mean_ap"] == metric.value
    assert kept.stat().st_mtime_ns == before


def test_the_usual_engine_changes_no_digest_and_an_unknown_one_is_refused(workspace):
    plain, named, other = (
        resolve("smoke", workspace, values).recipe.digest
        for values in ([], ["evaluate.engine=torch"], ["evaluate.engine=onnxruntime"])
    )
    assert plain == named != other
    for key in ("evaluate.engine=onyx", "evaluate.engine=auto,evaluate.precision=fp8"):
        with pytest.raises(UsageError):
            resolve("smoke", workspace, key.split(","))
    values = ["evaluate.engine=onnxruntime", "evaluate.precision=bf16"]
    with pytest.raises(UsageError, match="onnxruntime, which computes a file as it was written"):
        resolve("smoke", workspace, values)
