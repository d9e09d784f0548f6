"""The examples of a package: the same faces as the program, and each refusal with its status."""

from __future__ import annotations

import base64
import importlib.util
import io
import json
import shutil
import subprocess
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from stand_ins.packages import NETWORK

from experiments.deployment import sample_picture
from featherface.data.images import read_image
from featherface.engines.opening import open_file
from featherface.evaluation.config import EvaluateConfig
from featherface.inference.detect import detect

THRESHOLD = 0.02


@pytest.fixture
def picture(packaged):
    return (packaged / "package" / "sample" / "picture.png").read_bytes()


def wanted(packaged, path):
    """Return what the program itself finds in the picture at PATH."""
    engine = open_file(packaged / "package" / "models" / f"{NETWORK}.onnx")
    return detect(
        engine, engine.config, read_image(path), EvaluateConfig(score_threshold=THRESHOLD)
    )


def agree(faces, detections):
    assert len(faces) == len(detections)
    for name, values in (("box", detections.boxes), ("landmarks", detections.landmarks)):
        given = np.array([face[name] for face in faces]).reshape(values.shape)
        np.testing.assert_allclose(given, values, atol=0.05)
    scores = [face["score"] for face in faces]
    np.testing.assert_allclose(scores, detections.scores, atol=1e-5)


SHAPES = {"small.png": (33, 64), "odd.png": (101, 75), "wide.png": (96, 201)}


@pytest.mark.parametrize("name", SHAPES)
def test_the_python_example_finds_what_the_program_finds(packaged, example, tmp_path, name):
    pixels = np.random.default_rng(0).integers(0, 256, (*SHAPES[name], 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / name)
    detector = example("face_detector").FaceDetector(packaged / "package", threads=1)
    detections = wanted(packaged, tmp_path / name)
    assert len(detections) > 0
    agree(detector(Image.open(tmp_path / name), THRESHOLD), detections)


def test_the_python_example_turns_pictures_and_reads_deep_grey(packaged, example, tmp_path):
    detector = example("face_detector").FaceDetector(packaged / "package", threads=1)
    pixels = np.random.default_rng(1).integers(0, 256, (48, 80), np.uint8)
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.fromarray(pixels).convert("RGB").save(tmp_path / "turned.jpg", exif=turned)
    Image.fromarray(pixels.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    for name in ("turned.jpg", "deep.png"):
        with Image.open(tmp_path / name) as opened:
            agree(detector(opened, THRESHOLD), wanted(packaged, tmp_path / name))


def test_pixels_are_ordered_and_scaled_as_the_contract_says(example):
    network_input = example("face_detector").network_input
    pixels = np.array([[[104, 118, 125]]], np.uint8)
    contract = {"mean_bgr": [104.0, 117.0, 123.0], "channel_order": "bgr", "scale": 1.0}
    assert network_input(pixels, contract).ravel().tolist() == [0, 1, 2]
    contract |= {"channel_order": "rgb", "scale": 0.5}
    assert network_input(pixels, contract).ravel().tolist() == [1, 0.5, 0]


def test_the_python_example_refuses_a_changed_model(package, example):
    model = package / "models" / f"{NETWORK}.onnx"
    model.write_bytes(model.read_bytes() + b" ")
    with pytest.raises(ValueError, match="was changed: its SHA-256 is"):
        example("face_detector").FaceDetector(package)


def test_a_package_checks_itself(package):
    def check():
        command = [sys.executable, "-B", package / "python" / "check.py"]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    answer = check()
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.strip() == "the package is as it was made"
    readme = package / "README.md"
    readme.write_text("other", encoding="utf-8")
    answer = check()
    assert answer.returncode == 1
    assert answer.stderr.strip() == "README.md was changed since it was packaged"


def encoded(pixels, kind="PNG"):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def refusals(picture):
    """Return what is sent, its type, and the status and code that answer it."""
    wide = encoded(np.zeros((3001, 4000), bool))
    return {
        "another type": (picture, "text/html", 415, "wrong_type"),
        "no type": (picture, "", 415, "wrong_type"),
        "no picture": (b"hello", "image/png", 415, "wrong_type"),
        "a kind that is not read": (
            encoded(np.zeros((9, 9), np.uint8), "GIF"),
            "image/png",
            415,
            "wrong_type",
        ),
        "cut": (picture[:20_000], "image/png", 422, "damaged"),
        "nothing": (b"", "image/png", 400, "empty"),
        "too many bytes": (bytes(10 * 2**20 + 1), "image/png", 413, "too_large"),
        "too many pixels": (wide, "image/png", 413, "too_large"),
    }


REFUSED = list(refusals(b""))


def test_the_service_finds_the_packaged_faces(packaged, example, picture):
    status, content = example("service").answer(picture, "image/png; charset=x", str(THRESHOLD))
    assert status == 200
    agree(content["faces"], wanted(packaged, packaged / "package" / "sample" / "picture.png"))
    assert (content["width"], content["height"]) == sample_picture.drawn().size


@pytest.mark.parametrize("what", REFUSED)
def test_the_service_refuses_with_status_and_code(example, picture, what):
    body, kind, status, code = refusals(picture)[what]
    given, content = example("service").answer(body, kind)
    assert (given, content["error"]["code"]) == (status, code)
    assert content["error"]["message"]


@pytest.mark.parametrize("score", ["2", "-0.1", "1", "nan", "high"])
def test_the_service_refuses_a_score_that_is_none(example, picture, score):
    status, content = example("service").answer(picture, "image/png", score)
    assert (status, content["error"]["code"]) == (400, "wrong_score")


def test_a_decompression_bomb_is_too_large(example, picture, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    status, content = example("service").answer(picture, "image/png")
    assert (status, content["error"]["code"]) == (413, "too_large")


def ask(application, method, path, body=b"", kind="image/png", query="", length=None):
    """Call a web application as a WSGI server would."""
    started = []
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_TYPE": kind,
        "CONTENT_LENGTH": str(len(body)) if length is None else length,
        "wsgi.input": io.BytesIO(body),
    }
    answer = b"".join(application(environ, lambda status, headers: started.append(status)))
    return int(started[0][:3]), json.loads(answer)


def test_the_web_application_answers_and_refuses(example, picture):
    application = example("app").application
    status, content = ask(application, "GET", "/health")
    assert (status, content["status"]) == (200, "ok")
    status, content = ask(application, "POST", "/detect", picture, query="score=0.02")
    assert status == 200
    assert content["faces"]
    assert ask(application, "GET", "/detect")[0] == 405
    assert ask(application, "GET", "/nothing")[0] == 404
    assert ask(application, "POST", "/detect", picture, length="")[0] == 411
    assert ask(application, "POST", "/detect", b"", length=str(2**40))[0] == 413


@pytest.mark.parametrize("what", REFUSED)
def test_the_web_application_refuses_with_status_and_code(example, picture, what):
    body, kind, status, code = refusals(picture)[what]
    given, content = ask(example("app").application, "POST", "/detect", body, kind)
    assert (given, content["error"]["code"]) == (status, code)


def http_api(picture, kind="image/png", method="POST", **changes):
    """Return an event as an HTTP API or a function URL sends it (payload 2.0)."""
    return {
        "version": "2.0",
        "rawPath": "/detect",
        "headers": {"content-type": kind},
        "queryStringParameters": {"score": str(THRESHOLD)},
        "requestContext": {"http": {"method": method, "path": "/detect"}},
        "body": base64.b64encode(picture).decode("ascii"),
        "isBase64Encoded": True,
        **changes,
    }


def rest_api(picture, kind="image/png", method="POST", **changes):
    """Return an event as a REST API or a load balancer sends it (payload 1.0)."""
    return {
        "resource": "/detect",
        "httpMethod": method,
        "headers": {"Content-Type": kind},
        "queryStringParameters": {"score": str(THRESHOLD)},
        "requestContext": {"httpMethod": method},
        "body": base64.b64encode(picture).decode("ascii"),
        "isBase64Encoded": True,
        **changes,
    }


@pytest.mark.parametrize("event", [http_api, rest_api])
def test_lambda_answers_its_events(packaged, example, picture, event):
    handler = example("handler", "serverless/aws_lambda").handler
    answer = handler(event(picture), None)
    assert answer["statusCode"] == 200
    assert answer["headers"]["Content-Type"] == "application/json"
    faces = json.loads(answer["body"])["faces"]
    agree(faces, wanted(packaged, packaged / "package" / "sample" / "picture.png"))
    assert handler(event(picture, method="GET"), None)["statusCode"] == 405
    assert handler(event(b"", body="%%%"), None)["statusCode"] == 400
    assert handler(event(b"", body=None, isBase64Encoded=False), None)["statusCode"] == 400
    text = handler(event(b"", body="no picture", isBase64Encoded=False), None)
    assert text["statusCode"] == 415
    assert handler(event(b"", headers=None), None)["statusCode"] == 415


@pytest.mark.parametrize("what", REFUSED)
def test_lambda_refuses_with_status_and_code(example, picture, what):
    handler = example("handler", "serverless/aws_lambda").handler
    body, kind, status, code = refusals(picture)[what]
    answer = handler(http_api(body, kind), None)
    assert (answer["statusCode"], json.loads(answer["body"])["error"]["code"]) == (status, code)


class FunctionApp:
    """Of the second programming model: keeps nothing but its routes."""

    def __init__(self, http_auth_level):
        self.level, self.routes = http_auth_level, {}

    def route(self, route, methods):
        def keep(function):
            self.routes[route, *methods] = function
            return function

        return keep


@pytest.fixture
def azure(monkeypatch):
    """The library of Azure Functions: the real one where it is installed, else its shape."""
    if importlib.util.find_spec("azure") is not None:
        return pytest.importorskip("azure.functions")
    functions = ModuleType("azure.functions")
    functions.FunctionApp = FunctionApp
    functions.AuthLevel = SimpleNamespace(FUNCTION="function")
    functions.HttpRequest = SimpleNamespace
    functions.HttpResponse = lambda body, **about: SimpleNamespace(body=body, **about)
    azure = ModuleType("azure")
    azure.functions = functions
    monkeypatch.setitem(sys.modules, "azure", azure)
    monkeypatch.setitem(sys.modules, "azure.functions", functions)
    return functions


def posted(body, kind):
    return SimpleNamespace(
        headers={"Content-Type": kind}, params={"score": str(THRESHOLD)}, get_body=lambda: body
    )


def test_azure_answers_its_requests(packaged, example, picture, azure):
    module = example("function_app", "serverless/azure_functions")
    assert isinstance(module.app, azure.FunctionApp)
    answer = module.respond(posted(picture, "image/png"))
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    body = answer.body if hasattr(answer, "body") else answer.get_body()
    faces = json.loads(body)["faces"]
    agree(faces, wanted(packaged, packaged / "package" / "sample" / "picture.png"))


@pytest.mark.parametrize("what", REFUSED)
def test_azure_refuses_with_status_and_code(example, picture, azure, what):
    module = example("function_app", "serverless/azure_functions")
    body, kind, status, code = refusals(picture)[what]
    answer = module.respond(posted(body, kind))
    given = answer.body if hasattr(answer, "body") else answer.get_body()
    assert (answer.status_code, json.loads(given)["error"]["code"]) == (status, code)


NODE = """
import fs from "node:fs";
import * as example from "{module}";
const manifest = JSON.parse(fs.readFileSync("{package}/manifest.json"));
const outputs = JSON.parse(fs.readFileSync("{outputs}"));
class Tensor {{ constructor(type, data, dims) {{ Object.assign(this, {{ type, data, dims }}); }} }}
const session = {{
  async run() {{
    return Object.fromEntries(
      Object.entries(outputs).map(([name, data]) => [name, {{ data: Float32Array.from(data) }}]),
    );
  }},
}};
const detector = new example.FaceDetector({{ Tensor }}, session, manifest);
const pixels = new Uint8ClampedArray(4 * {height} * {width});
const faces = await detector.find(pixels, {width}, {height}, {threshold});
console.log(JSON.stringify(faces));
"""


@pytest.mark.external
def test_the_javascript_example_decodes_as_the_program_does(packaged, tmp_path):
    """ONNX Runtime's answers are handed over as numbers: only Node is needed."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: nothing runs JavaScript here")
    pixels = np.random.default_rng(0).integers(0, 256, (101, 75, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "odd.png")
    engine = open_file(packaged / "package" / "models" / f"{NETWORK}.onnx")
    fed = sample_picture.pixels(Image.open(tmp_path / "odd.png")).astype(np.float32)
    fed = (fed - np.float32(engine.config.pixel_mean)).transpose(2, 0, 1)[None]
    outputs = engine.session(np.ascontiguousarray(fed))
    plain = {name: value.ravel().tolist() for name, value in outputs.items()}
    (tmp_path / "outputs.json").write_text(json.dumps(plain), encoding="utf-8")
    module = tmp_path / "face_detector.mjs"
    shutil.copyfile(packaged / "package" / "javascript" / "face_detector.js", module)
    script = NODE.format(
        module=module.as_uri(),
        package=(packaged / "package").as_posix(),
        outputs=(tmp_path / "outputs.json").as_posix(),
        height=101,
        width=75,
        threshold=THRESHOLD,
    )
    (tmp_path / "run.mjs").write_text(script, encoding="utf-8")
    answer = subprocess.run(
        [node, tmp_path / "run.mjs"], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    agree(json.loads(answer.stdout), wanted(packaged, tmp_path / "odd.png"))
