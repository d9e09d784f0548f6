"""Calling the command line in the test's own process."""

from __future__ import annotations

import json

import jsonschema
import pytest
import torch
from click.testing import CliRunner

from featherface.data.config import SyntheticConfig
from featherface.data.synthetic.dataset import draw
from featherface.networks.detector import build
from featherface.variants.table import variant
from thesis_cli.main import cli
from thesis_cli.schemas import schemas


class Answer:
    """What a call gave."""

    def __init__(self, result):
        self.result = result
        self.code = result.exit_code
        self.out = result.stdout
        self.err = result.stderr

    @property
    def whole(self):
        """Answer and messages."""
        return self.out + self.err

    @property
    def json(self):
        assert self.code in (0, 1, 4, 7), self.err
        return json.loads(self.out)

    @property
    def data(self):
        return self.json["data"]


@pytest.fixture
def thesis(monkeypatch, tmp_path):
    """Call `thesis ARGUMENTS`; errors must arrive as messages, never as tracebacks."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def call(*arguments, workspace=None, **extra):
        shared = ["--workspace", str(workspace.root)] if workspace else []
        result = CliRunner().invoke(cli, [*map(str, arguments), *shared], **extra)
        assert "Traceback" not in result.output, result.output
        if result.exception is not None:
            assert isinstance(result.exception, SystemExit), result.exception
        return Answer(result)

    return call


@pytest.fixture(autouse=True)
def _computed_once(resampled_once, probed_once, described_once, quick_plots):
    """Most commands see the same made-up runs and networks, each in a workspace of its own.

    Pictures are looked at in tests of plots and reports.
    """


@pytest.fixture
def valid():
    """Check an answer against the schema it names; give its data."""

    def check(answer):
        whole = answer.json
        _, name, version = whole["schema"].split("/")
        assert version == "1"
        jsonschema.Draft202012Validator(schemas()[name]).validate(whole)
        return whole["data"]

    return check


def snapshot(folder):
    """Give every path below FOLDER with its bytes, to see that nothing was left behind."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def contents():
    return snapshot


@pytest.fixture(scope="session")
def small_set(tmp_path_factory):
    """A synthetic set of a few small pictures; not to be changed."""
    root = tmp_path_factory.mktemp("synthetic") / "set"
    draw(root, SyntheticConfig(image_size=96, train_images=3, val_images=4))
    return root


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """A checkpoint of an untrained v2, as an older program might have saved it."""
    state = build(variant("v2"), seed=0).state_dict()
    wrapped = {f"module.{name}": value for name, value in state.items()}
    path = tmp_path_factory.mktemp("weights") / "old.pth"
    torch.save({"state_dict": {**wrapped, "module.total_ops": torch.zeros(1)}}, path)
    return path
