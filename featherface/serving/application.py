"""The routes: detection, health, metrics, what is served, and a page to try it."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST

from featherface.serving.limits import LOWEST_SCORE
from featherface.serving.refusals import Refusal

if TYPE_CHECKING:
    from featherface.serving.service import Service

PAGE = Path(__file__).parent / "page"
FILES = {"/": "page.html", "/page.css": "page.css", "/page.js": "page.js"}
"""Path -> file of the page, read once; nothing else comes from the disk."""
KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
LowestScore = Annotated[
    float, Query(ge=LOWEST_SCORE, lt=1, description="Lowest score of a face that is told.")
]
PICTURE = {"schema": {"type": "string", "format": "binary"}}
BODY = {
    "requestBody": {
        "required": True,
        "description": "The picture itself, or a form with a file in it.",
        "content": {"image/*": PICTURE, "application/octet-stream": PICTURE}
        | {"multipart/form-data": {"schema": {"type": "object"}}},
    }
}
FORM = {
    "requestBody": {
        "required": True,
        "description": "A form with a file for each picture.",
        "content": {"multipart/form-data": {"schema": {"type": "object"}}},
    }
}


def application(service: Service, score: float) -> FastAPI:
    """Return the routes of SERVICE; SCORE is the lowest that is told where a request names none."""
    app = FastAPI(title="thesis serve", docs_url=None, redoc_url=None)
    _tell_refusals(app)
    _add_detection(app, service, score)
    _add_knowledge(app, service, score)
    for path, name in FILES.items():
        _add_file(app, path, PAGE / name)
    return app


def _add_detection(app: FastAPI, service: Service, usual: float) -> None:
    @app.post("/detect", openapi_extra=BODY)
    async def detect(request: Request, score: LowestScore = usual) -> JSONResponse:
        """Find the faces in one picture: boxes (x1, y1, x2, y2) and landmarks in pixels."""
        answer = await service.picture(request.headers, request.receive, score)
        return JSONResponse(answer)

    @app.post("/detect/batch", openapi_extra=FORM)
    async def detect_batch(request: Request, score: LowestScore = usual) -> JSONResponse:
        """Find the faces in several pictures; one that can't be read has an error in its place."""
        status, answer = await service.batch(request.headers, request.receive, score)
        return JSONResponse(answer, status)


def _add_knowledge(app: FastAPI, service: Service, usual: float) -> None:
    @app.get("/health")
    @app.get("/health/ready")
    async def ready() -> dict[str, str]:
        """Whether pictures are taken: 503 once the service stops."""
        service.check_ready()
        return {"status": "ready"}

    @app.get("/health/live")
    async def live() -> dict[str, str]:
        """Whether the process answers."""
        return {"status": "alive"}

    @app.get("/metrics")
    async def metrics() -> Response:
        """Counts and times, as Prometheus reads them."""
        return Response(service.measured.text(), media_type=CONTENT_TYPE_LATEST)

    @app.get("/model")
    async def model() -> dict[str, Any]:
        """What is served: network, run, seal, digest, settings, evidence and limits."""
        limits = {**vars(service.limits), "lowest_score": LOWEST_SCORE}
        return {**service.model.to_json(), "score": usual, "limits": limits}


def _add_file(app: FastAPI, path: str, file: Path) -> None:
    content, kind = file.read_bytes(), KINDS[file.suffix]

    @app.get(path, include_in_schema=False)
    async def page() -> Response:
        return Response(content, media_type=kind)


def _tell_refusals(app: FastAPI) -> None:
    """Let every error have one shape."""

    @app.exception_handler(Refusal)
    async def refused(_: Request, refusal: Refusal) -> JSONResponse:
        return answer_of(refusal)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        return answer_of(Refusal(422, "invalid", f"{where}: {first['msg']}", "see /openapi.json"))

    async def other(_: Request, error: Exception) -> JSONResponse:
        status = HTTPStatus(getattr(error, "status_code", 500))
        headers = getattr(error, "headers", None) or {}
        code = status.phrase.lower().replace(" ", "_")
        refusal = Refusal(status, code, status.description or status.phrase, "see /openapi.json")
        return answer_of(refusal, headers)

    for status in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED):
        app.add_exception_handler(status, other)

    @app.exception_handler(Exception)
    async def defect(_: Request, error: Exception) -> JSONResponse:
        name = type(error).__name__
        return answer_of(Refusal(500, "defect", f"something unforeseen happened: {name}"))


def answer_of(refusal: Refusal, headers: dict[str, str] | None = None) -> JSONResponse:
    """Return REFUSAL as an answer."""
    return JSONResponse(
        {"error": refusal.to_json()}, refusal.status, {**refusal.headers, **(headers or {})}
    )
