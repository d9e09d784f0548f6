"""Files of other runtimes: how their converters are asked, and what they answer."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from featherface.errors import UnavailableError, UsageError
from featherface.export import (
    calibration,
    conversion_tools,
    environments,
    runtime_formats,
    writing,
)
from featherface.export.conversion_scripts import jobs
from featherface.export.conversion_tools import MADE, TOOLS
from featherface.export.formats import FORMATS, CalibrationPictures, ExportConfig, WriterSettings
from featherface.export.runtime_formats import RUNTIME_FORMATS, require_tool
from featherface.export.tensorrt_format import lacking_operators
from featherface.export.writing import export
from featherface.validation.case import VariantCase
from featherface.variants.table import variant

NETWORK = "v3-nano"
SMALL = 64


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    """No environment is there, whatever this machine has."""
    monkeypatch.setattr(
        "platformdirs.user_cache_path", lambda *_args, **_kwargs: tmp_path / "cache"
    )


@pytest.fixture
def absent(monkeypatch):
    """No converter is installed."""
    real = conversion_tools.importlib.util.find_spec
    modules = {name for tool in TOOLS.values() for name in tool.modules}
    monkeypatch.setattr(
        conversion_tools.importlib.util,
        "find_spec",
        lambda name, *rest: None if name in modules else real(name, *rest),
    )


def test_each_runtime_format_has_an_entry_a_tool_and_a_script():
    scripts = Path(jobs.__file__).parent
    for kind, form in RUNTIME_FORMATS.items():
        # TensorRT's writer prepares its file where TensorRT is missing, so nothing may stop it.
        assert FORMATS[kind].converter == ("" if kind == "tensorrt" else form.tool), kind
        assert (scripts / f"{TOOLS[form.tool].script}.py").is_file(), kind


@pytest.mark.parametrize("kind", [kind for kind in RUNTIME_FORMATS if kind != "tensorrt"])
def test_a_missing_converter_is_answered_with_what_to_type(kind, absent):
    with pytest.raises(UnavailableError) as told:
        require_tool(kind)
    tool = TOOLS[RUNTIME_FORMATS[kind].tool]
    if tool.environment:
        assert told.value.hint == "give the same command --make-environment too"
    else:
        assert told.value.hint == f'python -m pip install "thesis[{FORMATS[kind].extra}]"'
    with pytest.raises(UnavailableError):
        FORMATS[kind].require_tools()


def test_what_an_extra_installs_is_declared():
    text = (Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8")
    for form in FORMATS.values():
        assert not form.extra or f"\n{form.extra} = [" in text, form.extra


@pytest.mark.parametrize("size", [100, 0])
def test_one_size_is_a_multiple_of_32(size):
    with pytest.raises(UsageError, match=r"export\.image_size"):
        ExportConfig(image_size=size)


def test_an_environment_is_told_before_it_is_made_and_borrows_the_rest(monkeypatch, tmp_path):
    tool = TOOLS["litert"]
    events = []

    def pretend(command, **_options):
        events.append(command[1:3])
        if command[2] == "venv":
            for way in ("bin", "Scripts", "lib/python3.11/site-packages", "Lib/site-packages"):
                (Path(command[3]) / way).mkdir(parents=True, exist_ok=True)
            packages = environments.sysconfig.get_paths(
                vars={"base": command[3], "platbase": command[3]}
            )["purelib"]
            Path(packages).mkdir(parents=True, exist_ok=True)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(environments.subprocess, "run", pretend)
    assert tool.here or tool.python() is None
    python = environments.make_environment(tool, events.append)
    assert "litert-torch==0.10.0" in events[0]
    assert str(tmp_path / "cache") in events[0]
    assert events[1:] == [["-m", "venv"], ["-m", "pip"]]
    folder = conversion_tools.environment_folder(tool)
    (borrowed,) = folder.rglob(environments.BORROWED)
    assert str(Path(torch.__file__).parents[1]) in borrowed.read_text(encoding="utf-8")
    if not tool.here:
        assert tool.python() == python
    events.clear()
    assert environments.make_environment(tool, events.append) == python
    assert events == []  # it is there


def test_an_environment_whose_making_was_cut_off_is_made_anew(monkeypatch):
    tool = TOOLS["litert"]
    folder = conversion_tools.environment_folder(tool)
    (folder / "half").mkdir(parents=True)

    def fail(command, **_options):
        return subprocess.CompletedProcess(command, 1, "", "No matching distribution\n")

    monkeypatch.setattr(environments.subprocess, "run", fail)
    with pytest.raises(UnavailableError, match="No matching distribution"):
        environments.make_environment(tool, lambda _text: None)
    assert not (folder / "half").exists()
    assert not (folder / MADE).exists()


@pytest.fixture
def pretended(monkeypatch, tmp_path):
    """A converter that keeps what it is handed, and answers with zeros."""
    scripts = tmp_path / "pretended_scripts"
    scripts.mkdir()
    (scripts / "to_pretended.py").write_text(SCRIPT, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(runtime_formats, "SCRIPTS", "pretended_scripts")
    tool = dataclasses.replace(TOOLS["openvino"], script="to_pretended", modules=("json",))
    monkeypatch.setitem(TOOLS, "openvino", tool)
    return tool


SCRIPT = """
import json, sys
import numpy
job = json.load(open(sys.argv[1], encoding="utf-8"))
if job["do"] == "convert":
    print("what converters print")
    if job["size"] == [96, 96]:
        raise SystemExit("it knows no such operation")
    keys = sorted(set(job) - {"metadata"})
    open(job["output"], "w", encoding="utf-8").write(json.dumps([keys, job["metadata"]]))
    json.dump({"sensitive_blocks": {"neck": 0.5}}, open(job["told"], "w", encoding="utf-8"))
else:
    pictures = numpy.load(job["pictures"])["images"]
    rows = pictures.shape[2] * pictures.shape[3] // 64 * 2 * 21 // 16
    zeros = {name: numpy.zeros((len(pictures), rows, width), "float32")
             for name, width in (("boxes", 4), ("scores", 2), ("landmarks", 10))}
    numpy.savez(job["answers"], milliseconds=1.5, **zeros)
"""


def test_a_file_of_one_size_is_compared_at_that_size(pretended, tmp_path, monkeypatch):
    model = VariantCase(NETWORK, variant(NETWORK)).network()
    config = ExportConfig(formats=("openvino",), image_size=SMALL, parity_sizes=((320, 320),))
    with pytest.raises(UnavailableError, match="differs from the network"):
        export(model, config, tmp_path, "best", NETWORK)
    assert not (tmp_path / "best.openvino.zip").exists()
    lenient = dataclasses.replace(FORMATS["openvino"], tolerance=1e9)
    monkeypatch.setitem(FORMATS, "openvino", lenient)
    (artifact,) = export(model, config, tmp_path, "best", NETWORK)
    assert artifact.sizes == ((SMALL, SMALL),)
    assert artifact.parity > 0.1


def test_what_this_system_can_not_run_is_converted_and_not_run(pretended, tmp_path, monkeypatch):
    monkeypatch.setitem(TOOLS, "openvino", dataclasses.replace(pretended, runs_on=("amiga",)))
    model = VariantCase(NETWORK, variant(NETWORK)).network()
    config = ExportConfig(formats=("openvino",), image_size=SMALL)
    (artifact,) = export(model, config, tmp_path, "best", NETWORK)
    assert artifact.parity is None
    assert artifact.sizes == ()


def test_a_converter_that_fails_says_why_and_leaves_nothing(pretended, tmp_path):
    model = VariantCase(NETWORK, variant(NETWORK)).network()
    path = tmp_path / "best.openvino.zip"
    with pytest.raises(UnavailableError, match="it knows no such operation"):
        writing.WRITERS["openvino"](model, path, WriterSettings(image_size=96), NETWORK)
    assert not path.exists()


def test_a_written_file_tells_its_network_and_size(pretended, tmp_path):
    model = VariantCase(NETWORK, variant(NETWORK)).network()
    path = tmp_path / "best.openvino.zip"
    settings = WriterSettings(image_size=SMALL, run="v3-nano@1")
    details = writing.WRITERS["openvino"](model, path, settings, NETWORK)
    assert details["fixed_size"] == [SMALL, SMALL]
    assert details["sensitive_blocks"] == {"neck": 0.5}, "what the converter found out"
    _, told = json.loads(path.read_text(encoding="utf-8"))
    assert told["variant"] == NETWORK
    assert told["format"] == "openvino"
    assert told["run"] == "v3-nano@1"
    assert (told["height"], told["width"]) == ("64", "64")


@pytest.mark.slow
def test_without_tensorrt_its_file_is_prepared_and_the_command_told(absent, tmp_path):
    onnx = pytest.importorskip("onnx")
    model = VariantCase("v1", variant("v1")).stirred()  # it has deformable convolutions
    path = tmp_path / "best.engine"
    with pytest.raises(UnavailableError, match="TensorRT is not here") as told:
        writing.WRITERS["tensorrt"](model, path, WriterSettings(image_size=SMALL), "v1")
    prepared = tmp_path / "best.tensorrt.onnx"
    assert f'trtexec --onnx="{prepared}" --saveEngine="{path}"' in told.value.hint
    assert not path.exists()
    assert lacking_operators(prepared) == []
    graph = onnx.load(prepared).graph
    graph.node[0].op_type = "DeformConv"
    onnx.save(onnx.helper.make_model(graph), prepared)
    assert lacking_operators(prepared) == ["DeformConv"]


def test_the_same_files_make_the_same_archive(tmp_path):
    contents = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "b.bin").write_bytes(b"weights")
        (folder / "a.xml").write_bytes(b"layers")
        jobs.pack(folder, tmp_path / f"{name}.zip", {"variant": "v2"})
        contents.append((tmp_path / f"{name}.zip").read_bytes())
    assert contents[0] == contents[1]
    with zipfile.ZipFile(tmp_path / "first.zip") as packed:
        assert sorted(packed.namelist()) == ["a.xml", "b.bin", jobs.METADATA]


def test_pictures_for_calibration_are_taken_in_as_the_network_does():
    config = variant("v1")
    picture = np.full((40, 100, 3), 200, np.uint8)
    given = WriterSettings(pictures=lambda: CalibrationPictures("one", [picture]))
    (taken,) = calibration.sized_inputs(given, config, (64, 64))
    mean = np.array(config.pixel_mean, np.float32)[:, None]
    np.testing.assert_allclose(taken[:, :40, 0], np.broadcast_to(200 - mean, (3, 40)))
    assert (taken[:, 40:] == 0).all()
    drawn = calibration.sized_inputs(WriterSettings(), config, (64, 64))
    assert drawn.shape == (calibration.COUNT, 3, 64, 64)
    assert drawn.std() > 10


def test_the_scripts_load_nothing_of_the_package_but_one_another():
    code = (
        "import featherface.export.conversion_scripts.to_tflite,"
        " featherface.export.conversion_scripts.to_ncnn, sys;"
        " print(*[n for n in sys.modules if n.startswith('featherface')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    allowed = ("featherface.export.conversion_scripts", "featherface.export", "featherface")
    assert all(name in allowed or name.startswith(allowed[0]) for name in done.stdout.split()), (
        done.stdout
    )
