"""What is in a package, and that its texts fit the tools that read them."""

from __future__ import annotations

import ast
import hashlib
import json
from dataclasses import asdict

import numpy as np
import pytest
import yaml
from stand_ins.packages import EXPORTED, NETWORK, WEIGHTS, files_of_run, stirred

from experiments.deployment import sample_picture
from experiments.deployment.package_writer import write_package
from experiments.deployment.packaged_network import PackagedNetwork
from experiments.deployment.rendering import LANGUAGES, PAGES
from experiments.metrics import Metric
from experiments.records.store import Store
from featherface.engines.opening import open_file
from featherface.errors import UsageError
from featherface.variants.table import variant


@pytest.fixture
def manifest(packaged):
    return json.loads((packaged / "package" / "manifest.json").read_text(encoding="utf-8"))


def texts(packaged, pattern):
    paths = sorted((packaged / "package").rglob(pattern))
    assert paths
    return {path: path.read_text(encoding="utf-8") for path in paths}


def test_the_manifest_has_the_digest_of_every_file(packaged, manifest):
    folder = packaged / "package"
    entries = {each["path"]: each for each in (*manifest["models"], *manifest["files"])}
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert entries.keys() == there - {"manifest.json"}
    for name, entry in entries.items():
        content = (folder / name).read_bytes()
        assert entry["sha256"] == hashlib.sha256(content).hexdigest(), name
        assert entry["bytes"] == len(content), name


def test_the_manifest_holds_the_input_contract_of_the_network(manifest):
    config = variant(NETWORK)
    assert manifest["input"]["mean_bgr"] == list(config.pixel_mean)
    assert manifest["input"]["channel_order"] == config.channel_order
    assert manifest["input"]["scale"] == config.pixel_scale
    assert [each["name"] for each in manifest["outputs"]] == ["boxes", "scores", "landmarks"]
    assert manifest["priors"]["sizes"] == [list(sizes) for sizes in config.prior_sizes]
    assert manifest["variances"] == list(config.variances)
    assert manifest["thresholds"] == {"score": 0.5, "nms": 0.4}
    assert manifest["network"]["settings"] == json.loads(json.dumps(asdict(config)))


def test_a_package_says_nothing_of_the_machine_that_made_it(packaged):
    names = [str(packaged.parent), str(packaged)]
    for path, text in readable(packaged):
        assert not [name for name in names if name in text], path


def readable(packaged):
    binary = (".onnx", ".png", ".ppm")
    for path in sorted((packaged / "package").rglob("*")):
        if path.is_file() and path.suffix not in binary:
            yield path, path.read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_same_network_makes_the_same_package(packaged, tmp_path):
    network = PackagedNetwork(stirred(), NETWORK, packaged / WEIGHTS)
    write_package(network, tmp_path / "again")
    before, after = (
        folder / "manifest.json" for folder in (packaged / "package", tmp_path / "again")
    )
    assert before.read_bytes() == after.read_bytes()


def test_a_folder_that_holds_something_is_left_alone(packaged, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    network = PackagedNetwork(stirred(), NETWORK, packaged / WEIGHTS)
    with pytest.raises(UsageError, match="holds something already"):
        write_package(network, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_the_python_of_a_package_is_python(packaged):
    for path, text in texts(packaged, "*.py").items():
        ast.parse(text, path.name)
        assert max(map(len, text.splitlines())) <= 100, path


def test_its_data_files_are_read_by_their_readers(packaged):
    for path, text in texts(packaged, "*.json").items():
        assert json.loads(text), path
    kinds = {
        yaml.safe_load(path.read_text(encoding="utf-8"))["kind"]
        for path in (packaged / "package" / "kubernetes").glob("*.yaml")
    }
    assert kinds == {
        "Deployment",
        "Service",
        "HorizontalPodAutoscaler",
        "PodDisruptionBudget",
        "NetworkPolicy",
    }


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", PAGES.values())
def test_card_and_guide_exist_in_both_languages(packaged, page, language):
    text = (packaged / "package" / f"{page}{LANGUAGES[language]}").read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert NETWORK in text


def test_the_cpp_contract_is_the_networks(packaged, manifest):
    text = (packaged / "package" / "cpp" / "contract.hpp").read_text(encoding="utf-8")
    assert f'"{manifest["models"][0]["path"]}"' in text
    for step, sizes in zip(manifest["priors"]["steps"], manifest["priors"]["sizes"], strict=True):
        numbers = ", ".join(str(float(size)) for size in sizes)
        assert f"Level{{{step}, std::vector<double>{{{numbers}}} }}" in text


def test_the_packaged_picture_is_drawn_and_the_same_everywhere(packaged):
    folder = packaged / "package"
    picture = sample_picture.drawn()
    assert (folder / "sample" / "picture.png").read_bytes() == sample_picture.encoded(
        picture, "PNG"
    )
    pixmap = (folder / "sample" / "picture.ppm").read_bytes()
    assert pixmap == b"P6\n320 320\n255\n" + np.asarray(picture).tobytes()


def test_the_manifest_keeps_what_the_model_finds_in_the_picture(packaged, manifest):
    model = manifest["models"][0]
    engine = open_file(packaged / "package" / model["path"])
    picture = sample_picture.pixels(sample_picture.drawn())
    threshold = manifest["sample"]["score_threshold"]
    found = sample_picture.faces(engine, picture, threshold)
    assert model["detections"]
    assert (
        sample_picture.differences(
            model["detections"], found, threshold, {"pixels": 1e-3, "score": 1e-5}
        )
        == ""
    )


@pytest.fixture
def proved(packaged, workspace, make_run):
    """A network whose run measured something, and the store of that run."""
    timed = Metric(name="latency.cpu.median_ms", value=12.25, unit="ms", marks=("disturbed",))
    accuracy = Metric(
        name="widerface.hard.ap", value=0.8125, dataset="synthetic", split="val", n=80
    )
    run = make_run(
        workspace,
        NETWORK,
        variant=NETWORK,
        metrics=[timed, accuracy],
        matches=True,
        details={"export": {"artifacts": [EXPORTED]}},
        files=files_of_run(packaged),
    )
    return PackagedNetwork(stirred(), NETWORK, run.weights, run, "For research."), Store(workspace)


def test_every_number_of_the_card_names_its_evidence_run_and_seal(proved, tmp_path):
    network, store = proved
    write_package(network, tmp_path / "package", store)
    card = (tmp_path / "package" / "MODEL_CARD.md").read_text(encoding="utf-8")
    seal = network.run.seal
    assert f"run `{network.run.id}`, seal `{seal}`" in card
    rows = [line for line in card.splitlines() if line.startswith(("| AP", "| CPU"))]
    assert len(rows) == 2
    for row in rows:
        assert f"{network.run.id}, {seal[:12]}" in row
        assert "measured" in row
    assert "81.2% [" in rows[0] or "81.3% [" in rows[0]
    assert "synthetic data, val, 80 images" in rows[0]
    assert "12.2 ms" in rows[1] or "12.3 ms" in rows[1]
    assert "disturbed" in rows[1]
    assert "drawn by the program, not photographed" in card
    assert "For research." in card
    french = (tmp_path / "package" / "MODEL_CARD.fr.md").read_text(encoding="utf-8")
    assert "mesuré" in french


def test_a_card_without_a_run_claims_nothing(packaged):
    card = (packaged / "package" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "No sealed run stands behind these weights" in card
    assert "| AP" not in card
    assert "Nobody has stated under which licence" in card
