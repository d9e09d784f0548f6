"""Make the error gallery of a run: an HTML page, or a note that later syncs keep up to date."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from featherface.errors import RefusedError
from vault_sync.commands.dry_run import find_vault
from vault_sync.commands.sync import sync
from vault_sync.commands.writing import write_notes
from vault_sync.content.bodies import block_body
from vault_sync.content.catalogue import open_composer
from vault_sync.engine.disk.names import note_path, safe_name
from vault_sync.engine.plans import Write
from vault_sync.engine.text.markers import write_block
from vault_sync.engine.text.properties import write_front_matter
from vault_sync.rendering.jinja import render, render_html
from vault_sync.rendering.markdown import Safe
from vault_sync.rendering.words import Words
from vault_sync.reports.gallery import alarm_kind, attribute_list, share, why_missed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from PIL.Image import Image

    from experiments.inspection.detection_review import DetectionReview
    from experiments.records.run import Run
    from experiments.workspace.workspace import Workspace

SIDE = 224
"""Pixels of a crop on a page."""
BY = ("height", "blur", "occlusion", "pose", "illumination", "expression")


@dataclass(frozen=True)
class GalleryNote:
    """A gallery in the vault."""

    note: str
    """Path from the vault."""
    written: bool
    """False where it was there already; syncs keep it true."""
    reasons: tuple[str, ...] = ()
    """What the sync that brought the pictures could not write, a sentence each."""


def write_note(workspace: Workspace, run: Run, options: Mapping[str, str]) -> GalleryNote:
    """Make the note of RUN's gallery, or return where it is; OPTIONS go into its marker.

    Raises:
        NotFoundError: there is no vault.
        RefusedError: something else stands there, or the run can't be judged again.
    """
    vault = find_vault(workspace)
    composer = open_composer(workspace, vault)
    identity = f"gallery/{run.id}"
    carriers = composer.snapshot.by_id.get(identity, [])
    if carriers:
        return GalleryNote(carriers[0].path, written=False)
    pattern = workspace.chapters["galleries"]
    name = safe_name(run.id)
    place = pattern.replace("{run}", name) if "{run}" in pattern else f"{pattern}/{name}"
    path = note_path(place, "chapters.galleries")
    if composer.snapshot.collision(path) is not None:
        raise RefusedError(
            f"{path} is there already and is no gallery of {run.id}",
            f"rename that note, then: thesis eval gallery {run.id} --to vault",
        )
    block_id, attributes = f"gallery.{run.id}", {"runs": run.id, **options}
    body = block_body(composer.page(block_id, attributes, path), "gallery")
    block = Safe(write_block(block_id, "gallery", body, attributes).decode())
    values = {"block": lambda _: block, "block_id": block_id, "run": run.id}
    front = write_front_matter({"thesis_id": identity})
    text = f"{front}\n{render(composer.sources.words.language, 'notes/gallery', values)}"
    write = Write(path, None, text.encode(), identity, {block_id: body})
    outcome = write_notes(workspace, vault, [write], "eval gallery")
    if path not in outcome.written:
        raise RefusedError(f"{path} was made by someone else meanwhile", "thesis eval gallery")
    report = sync(workspace)  # which writes the pictures
    return GalleryNote(path, written=True, reasons=tuple(report.reasons))


def make_page(
    case: DetectionReview, gathered: Mapping[str, Any], counts: Mapping[str, Any], language: str
) -> str:
    """Write a page of HTML that holds its pictures itself.

    GATHERED is what `error_gallery.gather` gives, COUNTS what `count_errors` does.

    Raises:
        DataError: a picture is not there.
    """
    words = Words(language)
    score = words.number(gathered["score"], ".2f")
    return render_html(
        language,
        "pages/gallery",
        {
            "language": language,
            "title": words.say("gallery.title", name=Safe(case.name)),
            "facts": list(_facts(words, case, gathered)),
            "sections": list(_sections(words, case, gathered, score)),
            "kinds": _kinds(words, counts, score),
            "calibration": _calibration(words, counts["calibration"]),
            "side": SIDE,
        },
    )


def _facts(
    words: Words, case: DetectionReview, gathered: Mapping[str, Any]
) -> Iterator[tuple[Safe, Safe]]:
    metric = case.metric
    kind = "given" if gathered["complete"] else "given_partial"
    data = (
        words.say(f"gallery.{kind}", n=gathered["images"])
        if metric is None
        else words.short(metric)
    )
    yield words.say("gallery.data"), data
    if metric is not None:
        yield words.say("gallery.protocol"), words.protocol(metric.conditions)
    subset = gathered["subset"].title()
    faces = words.say("gallery.faces", n=gathered["faces"], subset=subset)
    yield words.say("gallery.subset"), faces
    yield words.say("gallery.score"), words.number(gathered["score"], ".2f")
    for name, whole in (("missed", "faces"), ("false", "proposals")):
        values = {"n": gathered[name], whole: gathered[whole]}
        values["share"] = share(words, gathered[name], gathered[whole])
        yield words.say(f"gallery.{name}"), words.say(f"gallery.{name}_of", **values)


def _sections(
    words: Words, case: DetectionReview, gathered: Mapping[str, Any], score: Safe
) -> Iterator[dict[str, Any]]:
    from experiments.inspection.error_gallery import draw_crops  # noqa: PLC0415 - Pillow

    files = case.look_up()
    for name, part, total in (("misses", "misses", "missed"), ("alarms", "false_alarms", "false")):
        cases = gathered[part]
        about = words.say(f"gallery.{name}_about", n=len(cases), total=gathered[total], score=score)
        images = draw_crops(cases, files, SIDE)
        crops = [
            _crop(words, place, detection, image)
            for place, (detection, image) in enumerate(zip(cases, images, strict=True), start=1)
        ]
        yield {
            "title": words.say(f"gallery.{name}"),
            "about": about if cases else words.say(f"gallery.no_{name}"),
            "crops": crops,
        }


def _crop(words: Words, place: int, detection: Mapping[str, Any], image: Image) -> dict[str, Any]:
    missed = "height" in detection
    if missed:
        height = words.say("gallery.height", n=round(detection["height"]))
        parts = [height, why_missed(words, detection), attribute_list(words, detection)]
    else:
        score = words.say("gallery.alarm_score", score=words.number(detection["score"], ".3f"))
        parts = [score, alarm_kind(words, detection)]
    alt = "alt_miss" if missed else "alt_alarm"
    picture = Safe(detection["picture"])
    return {
        "number": place,
        "image": _data_uri(image),
        "alt": words.say(f"gallery.{alt}", n=place, picture=picture),
        "caption": f"{words.semicolon} ".join(part for part in parts if part),
        "picture": picture,
    }


def _data_uri(image: Image) -> str:
    stream = io.BytesIO()
    image.save(stream, format="JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"


def _kinds(words: Words, counts: Mapping[str, Any], score: Safe) -> dict[str, Any]:
    headers = [words.say(f"gallery.{name}") for name in ("count", "recall", "seen")]
    tables = [
        {
            "headers": [words.say(f"grouping.{by}"), *headers],
            "rows": [_kind(words, by, row) for row in rows],
        }
        for by, rows in counts["breakdown"].items()
        if any(row["group"] != "unknown" for row in rows)
    ]
    about = words.say("gallery.kinds_about", score=score)
    return {"title": words.say("gallery.kinds"), "about": about, "tables": tables}


def _kind(words: Words, by: str, row: Mapping[str, Any]) -> dict[str, Any]:
    shares = [words.number(row[key], ".1%") for key in ("recall", "recall_any")]
    name = _group(words, by, row["group"])
    cells = [name, words.number(row["faces"], ","), *shares]
    return {"cells": cells, "bar": round(100 * row["recall"])}


def _group(words: Words, by: str, name: str) -> Safe:
    if name == "unknown":
        return words.say("gallery.unlabelled")
    if by != "height":
        return words.say(f"looks_like.{by}.{name}")
    if name.endswith("+"):
        return Safe(f"{words.say('gallery.above', low=int(name[:-1]))} (px)")
    low, high = name.split("-")
    return Safe(f"{words.say('gallery.range', low=int(low), high=int(high))} px")


def _calibration(words: Words, calibration: Mapping[str, Any]) -> dict[str, Any]:
    names = ("bin", "detections", "mean_score", "right")
    rows = [
        {
            "cells": [
                words.say(
                    "gallery.range",
                    low=_tenth(words, bucket["low"]),
                    high=_tenth(words, bucket["high"]),
                ),
                words.number(bucket["detections"], ","),
                words.number(bucket["score"], ".2f"),
                words.number(bucket["right"], ".1%"),
            ],
            "bar": round(100 * bucket["right"]),
        }
        for bucket in calibration["bins"]
        if bucket["detections"]
    ]
    known = bool(rows)
    error = words.number(calibration["error"], ".1%") if known else words.say("none")
    return {
        "title": words.say("gallery.calibration"),
        "about": words.say("gallery.calibration_about", error=error),
        "headers": [words.say(f"gallery.{name}") for name in names],
        "rows": rows,
    }


def _tenth(words: Words, value: float) -> Safe:
    return words.number(value, ".1f")
