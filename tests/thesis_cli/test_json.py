"""Every answer of --json is one object that keeps to the schema it names."""

from __future__ import annotations

import shutil

import jsonschema
import pytest
from PIL import Image

from experiments.wording.formats import FORMATS
from featherface.data.archives import ARCHIVES
from featherface.weights.checkpoints import read_state
from thesis_cli.commands import compare
from thesis_cli.schemas import schemas

SCHEMAS = schemas()


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_are_schemas(name):
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])
    assert SCHEMAS[name]["properties"]["schema"]["const"] == f"thesis/{name}/1"


@pytest.fixture
def filled(workspace, make_run):
    """A workspace with a teacher, its student, and an interrupted run."""
    teacher = make_run(workspace, "v1", matches=True)
    make_run(workspace, "v2", variant="v2", parents=[teacher], seed=1, matches=True)
    make_run(workspace, "v2", variant="v2", status="interrupted")
    return workspace


def test_runs_list(thesis, valid, filled):
    data = valid(thesis("runs", "list", "--json", workspace=filled))
    assert [(row["run"], row["status"]) for row in data] == [
        ("v1@1", "sealed"),
        ("v2@1", "sealed"),
        ("v2@2", "interrupted"),
    ]
    assert valid(thesis("runs", "list", "v1", "--json", workspace=filled)) == data[:1]


def test_runs_list_of_an_empty_workspace(thesis, valid, workspace):
    assert valid(thesis("runs", "list", "--json", workspace=workspace)) == []


@pytest.mark.parametrize("selector", ["v1", "v1@1", "v1@best", "@last", "v2@2"])
def test_runs_show(thesis, valid, filled, selector):
    data = valid(thesis("runs", "show", selector, "--json", workspace=filled))
    assert data["run"].startswith(("v1", "v2"))


def test_runs_verify(thesis, valid, filled):
    data = valid(thesis("runs", "verify", "--json", workspace=filled))
    assert [row["intact"] for row in data] == [True, True, None]


def test_runs_verify_finds_a_changed_record(thesis, valid, filled):
    file = filled.runs / "v1" / "001" / "results.json"
    file.write_text(file.read_text(encoding="utf-8").replace("0.71", "0.99"), encoding="utf-8")
    answer = thesis("runs", "verify", "v1", "--json", workspace=filled)
    assert answer.code == 1
    (row,) = valid(answer)
    assert row["intact"] is False
    assert row["problems"][0]["path"] == "results.json"


def test_runs_reindex(thesis, valid, filled):
    assert valid(thesis("runs", "reindex", "--json", workspace=filled)) == {"runs": 3}


@pytest.mark.parametrize("how", [["--json"], ["--format", "json"]])
def test_compare(thesis, valid, filled, how):
    data = valid(thesis("compare", "v1", "v2", *how, workspace=filled))
    assert [run["run"] for run in data["runs"]] == ["v1@1", "v2@1"]


def test_compare_knows_the_formats_there_are():
    assert {"table", *FORMATS} == set(compare.FORMATS)


def test_milestone_check(thesis, valid, filled):
    data = valid(thesis("milestone", "check", "--json", workspace=filled))
    states = {row["milestone"]: row["state"] for row in data}
    assert states["v1-parameters"] == "pass"
    assert states["baseline-reproduced"] == "not_measurable"


def test_check_baseline(thesis, valid, filled, make_run):
    data = valid(thesis("check", "baseline", "--json", workspace=filled))
    assert data["run"] == "v1@1"
    states = {row["metric"]: row["state"] for row in data["rows"]}
    assert states["params.paper_counted"] == "not_measured"
    assert states["macs.640"] == "fail"
    assert states["widerface.hard.ap"] == "not_measured"
    assert thesis("check", "baseline", workspace=filled).code == 1
    near = {"widerface.hard.ap": 0.79, "params.paper_counted": 488_661, "params.total": 592_371}
    about = {"dataset": "widerface", "n": 3226, "variant": "v1-official"}
    make_run(filled, "v1-official", metrics=near, **about)
    shown = thesis("check", "baseline", "v1-official", workspace=filled)
    assert shown.code == 0
    assert "pass: 2, fail: 0" in shown.out
    assert "true count: 592,371" in shown.out
    assert thesis("check", "baseline", "v2@2", workspace=filled).code == 1


def test_check_baseline_before_the_first_run(thesis, valid, workspace):
    answer = thesis("check", "baseline", "--json", workspace=workspace)
    assert answer.code == 0
    assert valid(answer)["counts"] == {"pass": 0, "fail": 0, "not_measured": 17}
    assert "thesis run v1" in answer.json["warnings"][0]


def test_runs_diff(thesis, valid, filled):
    data = valid(thesis("runs", "diff", "v1", "v2", "--json", workspace=filled))
    assert data["runs"] == ["v1@1", "v2@1"]
    found = {(row["part"], row["name"]): row["values"] for row in data["differences"]}
    assert found["recipe", "seed"] == [0, 1]
    assert found["parents", "teacher"] == [None, "v1@1"]
    same = thesis("runs", "diff", "v1", "v1@1", workspace=filled)
    assert same.out == "v1@1 and v1@1 were made alike\n"
    shown = thesis("runs", "diff", "v1", "v2", workspace=filled).out
    assert "model.variant" in shown
    assert thesis("runs", "diff", "v1", "v3", workspace=filled).code == 3


def test_milestone_list(thesis, valid, filled):
    data = valid(thesis("milestone", "list", "--json", workspace=filled))
    (row,) = [row for row in data if row["milestone"] == "target-reached"]
    assert row["predicate"] == "v2@best widerface.hard.ap > 0.90 and v2@best params.total < 285_000"
    assert (row["origin"], row["evidence"], row["protocol"]) == (
        "packaged",
        ["measured"],
        "original",
    )


@pytest.mark.usefixtures("quick_plots")
def test_report_sync_writes_once(thesis, valid, filled):
    first = valid(thesis("report", "sync", "--to", "vault", "--json", workspace=filled))
    assert "05-Results/Performance-Analysis.md" in first["written"]
    second = valid(thesis("report", "sync", "--to", "vault", "--json", workspace=filled))
    assert second["written"] == []
    assert set(second["unchanged"]) >= {path for path in first["written"] if path.endswith(".md")}


@pytest.mark.usefixtures("quick_plots")
def test_report_sync_can_only_tell(thesis, valid, filled, contents):
    before = contents(filled.vault)
    told = thesis("report", "sync", "--dry-run", "--json", workspace=filled)
    assert valid(told)["written"]
    assert thesis("report", "sync", "--check", workspace=filled).code == 1
    shown = valid(thesis("report", "sync", "--diff", "--json", workspace=filled))
    assert shown["diffs"]
    assert contents(filled.vault) == before
    thesis("report", "sync", workspace=filled)
    assert thesis("report", "sync", "--check", workspace=filled).code == 0


def test_config_show(thesis, valid, filled, monkeypatch):
    monkeypatch.setenv("THESIS_LANGUAGE", "fr")
    data = valid(thesis("config", "show", "--json", workspace=filled))
    (language,) = [row for row in data if row["key"] == "language"]
    assert language == {"key": "language", "value": "fr", "origin": "THESIS_LANGUAGE"}
    assert "THESIS_LANGUAGE" in thesis("config", "show", "--origin", workspace=filled).out


def test_doctor(thesis, valid, filled):
    answer = thesis("doctor", "--json", workspace=filled)
    names = {row["name"]: row["status"] for row in valid(answer)}
    assert names["torch"] == "ok"
    assert names["vault"] == "ok"


def test_init(thesis, valid, tmp_path):
    arguments = ("init", tmp_path / "t", "--language", "fr", "--title", "Thèse", "--json")
    data = valid(thesis(*arguments))
    assert data["created"]
    assert data["notes"]
    again = valid(thesis(*arguments))
    assert not again["created"]
    assert again["notes"] == []


def test_model_list(thesis, valid):
    data = {row["name"]: row for row in valid(thesis("model", "list", "--json"))}
    assert data["v1-official"]["parameters"] == 592_371
    assert data["v1-official"]["paper_counted"] == 488_661
    assert data["retinaface-mnet025"]["parameters"] == 426_608
    assert abs(data["retinaface-mnet025"]["macs_640"] / 0.98e9 - 1) < 0.02


def test_model_show(thesis, valid):
    data = valid(thesis("model", "show", "v1", "--json"))
    assert data["parameters"] == sum(data["components"].values()) == 488_664


def test_run_tells_what_it_would_do(thesis, valid, workspace):
    arguments = ("run", "v2", "--set", "train.epochs=3", "--seeds", "2", "--dry-run", "--json")
    data = valid(thesis(*arguments, workspace=workspace))
    assert [plan["experiment"] for plan in data["plans"]] == ["v2", "v2"]
    assert data["plans"][0]["origins"]["train.epochs"] == "--set"
    assert "seed: 1" in data["plans"][1]["recipe"]


def test_data_synth_and_stats(thesis, valid, tmp_path):
    arguments = ("--image-size", 96, "--train-images", 2, "--val-images", 2, "--json")
    made = valid(thesis("data", "synth", tmp_path / "set", *arguments))
    assert [split["images"] for split in made["splits"]] == [2, 2]
    counted = valid(thesis("data", "stats", tmp_path / "set", "--json"))
    assert counted == made["splits"][1] | {"plots": []}


def test_data_preview(thesis, valid, small_set, tmp_path, workspace):
    sheet = tmp_path / "sheet.png"
    arguments = ("--augmentation", "mosaic", "--count", "2", "--output", sheet, "--json")
    data = valid(thesis("data", "preview", small_set, *arguments))
    (row,) = data["rows"]
    assert row["augmentation"] == "mosaic"
    assert [one["changed"] for one in row["pictures"]] == [True, True]
    assert sheet.read_bytes().startswith(b"\x89PNG")
    options = ("--experiment", "smoke", "--count", "1", "--output", sheet, "--json")
    data = valid(thesis("data", "preview", small_set, *options, workspace=workspace))
    names = [row["augmentation"] for row in data["rows"]]
    assert names == ["crop", "distort", "pad", "mirror", "pipeline"]


def test_model_import(thesis, valid, workspace, weights):
    data = valid(
        thesis("model", "import", weights, "--variant", "v2", "--json", workspace=workspace)
    )
    assert (workspace.root / data["weights"]).is_file()
    assert any("module." in sentence for sentence in data["cleaned"])
    assert data["next"].startswith("thesis run v2 --set model.weights=weights/v2-")
    state, cleaning = read_state(workspace.root / data["weights"])
    assert not cleaning.sentences()
    assert state


def test_detect(thesis, valid, weights, small_set, tmp_path):
    pictures = sorted((small_set / "WIDER_val" / "images").rglob("*.jpg"))[:2]
    network = ("--variant", "v2", "--weights", weights)
    options = ("--output", tmp_path / "drawn", "--score", 0.0, "--json")
    data = valid(thesis("detect", *pictures, *network, *options))
    assert [row["image"] for row in data] == [path.as_posix() for path in pictures]
    assert all((tmp_path / "drawn" / path).is_file() for path in map(drawn_name, data))


def drawn_name(row):
    return row["drawing"].rsplit("/", 1)[-1]


def test_eval_widerface_both_ways(thesis, valid, weights, small_set, tmp_path):
    given = (
        *("--variant", "v2", "--weights", weights),
        *("--images", small_set / "WIDER_val" / "images"),
        *("--ground-truth", small_set, "--json"),
    )
    kept = tmp_path / "predictions"
    first = valid(thesis("eval", "widerface", *given, "--save-predictions", kept))
    assert first["complete"]
    assert first["images"] == 4
    second = valid(
        thesis("eval", "widerface", "--predictions", kept, "--ground-truth", small_set, "--json")
    )
    assert second["subsets"] == first["subsets"]


def test_eval_widerface_tells_of_a_part(thesis, valid, weights, small_set, tmp_path):
    kept = tmp_path / "predictions"
    valid(
        thesis(
            *("eval", "widerface", "--variant", "v2", "--weights", weights),
            *("--images", small_set / "WIDER_val" / "images"),
            *("--ground-truth", small_set, "--json", "--save-predictions", kept),
        )
    )
    next(kept.rglob("*.txt")).unlink()
    answer = thesis(
        "eval", "widerface", "--predictions", kept, "--ground-truth", small_set, "--json"
    )
    data = valid(answer)
    assert data["complete"] is False
    assert data["images"] == 3
    assert answer.json["warnings"]


@pytest.mark.slow
def test_run_and_its_record(thesis, valid, workspace):
    data = valid(thesis("run", "smoke", "--set", "model.variant=v2", "--json", workspace=workspace))
    (run,) = data["runs"]
    assert run["status"] == "sealed"
    assert data["sync"]["written"]
    assert thesis("runs", "verify", workspace=workspace).code == 0


def test_data_verify(thesis, valid, small_set):
    answer = thesis("data", "verify", small_set, "--deep", "--leakage", "--json")
    data = valid(answer)
    assert answer.code == 0
    assert [one["split"] for one in data["splits"]] == ["train", "val"]
    checks = {one["check"]: one["ok"] for one in data["splits"][1]["checks"]}
    assert checks == {
        "complete": None,
        "pictures": True,
        "boxes": True,
        "twice": True,
        "readable": True,
        "ground truth": True,
    }
    assert data["leakage"] == {"splits": ["train", "val"], "pairs": []}


def test_data_verify_finds_what_is_wrong(thesis, valid, small_set, tmp_path):
    root = tmp_path / "set"
    shutil.copytree(small_set, root)
    val, train = (sorted((root / f"WIDER_{name}").rglob("*.jpg")) for name in ("val", "train"))
    shutil.copy(train[0], val[0])
    content = val[1].read_bytes()
    val[1].write_bytes(content[: len(content) // 2])
    answer = thesis("data", "verify", root, "--deep", "--json")
    assert answer.code == 1
    faults = [one for one in valid(answer)["splits"][1]["checks"] if one["ok"] is False]
    assert [one["check"] for one in faults] == ["readable"]
    assert val[1].name in faults[0]["text"]
    val[1].write_bytes(b"no picture")
    unreadable = thesis("data", "verify", root)
    assert unreadable.code == 4
    assert val[1].name in unreadable.err
    shutil.copy(train[1], val[1])
    shown = thesis("data", "verify", root, "--leakage")
    assert shown.code == 1
    assert "pictures of train that look like one of val: 2" in shown.out
    assert thesis("data", "verify", root, "--leakage", "--split", "val").code == 2
    assert thesis("data", "verify", tmp_path / "nothing").code in {3, 4}


@pytest.mark.parametrize("layout", ["yolo", "coco", "widerface"])
def test_data_convert(thesis, valid, small_set, tmp_path, layout):
    out = tmp_path / "out"
    data = valid(thesis("data", "convert", small_set, out, "--to", layout, "--json"))
    assert (data["to"], data["images"]) == (layout, 4)
    counted = valid(thesis("data", "stats", out, "--json"))
    assert (counted["images"], counted["faces"]) == (4, data["faces"])
    again = thesis("data", "convert", small_set, out, "--to", layout)
    assert again.code == 7
    assert "holds pictures already" in again.err


def test_data_compose(thesis, valid, small_set, tmp_path):
    Image.new("RGB", (60, 60), "red").save(tmp_path / "a.png")
    (tmp_path / "faces.csv").write_text("file,x,y,w,h\na.png,15,15,30,30\n", encoding="utf-8")
    out = tmp_path / "out"
    command = ("data", "compose", small_set, out, "--split", "val", "--held-out", "0")
    command = (*command, "--pictures", "3", "--crops", tmp_path / "faces.csv")
    made = valid(thesis(*command, "--json"))["splits"]
    counted = valid(thesis("data", "stats", out, "--split", "train", "--json"))
    assert [(one["split"], one["images"]) for one in made] == [("train", 7)]
    assert counted["faces"] == made[0]["faces"]
    assert thesis(*command).code == 7


def test_data_stats_draws(thesis, valid, small_set, tmp_path):
    where = tmp_path / "plots"
    data = valid(thesis("data", "stats", small_set, "--plots", where, "--json"))
    names = ["val-attributes.png", "val-faces-per-image.png", "val-heights.png"]
    assert sorted(path.name for path in where.iterdir()) == names
    assert len(data["plots"]) == 3
    assert data["fingerprint"]["images"] == 4
    assert sum(data["faces_per_image"]["counts"].values()) == 4


def test_data_download(thesis, valid, workspace):
    told = valid(thesis("data", "download", "--dry-run", "--json", workspace=workspace))
    assert told["folder"] == (workspace.root / "data" / "widerface").as_posix()
    assert [one["part"] for one in told["archives"]] == list(ARCHIVES)
    assert not (workspace.root / "data").exists()
    (workspace.root / "data" / "widerface").mkdir(parents=True)
    (workspace.root / "data" / "widerface" / "wider_face_split.zip").write_bytes(b"other")
    refused = thesis("data", "download", "--part", "annotations", workspace=workspace)
    assert refused.code == 4
    assert "is not wider_face_split.zip as its authors serve it" in refused.err
