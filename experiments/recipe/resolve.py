"""Resolving a recipe: its file, what it `extends:`, `--set`, defaults, and each value's origin."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from experiments import schema
from experiments.metrics import KINDS
from experiments.names import check_name
from experiments.recipe.file_settings import file_settings
from experiments.recipe.idle_keys import SET, check_set
from experiments.recipe.model import Recipe, ResolvedRecipe, flatten
from experiments.workspace import paths
from experiments.yaml_io import HINT, read_yaml
from featherface.errors import NotFoundError, UsageError, unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from experiments.workspace.workspace import Workspace

DEEPEST = 100
"""Longest chain of `extends`."""


@dataclass(frozen=True)
class RecipeSource:
    """One recipe file."""

    name: str
    path: Path
    label: str
    """How errors and origins call it: `experiments/v1.yaml`, `v1.yaml (packaged)`."""

    @property
    def packaged(self) -> bool:
        """Whether it came with the program."""
        return self.label.endswith("(packaged)")


@cache
def packaged() -> Mapping[str, RecipeSource]:
    """Return name -> recipe shipped with the program; `ablations/x` in a subfolder."""
    root = paths.PACKAGED_RECIPES
    return {
        name: RecipeSource(name, path, f"{name}.yaml (packaged)") for name, path in _files(root)
    }


def own(workspace: Workspace | None) -> dict[str, RecipeSource]:
    """Return name -> recipe of the user's, from the workspace's experiments folder."""
    if workspace is None:
        return {}
    folder = workspace.recipes
    label = folder.name
    return {name: RecipeSource(name, path, f"{label}/{name}.yaml") for name, path in _files(folder)}


def recipes(workspace: Workspace | None = None) -> dict[str, RecipeSource]:
    """Return every recipe by name; the user's win over the packaged ones."""
    return dict(sorted({**packaged(), **own(workspace)}.items()))


def resolve(
    name: str,
    workspace: Workspace | None = None,
    overrides: Iterable[str] = (),
    *,
    with_idle: bool = False,
) -> ResolvedRecipe:
    """Return recipe NAME with everything filled in; OVERRIDES are `key.path=value` texts.

    WITH_IDLE takes keys that nothing reads, as runs of earlier versions were started with.

    Raises:
        NotFoundError: there is no such recipe; the nearest is named.
        UsageError: a key is unknown, a value won't do or is read by nothing, or `extends` goes in
            circles.
    """
    known = recipes(workspace)
    if name not in known:
        raise NotFoundError(unknown("experiment", name, known), _remedy(name, known))
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for source, content in _chain(known[name], workspace):
        _merge(values, origins, content, source.label)
    for override in overrides:
        key, value = _parse_override(override)
        _merge(values, origins, _nest(key, value), SET)
    _place(values, origins, workspace)
    for key, value in flatten(values).items():
        if key not in paths.PROSE:
            paths.check(origins.get(key, name), key, value)
    if workspace is not None:
        _settle_paths(values, origins, workspace)
    values.setdefault("name", name.replace("/", "-"))
    recipe = _build(values, origins, name)
    if not with_idle:
        check_set(recipe, origins, known[name].label)
    _check_twin(recipe.name, () if known[name].packaged else known, workspace)
    if recipe.primary_metric not in KINDS:
        where = origins.get("primary_metric", name)
        raise UsageError(
            f"{where}: primary_metric: {unknown('metric', recipe.primary_metric, KINDS)}"
        )
    return _finish(recipe, origins, name)


def _settle_paths(values: dict[str, Any], origins: dict[str, str], workspace: Workspace) -> None:
    """Keep paths as the WORKSPACE does, and add what the weights files among them say."""
    for key, value in paths.found(values).items():
        kept = paths.stored(workspace.root, workspace.data_roots, key, value)
        _merge(values, {}, _nest(key, kept), "")
    for key, value, origin in list(file_settings(workspace.root, values, origins)):
        _merge(values, origins, _nest(key, value), origin)


def _place(values: dict[str, Any], origins: dict[str, str], workspace: Workspace | None) -> None:
    """Let the workspace's `device` stand where no recipe says what to compute on."""
    if workspace is None or workspace.settings.origin("device") == "default":
        return
    where = workspace.settings.origin("device")
    for section in ("train", "benchmark"):
        inner = values.get(section, {})
        if isinstance(inner, dict) and "device" not in inner:
            said = {section: {"device": workspace.settings["device"]}}
            _merge(values, origins, said, where)


def _remedy(name: str, known: Iterable[str]) -> str:
    """Say how to make an experiment called NAME, where that can be a name."""
    if twin := paths.twin(name, known):
        return f"thesis run {twin}"
    try:
        return f"choose one of them, or write experiments/{check_name(name)}.yaml"
    except UsageError:
        return "choose one of them"


def _check_twin(name: str, known: Iterable[str], workspace: Workspace | None) -> None:
    """Refuse a new experiment whose folder or file would be another's on Windows or macOS."""
    folders = paths.names(workspace.runs) if workspace else []
    if name in folders:
        return
    for others, which in ((folders, "which has runs already"), (known, "a recipe that is there")):
        if twin := paths.twin(name, others):
            raise UsageError(
                f"experiment {name!r} differs only in case from {twin!r}, {which}",
                f"thesis run {twin}, or choose another name",
            )


def _build(values: Mapping[str, Any], origins: Mapping[str, str], name: str) -> Recipe:
    if not isinstance(values.get("model", {}), dict) or "variant" in values.get("model", {}):
        return schema.build(Recipe, values, origins)
    schema.build(Recipe, {**values, "model": {**values.get("model", {}), "variant": "v1"}}, origins)
    raise UsageError(
        f"recipe {name!r} names no model.variant: it is made to be extended",
        f"write a recipe with `extends: [v1, {name}]`, or add --set model.variant=v1",
    )


def _finish(recipe: Recipe, origins: dict[str, str], name: str) -> ResolvedRecipe:
    """Freeze the network's full configuration and let the seed reach the training."""
    detector = recipe.model.detector()
    overrides = {key: getattr(detector, key) for key in schema.plain(detector)}
    for key in overrides:
        origins.setdefault(f"model.{key}", f"variant {recipe.model.variant}")
    train = recipe.train
    if "train.seed" not in origins:
        train = dataclasses.replace(train, seed=recipe.seed)
    full = dataclasses.replace(
        recipe,
        model=dataclasses.replace(recipe.model, overrides=overrides),
        train=train,
    )
    return ResolvedRecipe(full, origins, name)


def _files(root: Path) -> list[tuple[str, Path]]:
    """Return (name, path) of the recipes under ROOT; none where it can't be read."""
    if not root.is_dir():
        return []
    files = [path for path in root.rglob("*.yaml") if not path.name.startswith(".")]
    return [(path.relative_to(root).with_suffix("").as_posix(), path) for path in sorted(files)]


def _chain(
    source: RecipeSource, workspace: Workspace | None
) -> list[tuple[RecipeSource, dict[str, Any]]]:
    """Return SOURCE and all it extends with their contents, the farthest first."""
    layers = _layers(source, workspace, (), set())
    (own, content), inherited = layers[0], layers[1:]
    for _, values in inherited:
        values.pop("name", None)
    return [*reversed(inherited), (own, content)]


def _layers(
    source: RecipeSource, workspace: Workspace | None, above: tuple[Path, ...], seen: set[Path]
) -> list[tuple[RecipeSource, dict[str, Any]]]:
    """Return SOURCE and all it extends, the nearest first, each recipe once.

    Of a recipe that is reached by several ways the layer that lies highest counts: what it says
    again below is laid over by itself. So each is read once, however many ways there are.
    """
    if source.path in above:
        raise UsageError(f"{source.label}: extends itself, through {len(above)} recipes")
    if len(above) > DEEPEST:
        raise UsageError(f"{source.label}: extends more than {DEEPEST} recipes, one the next")
    if source.path in seen:
        return []
    seen.add(source.path)
    content = read_yaml(source.path)
    layers = [(source, content)]
    for parent in reversed(_parents(content.pop("extends", []), source)):
        base = _parent(parent, source, workspace)
        layers += _layers(base, workspace, (*above, source.path), seen)
    return layers


def _parents(extends: Any, source: RecipeSource) -> list[str]:
    names = [extends] if isinstance(extends, str) else extends
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UsageError(
            f"{source.label}: extends is {extends!r}; it must be a name or a list of names"
        )
    return names


def _parent(name: str, source: RecipeSource, workspace: Workspace | None) -> RecipeSource:
    """Return the recipe called NAME; a recipe that extends its own name means the packaged one."""
    known = packaged() if source.packaged or name == source.name else recipes(workspace)
    if name not in known:
        raise UsageError(f"{source.label}: extends: {unknown('recipe', name, known)}")
    return known[name]


def _merge(
    values: dict[str, Any], origins: dict[str, str], content: Mapping[str, Any], label: str
) -> None:
    """Lay CONTENT over VALUES: mappings key by key, anything else replaced whole."""
    for key, value in content.items():
        if isinstance(value, dict) and isinstance(values.get(key, {}), dict):
            values[key] = _merged(values.get(key, {}), value)
        else:
            values[key] = value
        origins |= dict.fromkeys(flatten({key: value}), label)


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = _merged(result[key], value) if both else value
    return result


def _parse_override(override: str) -> tuple[str, Any]:
    key, equals, text = override.partition("=")
    key = key.strip()
    types = schema.keys(Recipe)
    if not equals or not key:
        raise UsageError(f"--set {override!r}: write it as key=value", "--set train.epochs=10")
    if key not in types:
        inner = [known for known in types if known.startswith(f"{key}.")]
        if inner:
            raise UsageError(f"--set {override!r}: {key} is a section", f"--set {inner[0]}=VALUE")
        raise UsageError(f"--set: {schema.unknown_key(key, Recipe)}")
    value = schema.parse(text.strip(), types[key])
    if isinstance(value, str) and value[:1] == '"' and "\\" in value:  # no YAML: taken as it stands
        raise UsageError(f"--set {override}: an escape between double quotes is wrong", HINT)
    return key, value


def _nest(key: str, value: Any) -> dict[str, Any]:
    first, dot, rest = key.partition(".")
    return {first: _nest(rest, value) if dot else value}
