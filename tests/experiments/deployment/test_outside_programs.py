"""A package under the compilers, browsers and checkers that it is written for.

`THESIS_ONNXRUNTIME` names a folder with include/ and lib/ of an ONNX Runtime release,
`THESIS_NODE_MODULES` a folder node_modules that holds onnxruntime-web.
"""

from __future__ import annotations

import functools
import http.server
import json
import os
import queue
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from stand_ins.packages import MODEL, PACKAGE

from experiments.deployment.sample_picture import differences

pytestmark = pytest.mark.external
CHECKED = {
    "hadolint": ("hadolint", "Dockerfile", "serverless/aws_lambda/Dockerfile"),
    "kubernetes": (
        "kubernetes-validate",
        "--strict",
        "kubernetes/deployment.yaml",
        "kubernetes/service.yaml",
        "kubernetes/autoscaler.yaml",
        "kubernetes/disruption-budget.yaml",
        "kubernetes/network-policy.yaml",
    ),
    "cloudformation": ("cfn-lint", "serverless/aws_lambda/template.yaml"),
}


def program(name):
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def folder_of(variable, what):
    value = os.environ.get(variable)
    if not value:
        pytest.skip(f"{variable} is not set: no {what} to test with")
    return Path(value)


@pytest.fixture
def manifest(packaged):
    return json.loads((packaged / PACKAGE / "manifest.json").read_text(encoding="utf-8"))


def same_faces(manifest, faces):
    """Whether FACES are those that MANIFEST keeps of the default model, to a tenth of a pixel."""
    threshold = manifest["sample"]["score_threshold"]
    kept = manifest["models"][0]["detections"]
    return differences(kept, faces, threshold, {"pixels": 0.1, "score": 1e-4}) == ""


@pytest.mark.parametrize("name", CHECKED)
def test_a_checker_finds_nothing(packaged, name):
    command, *files = CHECKED[name]
    answer = subprocess.run(
        [program(command), *files],
        cwd=packaged / PACKAGE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_the_cpp_example_is_compiled_and_finds_the_same_faces(packaged, manifest, tmp_path):
    compiler = program("g++")
    runtime = folder_of("THESIS_ONNXRUNTIME", "headers and library of ONNX Runtime")
    package, built = packaged / PACKAGE, tmp_path / "detect_faces"
    flags = ["-std=c++17", "-Wall", "-Wextra", "-Werror", f"-I{runtime / 'include'}"]
    libraries = [f"-L{runtime / 'lib'}", "-lonnxruntime", f"-Wl,-rpath,{runtime / 'lib'}"]
    source = package / "cpp" / "detect_faces.cpp"
    subprocess.run([compiler, *flags, source, *libraries, "-o", built], check=True)
    threshold = str(manifest["sample"]["score_threshold"])
    picture = package / manifest["sample"]["pixmap"]
    answer = subprocess.run(
        [built, package / MODEL, picture, threshold], capture_output=True, text=True, check=True
    )
    rows = [[float(word) for word in line.split()] for line in answer.stdout.splitlines()]
    assert same_faces(manifest, [{"score": row[0], "box": row[1:5]} for row in rows])
    wrong = subprocess.run(
        [built, package / MODEL, package / "README.md"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert wrong.returncode == 1
    assert wrong.stderr.strip().endswith("is no binary PPM of 8 bits")


TELL = """
<script>
const answer = document.querySelector("#answer");
const tell = () => fetch("/answer", { method: "POST", body: answer.textContent });
new MutationObserver(tell).observe(answer, { childList: true });
</script>
"""
"""What the test puts into its copy of the page, which by itself sends nothing anywhere."""


class PageServer(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, and keeps what a page tells."""

    answers: queue.Queue = queue.Queue()

    def do_POST(self):
        """Keep the body."""
        self.answers.put(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def address(package):
    """Serve the package on this machine, with ONNX Runtime beside its page; give the address."""
    modules = folder_of("THESIS_NODE_MODULES", "onnxruntime-web")
    shutil.copytree(
        modules / "onnxruntime-web", package / "javascript" / "node_modules" / "onnxruntime-web"
    )
    page = package / "javascript" / "index.html"
    page.write_text(page.read_text(encoding="utf-8") + TELL, encoding="utf-8")
    handler = functools.partial(PageServer, directory=package)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/javascript/?sample"
        server.shutdown()
        thread.join()


def test_the_page_finds_the_same_faces_in_a_browser(address, manifest, tmp_path):
    browser = program("chromium")
    flags = ["--headless", "--no-sandbox", f"--user-data-dir={tmp_path / 'profile'}"]
    command = [browser, *flags, "--remote-debugging-port=0", address]  # or it would end at once
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            answer = PageServer.answers.get(timeout=120)
        finally:
            process.terminate()
    assert same_faces(manifest, json.loads(answer))
