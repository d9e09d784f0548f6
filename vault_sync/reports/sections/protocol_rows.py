"""The rows of the training protocol, each with the function that writes its cell for a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featherface.losses.config import LossConfig
from vault_sync.rendering.markdown import Safe, code, escape
from vault_sync.rendering.setting_words import setting_name, setting_value
from vault_sync.reports.sections.run_diff import show_parent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from experiments.records.run import Run
    from vault_sync.rendering.page import Page

    Write = Callable[[Page, Run], str]

MORE = (
    *("feature_weight", "attention_weight", "cross_scale_weight", "self_weight", "temporal_weight"),
)
"""Weights of further terms of the loss; 0 leaves a term out."""
UNSAID = ("workers", "cache", "keep_memory", "log_every", "device", "seed")
"""Training settings that change nothing of what is learnt, or stand elsewhere."""


def _soft_weight(page: Page, run: Run) -> str:
    return _number("distill", "soft_weight")(page, run) if weights_scores(run) else ""


def section_of(run: Run, name: str) -> Mapping[str, Any]:
    """Return one section of RUN's recipe."""
    section: Mapping[str, Any] = run.recipe.get(name) or {}
    return section


def _number(section: str, key: str, spec: str = ".4g", zero: str = "") -> Write:
    """Write a number of the recipe; ZERO names the phrase for 0, where that turns it off."""

    def write(page: Page, run: Run) -> str:
        value = section_of(run, section).get(key)
        if value is None or isinstance(value, str):
            return ""
        if value == 0 and zero:
            return page.words.say(zero)
        return page.words.number(value, "," if isinstance(value, int) else spec)

    return write


def _name(section: str, key: str) -> Write:
    """Write a name or a list of the recipe."""

    def write(page: Page, run: Run) -> str:
        value = section_of(run, section).get(key)
        if value in (None, "", []):
            return ""
        return setting_value(page.words, f"{section}.{key}", value)

    return write


def _if_distilled(write: Write) -> Write:
    """Write something only for a run that had a teacher."""
    return lambda page, run: write(page, run) if has_teacher(run) else ""


def has_teacher(run: Run) -> bool:
    """Whether RUN had a teacher."""
    distill = section_of(run, "distill")
    return bool(distill.get("teacher") or distill.get("teacher_weights"))


def weights_scores(run: Run) -> bool:
    """Whether the teacher's scores have a weight of their own in RUN's loss."""
    return float(section_of(run, "distill").get("soft_weight") or 1.0) != 1.0


def has_more(run: Run) -> bool:
    """Whether RUN's loss has terms besides those of labels, scores, boxes and landmarks."""
    distill = section_of(run, "distill")
    taught = has_teacher(run) and bool(distill.get("phases") or distill.get("teachers"))
    return taught or any(float(distill.get(key) or 0.0) for key in MORE)


def _phases(page: Page, run: Run) -> str:
    """Write until which epoch each phase of the distillation lasts, and what it sets."""
    epochs = float(section_of(run, "train").get("epochs", 0))
    return Safe("<br>".join(_phase(page, phase, epochs) for phase in _phases_of(run)))


def _phase(page: Page, phase: Mapping[str, Any], epochs: float) -> str:
    words = page.words
    phrases = [
        Safe(f"{setting_name(words, f'distill.{key}')} {words.number(float(value), '.3g')}")
        for key, value in phase.items()
        if key not in ("until", "name") and value is not None
    ]
    about = {
        "end": round(float(phase["until"]) * epochs),
        "list": words.listing(phrases) if phrases else words.say("none"),
    }
    return words.say("training.phase", name=str(phase.get("name") or "–"), **about)


def _phases_of(run: Run) -> list[Mapping[str, Any]]:
    phases = section_of(run, "distill").get("phases") or []
    return [phase for phase in phases if isinstance(phase, dict) and "until" in phase]


def _origin(role: str) -> Write:
    def write(page: Page, run: Run) -> str:
        has_parent = any(parent.role == role for parent in run.record.parents)
        return show_parent(page, run, role) if has_parent else ""

    return write


def _split(which: str) -> Write:
    """Write images, faces and fingerprint of a split."""

    def write(page: Page, run: Run) -> str:
        about = run.data.get(str(section_of(run, "data").get(f"{which}_split", which)), {})
        images, faces = about.get("images") or about.get("files"), about.get("faces")
        if not images:
            return ""
        words = page.words
        phrases = [words.name("dataset", str(about.get("dataset", "")))]
        phrases += [words.say("training.images", n=int(images))]
        phrases += [words.say("training.faces", n=int(faces))] if faces is not None else []
        digest = str(about.get("annotation_sha256") or about.get("annotation") or "")
        phrases += [code(digest[:12])] if digest else []
        return Safe(", ".join(phrases))

    return write


def _batch(page: Page, run: Run) -> str:
    train = section_of(run, "train")
    size, times = train.get("batch_size"), train.get("accumulate", 1)
    if size is None or isinstance(size, str):  # `auto`: a run that didn't train has none
        return ""
    number = page.words.number(int(size), ",")
    return Safe(f"{number} × {page.words.number(int(times), ',')}") if times > 1 else number


def _epochs(page: Page, run: Run) -> str:
    planned, done = section_of(run, "train").get("epochs"), len(run.events("epoch"))
    if done and done != int(planned or 0):
        return page.words.say("training.some", done=done, planned=int(planned or 0))
    return "" if planned is None else page.words.number(int(planned), ",")


def _steps(page: Page, run: Run) -> str:
    steps = [int(event["step"]) for event in run.events("epoch") if "step" in event]
    return page.words.number(steps[-1], ",") if steps else ""


def _schedule(page: Page, run: Run) -> str:
    train, words = section_of(run, "train"), page.words
    name = str(train.get("schedule", ""))
    if not name:
        return ""
    phrases = [words.name("schedule", name)]
    if name != "constant" and train.get("warmup"):
        phrases += [words.say("training.warmup", share=words.number(train["warmup"], ".0%"))]
    if name == "steps":
        at = [words.number(share, ".0%") for share in train.get("steps_at", ())]
        phrases += [words.say("training.steps_at", list=Safe(words.between.join(at)))]
    return Safe(", ".join(phrases))


def _precision(page: Page, run: Run) -> str:
    value = section_of(run, "train").get("amp")
    if value in (None, "auto", "no", False):
        return "" if value in (None, "auto") else page.words.say("no")
    return code(value)


def _momentum(page: Page, run: Run) -> str:
    sgd = section_of(run, "train").get("optimizer") == "sgd"
    return _number("train", "momentum")(page, run) if sgd else ""


def _side(page: Page, run: Run) -> str:
    side = section_of(run, "train").get("image_size")
    return page.words.say("setup.pixels", n=int(side)) if side else ""


def _scales(key: str, augmentation: str = "") -> Write:
    """List the numbers under KEY; with AUGMENTATION only for runs that used it."""

    def write(page: Page, run: Run) -> str:
        train = section_of(run, "train")
        if augmentation and augmentation not in train.get("augmentations", ()):
            return ""
        numbers = [page.words.number(float(scale), ".3g") for scale in train.get(key, ())]
        return page.words.between.join(numbers)

    return write


def _losses(page: Page, run: Run) -> str:
    """List what differs from the official loss, as a recipe writes it."""
    chosen, usual = section_of(run, "train").get("loss") or {}, LossConfig()
    words = page.words
    other = [
        Safe(f"{setting_name(words, key)}{words.colon}{setting_value(words, key, value)}")
        for name, value in chosen.items()
        if getattr(usual, name, "") != value
        for key in [f"train.loss.{name}"]
    ]
    return Safe("<br>".join(other))


def _kept_epoch(page: Page, run: Run) -> str:
    """Say which epoch's weights were kept."""
    weights = str(run.results.get("details", {}).get("train", {}).get("weights", ""))
    scored = sum("mean_ap" in event for event in run.events("epoch"))
    if not weights:
        return ""
    chosen = "best" in weights and scored > 1
    return page.words.say("training.kept_best" if chosen else "training.kept_last")


def _seed(page: Page, run: Run) -> str:
    del page
    return str(run.record.seed)


def _hardware(key: str) -> Write:
    return lambda _, run: escape(str(run.record.hardware.get(key) or ""))


def _card(page: Page, run: Run) -> str:
    """Name the graphics card that trained; a record of earlier versions names the first one."""
    trained = run.results.get("details", {}).get("train", {})
    if "hardware" in trained:
        return escape(str(trained["hardware"])) if trained.get("device") == "cuda" else ""
    return _hardware("gpu")(page, run)


def _duration(page: Page, run: Run) -> str:
    stage = run.record.stages.get("train")
    return page.words.duration(stage.seconds) if stage else ""


def _code(page: Page, run: Run) -> str:
    git = run.record.git
    if not git.commit:
        return ""
    commit = code(git.commit[:12])
    return page.words.say("training.dirty", commit=commit) if git.dirty else commit


def _evaluation(page: Page, run: Run) -> str:
    name = str(section_of(run, "evaluate").get("protocol", ""))
    return page.words.name("protocol", name) if name else ""


GROUPS: dict[str, dict[str, Write]] = {
    "start": {
        "variant": _name("model", "variant"),
        "weights": _origin("weights"),
        "backbone": _origin("backbone"),
    },
    "data": {"train": _split("train"), "val": _split("val")},
    "input": {
        "image_size": _side,
        "augmentations": _name("train", "augmentations"),
        "crop_scales": _scales("crop_scales", "crop"),
        "zoom_scales": _scales("zoom_scales", "zoom-crop"),
        "progressive": _scales("progressive"),
        "multi_scale": _scales("multi_scale"),
        "curriculum": _number("train", "curriculum", ".0%", zero="training.none"),
    },
    "optimisation": {
        "optimizer": _name("train", "optimizer"),
        "lr": _number("train", "lr"),
        "schedule": _schedule,
        "weight_decay": _number("train", "weight_decay"),
        "momentum": _momentum,
        "batch_size": _batch,
        "epochs": _epochs,
        "steps": _steps,
        "clip": _number("train", "clip", zero="training.none"),
        "ema": _number("train", "ema", zero="training.none"),
        "amp": _precision,
        "patience": _number("train", "patience", zero="training.none"),
        "kept": _kept_epoch,
    },
    "loss": {
        "overlap": _number("train", "overlap"),
        "negatives": _number("train", "negatives"),
        "box_weight": _number("train", "box_weight"),
        "landmark_weight": _number("train", "landmark_weight"),
        "losses": _losses,
    },
    "distillation": {
        "teacher": _if_distilled(_origin("teacher")),
        "temperature": _if_distilled(_number("distill", "temperature")),
        "alpha": _if_distilled(_number("distill", "alpha")),
        "soft_weight": _if_distilled(_soft_weight),
        "teacher_box_weight": _if_distilled(_number("distill", "box_weight")),
        "teacher_landmark_weight": _if_distilled(_number("distill", "landmark_weight")),
        "confidence": _if_distilled(_number("distill", "confidence")),
        "init_backbone": _if_distilled(_name("distill", "init_backbone")),
        "phases": _phases,
    },
    "evaluation": {
        "protocol": _evaluation,
        "score_threshold": _number("evaluate", "score_threshold"),
        "nms_threshold": _number("evaluate", "nms_threshold"),
        "max_detections": _number("evaluate", "max_detections", zero="training.all"),
    },
    "circumstances": {
        "seed": _seed,
        "gpu": _card,
        "cpu": _hardware("cpu"),
        "torch": _hardware("torch"),
        "code": _code,
        "duration": _duration,
    },
}
"""Heading -> row -> what writes it for a run; a row that no run fills is left out."""
SECTIONS = {"optimisation": "train", "distillation": "distill"}
"""Heading -> section of the recipe whose other settings are listed under it."""
KNOWN: dict[str, tuple[str, ...]] = {
    "train": (
        *(name for group in GROUPS.values() for name in group),
        *UNSAID,
        "warmup",
        "steps_at",
        "accumulate",
        "evaluate_every",
        "loss",
    ),
    "distill": (
        *GROUPS["distillation"],
        "cache",
        "cache_gb",
        "teacher_variant",
        "teacher_weights",
        "teacher_model",
        "box_weight",
        "landmark_weight",
    ),
}
"""Settings that the rows above speak of."""
