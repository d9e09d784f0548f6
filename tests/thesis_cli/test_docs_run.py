"""Every `thesis` command that the docs show is run, in the order of its page."""

from __future__ import annotations

import contextlib
import re
import shlex
import shutil
from functools import partial
from pathlib import Path

import pytest
import torch

from experiments.workspace.workspace import Workspace
from featherface.data.widerface import open_split
from featherface.evaluation.predictions import write_prediction
from featherface.networks.detector import build
from featherface.serving import server
from featherface.variants.table import variant
from featherface.weights.checkpoints import save_weights
from thesis_cli import run_and_sync

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(?:console|sh|bash)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SMALL = """\
extends: [{name}, smoke]
model: {{variant: v2}}
data: {{root: synthetic}}
distill: {{teacher: null}}
"""
ANSWERS = {"thesis milestone check": {0, 1}}
"""Where another code than 0 is no failure: claims may be false."""


def lines(page):
    blocks = BLOCK.findall(page.read_text(encoding="utf-8").replace("\\\n", ""))
    shown = [line.removeprefix("$ ").strip() for block in blocks for line in block.splitlines()]
    return [line for line in shown if line.startswith("thesis ")]


SHOWN = [page for page in PAGES if lines(page)]


@pytest.fixture
def stage(tmp_path, monkeypatch, make_run, small_set):
    """What the reader of the guide would have at hand, as small as it can be."""
    made = Workspace.create(tmp_path / "demo")
    made.vault.mkdir()
    teacher = make_run(made, "v1", matches=True)
    weights = tmp_path / "v2.safetensors"
    save_weights(weights, build(variant("v2"), seed=0), {"variant": "v2"})
    files = {"checkpoints/best.safetensors": weights.read_bytes()}
    make_run(made, "v2", variant="v2", parents=[teacher], seed=1, matches=True, files=files)
    for name in ("v1", "v2"):
        text = SMALL.format(name=name)
        (made.recipes / f"{name}.yaml").write_text(text, encoding="utf-8")
    settings = (made.root / "thesis.toml").read_text(encoding="utf-8")
    named = settings.replace("[data]\n", f"[data]\nwiderface = {str(small_set)!r}\n", 1)
    (made.root / "thesis.toml").write_text(named, encoding="utf-8")
    state = build(variant("v1-official"), seed=0).state_dict()
    torch.save({"state_dict": state}, made.root / "FeatherFace.pth")
    split = open_split(small_set, "val")
    shutil.copy(split.path(split.images[0]), made.root / "photo.jpg")
    for image in split.images:
        boxes = torch.tensor(image.boxes)
        rows = torch.cat([boxes[:, :2], boxes[:, 2:] - boxes[:, :2], torch.ones(len(boxes), 1)], 1)
        write_prediction(made.root / "detections", image.path, rows.double().numpy())
    shutil.copytree(small_set, made.root / "ground_truth")
    monkeypatch.setattr(server, "serve", lambda *_, **__: None)  # it would serve without end
    monkeypatch.setattr(server, "bound", partial(bound_anywhere, server.bound))
    monkeypatch.chdir(made.root)
    return made


def bound_anywhere(bound, host, port):
    """Listen on a free port, whichever the docs name."""
    del port
    return bound(host, 0)


@contextlib.contextmanager
def stopped():
    """Stand for a Ctrl-C as soon as the run can be left."""
    yield lambda: True


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [page for page in PAGES if lines(page)], ids=lambda page: page.name
)
def test_what_the_docs_show_works(thesis, stage, page, monkeypatch):
    for line in lines(page):
        if "--resume" in line:
            with monkeypatch.context() as patched:
                patched.setattr(run_and_sync, "stoppable", stopped)
                assert thesis("run", "v2", "--new").code == 130
        answer = thesis(*shlex.split(line)[1:])
        assert answer.code in ANSWERS.get(line, {0}), f"{line}\n{answer.err}"
