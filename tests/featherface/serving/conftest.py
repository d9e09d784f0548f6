"""A service over a network that computes nothing, called in the test's own process."""

from __future__ import annotations

import io
import threading

import numpy as np
import pytest
import torch
from PIL import Image

from featherface.engines.engine import Answer, Engine
from featherface.geometry.priors import priors
from featherface.serving.limits import ServingLimits
from featherface.serving.served_model import ServedModel
from featherface.variants.table import variant


class ToldEngine(Engine):
    """Finds one face, at the prior in the middle of all; waits at `gate` where that is closed."""

    name = "torch"

    def __init__(self):
        super().__init__(variant("v3-nano"), torch.device("cpu"))
        self.shapes = []
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, pictures):
        self.shapes.append(tuple(pictures.shape))
        assert self.gate.wait(20)
        batch, _, height, width = pictures.shape
        count = len(priors(self.config, height, width))
        scores = torch.zeros(batch, count)
        scores[:, count // 2] = 0.9
        return Answer(torch.zeros(batch, count, 4), scores, torch.zeros(batch, count, 10))

    def fingerprint(self):
        return "0" * 64


class ServiceUnderTest:
    """A service with a client, and everything that it logged."""

    def __init__(self, *, as_json=False, **limits):
        pytest.importorskip("fastapi", reason="the extra `serve` is not installed")
        from fastapi.testclient import TestClient  # noqa: PLC0415 - an extra

        from featherface.serving.server import observed  # noqa: PLC0415 - as above
        from featherface.serving.service import Service  # noqa: PLC0415 - as above

        self.engine = ToldEngine()
        self.model = ServedModel(
            engine=self.engine,
            variant="v3-nano",
            file="best.safetensors",
            sha256="a" * 64,
            checked_by="seal of v2@3",
            run="v2@3",
            seal="b" * 64,
            evidence=({"name": "widerface.hard.ap", "value": 0.8},),
        )
        self.service = Service(self.model, ServingLimits(**{"megabytes": 1.0, **limits}))
        self.log = []
        self.client = TestClient(
            observed(self.service, 0.5, self.log.append, as_json=as_json),
            raise_server_exceptions=False,
        )

    def post(self, content=None, path="/detect", **more):
        return self.client.post(path, content=content, **more)

    def post_files(self, *contents, path="/detect/batch"):
        files = [("p", (f"{place}.jpg", content)) for place, content in enumerate(contents)]
        return self.client.post(path, files=files)


@pytest.fixture
def served():
    """Make a service with these limits; afterwards nothing of any request may be held."""
    made = []

    def make(**limits):
        made.append(ServiceUnderTest(**limits))
        return made[-1]

    yield make
    for each in made:
        each.engine.gate.set()
        each.service.close()
        assert (each.service.admission.requests, each.service.admission.held) == (0, 0)


@pytest.fixture
def picture():
    """Encode a picture of WIDTH x HEIGHT."""

    def encode(width=96, height=64, kind="JPEG", **more):
        pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, kind, **more)
        return file.getvalue()

    return encode
