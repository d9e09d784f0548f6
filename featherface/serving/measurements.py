"""What a service counts and times of itself, as Prometheus reads it; nothing of the pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

if TYPE_CHECKING:
    from featherface.serving.admission import Admission
    from featherface.serving.served_model import ServedModel

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
STAGES = ("wait", "decode", "network")


class Measurements:
    """The numbers of one service."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self._registry = registry
        ProcessCollector(registry=registry)
        self._requests = Counter(
            "thesis_requests", "Requests answered.", ("path", "status"), registry=registry
        )
        self._seconds = Histogram(
            "thesis_request_seconds",
            "From a request's head to its answer.",
            ("path",),
            buckets=SECONDS,
            registry=registry,
        )
        self._stages = Histogram(
            "thesis_stage_seconds",
            "Waiting for a thread, decoding a picture, a pass of the network.",
            ("stage",),
            buckets=SECONDS,
            registry=registry,
        )
        self._pictures = Counter(
            "thesis_pictures", "Pictures by what became of them.", ("outcome",), registry=registry
        )
        self._faces = Counter("thesis_faces", "Faces found.", registry=registry)
        for stage in STAGES:
            self._stages.labels(stage)

    def observe(self, model: ServedModel, admission: Admission) -> None:
        """Tell of MODEL, and of what ADMISSION holds at the moment that is asked."""
        about = Gauge(
            "thesis_model",
            "The network that is served.",
            ("name", "engine", "sha256"),
            registry=self._registry,
        )
        about.labels(**model.identity()).set(1)
        requests = Gauge(
            "thesis_requests_held", "Requests with pictures, now.", registry=self._registry
        )
        requests.set_function(lambda: admission.requests)
        held = Gauge(
            "thesis_upload_bytes_held", "Bytes of uploads in memory.", registry=self._registry
        )
        held.set_function(lambda: admission.held)

    def request(self, path: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(path, status).inc()
        self._seconds.labels(path).observe(seconds)

    def stage(self, name: str, seconds: float) -> None:
        """Time one of STAGES."""
        self._stages.labels(name).observe(seconds)

    def picture(self, outcome: str) -> None:
        """Count a picture: `done`, or the code of its refusal."""
        self._pictures.labels(outcome).inc()

    def faces(self, count: int) -> None:
        """Count faces."""
        self._faces.inc(count)

    def text(self) -> bytes:
        """Return all numbers in Prometheus' format."""
        return generate_latest(self._registry)
