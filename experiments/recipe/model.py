"""The recipe as a dataclass: each section is one, a field is a key."""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from experiments import schema
from experiments.names import STAGES, check_name
from experiments.redaction import clean_values
from experiments.workspace import paths
from experiments.yaml_io import parse_yaml, write_yaml
from featherface.data.config import SyntheticConfig
from featherface.engines.table import ENGINES, TORCH, check_engine
from featherface.errors import UsageError, unknown
from featherface.evaluation.config import EvaluateConfig
from featherface.export.formats import ExportConfig
from featherface.losses.config import without_idle as without_idle_loss
from featherface.profiling.config import BenchmarkConfig
from featherface.training.config.distill import DistillConfig
from featherface.training.config.train import TrainConfig
from featherface.variants.config import LATER as LATER_SETTINGS
from featherface.variants.config import DetectorConfig
from featherface.variants.idle_keys import READERS, without_idle
from featherface.variants.table import VARIANTS, variant

if TYPE_CHECKING:
    from collections.abc import Mapping

DETECTOR_KEYS = tuple(key.name for key in fields(DetectorConfig))
LARGEST_SEED = 2**63 - 1
"""What every generator of random numbers takes."""

LATER: dict[str, Any] = {
    **{f"model.{key}": value for key, value in LATER_SETTINGS.items()},
    "distill.teacher_model": {},
    "benchmark.sizes": [],
    "benchmark.batches": [],
    "benchmark.engines": [],
    "benchmark.end_to_end": False,
    "benchmark.exports": False,
    "distill.teacher_engine": TORCH,
    "evaluate.engine": TORCH,
}
"""Keys that earlier versions lack, and the value that says what those versions did."""


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The network and the weights it starts from."""

    variant: str
    """A name from `thesis model list`."""
    weights: str | None = None
    """File of weights to start from, or to evaluate as they are."""
    backbone_weights: str | None = None
    """File of the backbone's weights (ImageNet) to start from."""
    overrides: Mapping[str, Any] = field(default_factory=dict, metadata={"inline": DetectorConfig})
    """Fields of the variant's configuration that the recipe sets: `model.channels`, …"""

    def __post_init__(self) -> None:
        if self.variant not in VARIANTS:
            text = unknown("variant", self.variant, VARIANTS)
            raise UsageError(f"model.variant: {text}", "thesis model list")
        self.detector()

    def detector(self) -> DetectorConfig:
        """Return the network's full configuration."""
        return variant(self.variant, **self.overrides)


KNOWN_SETS = ("widerface", "synthetic")
"""Names that no other set may bear."""


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """What it learns from and is evaluated on."""

    root: str = "synthetic"
    """`synthetic`, a name in [data] of thesis.toml, or a folder."""
    name: str | None = None
    """What a set is called that is neither drawn nor WIDER FACE; null takes its folder's name."""
    train_split: str = "train"
    val_split: str = "val"
    ground_truth: str | None = None
    """Folder of the official .mat lists, or an annotation file; null looks beside the images."""
    labels: str | None = None
    """RetinaFace's label.txt with landmarks, for the train split; null looks for it."""
    train_limit: int = 0
    """First pictures of the train split that are used; 0 uses all."""
    val_limit: int = 0
    """First pictures of the validation split that are used; 0 uses all."""
    allow_missing: float = 0.01
    """Share of the annotated pictures, from 0 to 1, that may be missing; more is refused."""
    allow_overlap: bool = False
    """Whether pictures of the validation split may be trained on; claims then don't count."""
    synthetic: SyntheticConfig = field(default_factory=SyntheticConfig)
    """What the synthetic set is drawn from, where root is `synthetic`."""

    def __post_init__(self) -> None:
        for key in ("train_limit", "val_limit"):
            if getattr(self, key) < 0:
                raise UsageError(f"data.{key} is {getattr(self, key)}; it must be 0 (all) or more")
        if not 0 <= self.allow_missing <= 1:
            raise UsageError(
                f"data.allow_missing is {self.allow_missing}; it must be a share from 0 to 1"
            )
        if self.name is not None and self.name.casefold() in KNOWN_SETS:
            raise UsageError(
                f"data.name is {self.name!r}: that is found out from the annotation, not said",
                "choose another name, or leave data.name out",
            )


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One experiment."""

    name: str
    title: str = ""
    hypothesis: str = ""
    """What the run is to show, in one sentence."""
    tags: tuple[str, ...] = ()
    seed: int = 0
    """Initialisation, order and augmentation follow from it."""
    primary_metric: str = "widerface.mean_ap"
    """Decides which version `NAME@best` means."""
    stages: tuple[str, ...] = STAGES
    """Which stages a plain `thesis run` goes through."""
    model: ModelConfig
    data: DataConfig = field(default_factory=DataConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    distill: DistillConfig = field(default_factory=DistillConfig)
    evaluate: EvaluateConfig = field(default_factory=EvaluateConfig)
    benchmark: BenchmarkConfig = field(default_factory=BenchmarkConfig)
    export: ExportConfig = field(default_factory=ExportConfig)

    def __post_init__(self) -> None:
        check_name(self.name)
        for stage in self.stages:
            if stage not in STAGES:
                raise UsageError(f"stages: {unknown('stage', stage, STAGES)}")
        if not 0 <= self.seed <= LARGEST_SEED:
            raise UsageError(f"seed is {self.seed}; it must be from 0 to {LARGEST_SEED}")
        check_engine(self.evaluate.engine, self.evaluate.precision)
        if self.distill.teacher_engine not in ENGINES:
            text = unknown("engine", self.distill.teacher_engine, ENGINES)
            raise UsageError(f"distill.teacher_engine: {text}")

    def teacher_network(self) -> DetectorConfig | None:
        """Return the network of the teacher's weights file; None where no file teaches."""
        name = self.distill.teacher_variant
        return variant(name, **self.distill.teacher_model.overrides) if name else None

    @property
    def digest(self) -> str:
        """SHA-256 of everything that decides the numbers (not title, hypothesis and tags).

        Of paths out of the workspace the last name only: what lies there has its own hash. Keys
        that came `LATER` count where they change something.
        """
        values = schema.plain(self)
        for key in ("title", "hypothesis", "tags", "primary_metric", "stages"):
            del values[key]
        for key, value in paths.found(values).items():
            section, name = key.split(".")
            values[section][name] = paths.identity(value)
        for key, value in LATER.items():
            section, name = key.split(".")
            if values[section].get(name) == value:
                del values[section][name]
        text = json.dumps(values, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8")).hexdigest()


@dataclass(frozen=True)
class ResolvedRecipe:
    """A recipe with every key filled in, and where each value that is no default came from."""

    recipe: Recipe
    origins: Mapping[str, str]
    """Dotted key -> `experiments/v1.yaml`, `v1 (packaged)`, `--set`, …"""
    source: str = field(default="", compare=False)
    """The name it was resolved from, where that is not the experiment's."""

    @property
    def name(self) -> str:
        """The name that `resolve` finds it by."""
        return self.source or self.recipe.name

    @property
    def overrides(self) -> tuple[str, ...]:
        """What `--set` said, as `resolve` takes it."""
        values = flatten(schema.plain(self.recipe))
        chosen = [key for key, origin in self.origins.items() if origin == "--set"]
        return tuple(f"{key}={json.dumps(values[key], ensure_ascii=False)}" for key in chosen)

    def to_yaml(self) -> str:
        """Return the text of recipe.yaml; `from_yaml` reads it back."""
        content = schema.plain(self.recipe) | {"origins": dict(self.origins)}
        return write_yaml(clean_values(content))

    def without_secrets(self) -> ResolvedRecipe:
        """Return it with the words of its title, hypothesis and tags as a record may keep them."""
        words = {key: getattr(self.recipe, key) for key in ("title", "hypothesis", "tags")}
        return replace(self, recipe=replace(self.recipe, **clean_values(words)))

    @classmethod
    def from_yaml(cls, text: str, where: str = "recipe.yaml") -> ResolvedRecipe:
        """Read what `to_yaml` wrote, by this version or an earlier one.

        Earlier ones took keys that nothing read; they are read as what the network was.

        Raises:
            UsageError: the text is damaged, or of a version with other keys.
        """
        content = parse_yaml(text, where)
        origins = content.pop("origins", {})
        _settle_idle(content)
        recipe = schema.build(Recipe, content, dict.fromkeys(schema.keys(Recipe), where))
        return cls(recipe, {str(key): str(value) for key, value in dict(origins).items()})


def _settle_idle(content: dict[str, Any]) -> None:
    """Give keys of the CONTENT of a record that nothing read the values that mean the same."""
    model = content.get("model")
    if isinstance(model, dict) and model.get("variant") in VARIANTS:
        names = [key for key in model if key in READERS]
        overrides = {key: value for key, value in model.items() if key in DETECTOR_KEYS}
        with contextlib.suppress(UsageError, TypeError):  # told where the recipe is built
            settled = without_idle(VARIANTS[model["variant"]].config, overrides)
            model |= {key: settled[key] for key in names}
    train = content.get("train")
    if isinstance(train, dict) and isinstance(train.get("loss"), dict):
        train["loss"] = without_idle_loss(train["loss"])


def differences(before: Recipe, after: Recipe) -> dict[str, tuple[Any, Any]]:
    """Return dotted key -> (value in BEFORE, value in AFTER), of the keys that differ."""
    first, second = flatten(schema.plain(before)), flatten(schema.plain(after))
    names = [*first, *(key for key in second if key not in first)]
    pairs = {key: (_value(first, key), _value(second, key)) for key in names}
    return {key: pair for key, pair in pairs.items() if not paths.same(key, *pair)}


def _value(flat: Mapping[str, Any], key: str) -> Any:
    """Return the value of KEY in the FLAT recipe, of an earlier version maybe."""
    return flat.get(key, LATER.get(key))


def flatten(content: Mapping[str, Any], at: str = "") -> dict[str, Any]:
    """Return dotted key -> value of nested mappings."""
    flat: dict[str, Any] = {}
    for key, value in content.items():
        path = schema.join(at, key)
        flat |= flatten(value, path) if isinstance(value, dict) and value else {path: value}
    return flat
