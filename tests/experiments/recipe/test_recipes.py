"""Recipes: what they say, where each value came from, and what is wrong with a bad one."""

import dataclasses
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments import schema
from experiments.recipe.model import Recipe, ResolvedRecipe, differences, flatten
from experiments.recipe.resolve import packaged, recipes, resolve
from experiments.workspace.workspace import Workspace
from experiments.yaml_io import parse_yaml, read_yaml, write_yaml
from featherface.errors import NotFoundError, UsageError
from featherface.variants.table import VARIANTS


def write(workspace, name, text):
    path = workspace.recipes / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


LAYERS = ("demo", "distill-stages", "study/shared")
"""Recipes without a network, made to be laid over others."""


@pytest.mark.parametrize("name", [name for name in packaged() if name not in LAYERS])
def test_packaged_recipes_resolve_and_survive_the_trip_through_yaml(name):
    resolved = resolve(name)
    again = ResolvedRecipe.from_yaml(resolved.to_yaml())
    assert again == resolved
    assert again.recipe.digest == resolved.recipe.digest
    if not name.startswith("ablations/"):
        assert resolved.recipe.model.detector() == VARIANTS[resolved.recipe.model.variant].config


overrides = st.fixed_dictionaries(
    {},
    optional={
        "title": st.text(max_size=30),
        "hypothesis": st.text(max_size=60),
        "seed": st.integers(0, 2**40),
        "train.lr": st.floats(1e-9, 1e3),
        "train.epochs": st.integers(1, 10**6),
        "train.cache": st.booleans(),
        "train.optimizer": st.sampled_from(["adamw", "sgd"]),
        "train.crop_scales": st.lists(st.floats(1e-3, 1), min_size=1, max_size=4).map(tuple),
        "distill.teacher": st.none() | st.sampled_from(["v1@best", "@last", "null", "012", "1e3"]),
        "model.channels": st.integers(1, 30).map(lambda value: value * 16),
    },
)


@given(overrides)
def test_any_recipe_survives_the_trip_through_yaml(values):
    content = flatten(schema.plain(resolve("v2").recipe)) | values
    nested = {}
    for key, value in content.items():
        *path, last = key.split(".")
        inner = nested
        for part in path:
            inner = inner.setdefault(part, {})
        inner[last] = value
    recipe = schema.build(Recipe, nested, {})
    resolved = ResolvedRecipe(recipe, dict.fromkeys(values, "--set"))
    assert ResolvedRecipe.from_yaml(resolved.to_yaml()) == resolved


def test_origins_tell_where_each_value_came_from(workspace):
    write(workspace, "mine", "extends: v2\ntrain:\n  epochs: 3\n  lr: 0.1\n")
    resolved = resolve("mine", workspace, ["train.lr=0.2", "seed=7"])
    recipe, origins = resolved.recipe, resolved.origins
    assert (recipe.name, recipe.train.epochs, recipe.train.lr) == ("mine", 3, 0.2)
    assert (recipe.model.variant, recipe.distill.teacher) == ("v2", "v1")
    assert (recipe.seed, recipe.train.seed) == (7, 7)
    assert origins["train.epochs"] == "experiments/mine.yaml"
    assert origins["train.lr"] == "--set"
    assert origins["distill.teacher"] == "v2.yaml (packaged)"
    assert origins["model.channels"] == "variant v2"
    assert "train.momentum" not in origins


def test_the_workspaces_device_stands_where_no_recipe_names_one(workspace, monkeypatch):
    assert resolve("v1", workspace).recipe.train.device == "auto"
    (workspace.recipes / "mine.yaml").write_text(
        "extends: v1\ntrain:\n  device: cpu\n", encoding="utf-8"
    )
    monkeypatch.setenv("THESIS_DEVICE", "cuda:1")
    told = Workspace.open(workspace.root)
    first = resolve("v1", told)
    assert (first.recipe.train.device, first.recipe.benchmark.device) == ("cuda:1", "cuda:1")
    assert first.origins["train.device"] == "THESIS_DEVICE"
    own = resolve("mine", told).recipe
    assert (own.train.device, own.benchmark.device) == ("cpu", "cuda:1")
    assert resolve("v1", told, ["train.device=mps"]).recipe.train.device == "mps"


def test_later_parents_win_and_a_name_is_not_inherited(workspace):
    write(workspace, "small", "name: other\ntrain: {epochs: 2, batch_size: 4}\n")
    write(workspace, "smaller", "train: {epochs: 1}\n")
    write(workspace, "mine", "extends: [v1, small, smaller]\n")
    recipe = resolve("mine", workspace).recipe
    assert (recipe.name, recipe.train.epochs, recipe.train.batch_size) == ("mine", 1, 4)


def test_sections_are_merged_key_by_key_at_every_depth(workspace):
    write(workspace, "crowded", "extends: [v1, demo]\ndata: {synthetic: {crowd: 7, seed: 3}}\n")
    write(workspace, "mine", "extends: crowded\ndata: {synthetic: {crowd: 8}}\n")
    drawn = resolve("mine", workspace, ["data.synthetic.smallest_face=9"]).recipe.data.synthetic
    assert (drawn.crowd, drawn.seed, drawn.smallest_face) == (8, 3, 9)


def test_a_recipe_may_extend_the_packaged_one_of_its_own_name(workspace):
    write(workspace, "v1", "extends: v1\ntrain: {epochs: 9}\n")
    recipe = resolve("v1", workspace).recipe
    assert (recipe.model.variant, recipe.train.epochs) == ("v1", 9)
    assert not recipes(workspace)["v1"].packaged


def test_recipes_in_folders_have_a_plain_name(workspace):
    write(workspace, "ablations/no-shuffle", "extends: v2\nmodel: {shuffle: none}\n")
    assert resolve("ablations/no-shuffle", workspace).recipe.name == "ablations-no-shuffle"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("trian: {lr: 1}", "no key 'trian'; did you mean 'train'?"),
        ("train: {leraning_rate: 1}", "no key 'train.leraning_rate'"),
        ("train: {epoch: 1}", "did you mean 'train.epochs'?"),
        ("train: {lr: fast}", "train.lr is 'fast'; it must be a number"),
        ("train: {epochs: 1.5}", "it must be a whole number"),
        ("train: {epochs: true}", "it must be a whole number"),
        ("train: {workers: many}", "it must be a whole number or auto"),
        ("train: {cache: 1}", "it must be true or false"),
        ("train: {lr: .nan}", "it must be a number"),
        ("train: {crop_scales: [a]}", "it must be a list, each a number"),
        ("train: 3", "it must hold keys of its own"),
        ("train: {optimizer: adam}", "did you mean 'adamw'?"),
        ("model: {variant: v2ultra}", "no variant 'v2ultra'"),
        ("model: {variant: v1, channels: 50}", "model.channels"),
        ("model: {variant: v1, color: 50}", "no key 'model.color'"),
        ("extends: v7", "extends: no recipe 'v7'"),
        ("extends: 7", "extends is 7"),
        ("extends: mine2", "extends itself"),
        ("a: 1\na: 2", "mine.yaml:2: not a valid recipe: found duplicate key"),
        ("- 1", "a recipe is a mapping"),
        ("x: !!python/object:os.system {}", "not a valid recipe"),
        ("x: &a [*a, *a]", "not a valid recipe"),
    ],
)
def test_a_wrong_recipe_names_file_key_and_choices(workspace, text, message):
    write(workspace, "mine2", "extends: mine")
    if "model" not in text and "extends" not in text:
        text = f"{text}\nmodel: {{variant: v1}}" if text.startswith(("t", "a")) else text
    write(workspace, "mine", text)
    with pytest.raises(UsageError) as caught:
        resolve("mine", workspace)
    assert message in caught.value.message
    assert "experiments/mine" in caught.value.message or "mine.yaml" in caught.value.message


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("epochs=3", "did you mean 'train.epochs'"),
        ("train.lr", "write it as key=value"),
        ("stages=[trian]", "did you mean 'train'"),
        ("seed=-1", "seed is -1"),
    ],
)
def test_a_wrong_override_is_told(override, message):
    with pytest.raises(UsageError, match=message):
        resolve("v1", None, [override])


def test_overrides_that_look_like_other_types_stay_text():
    recipe = resolve("v1", None, ["title=2026", "model.weights=null", "data.root=012"]).recipe
    assert (recipe.title, recipe.model.weights, recipe.data.root) == ("2026", None, "012")


def test_an_unknown_recipe_names_the_nearest(workspace):
    with pytest.raises(NotFoundError, match="did you mean 'v1-official'"):
        resolve("v1-oficial", workspace)


def test_a_mixin_alone_says_how_to_use_it(workspace):
    write(workspace, "quick", "train: {epochs: 1}")
    with pytest.raises(UsageError) as caught:
        resolve("quick", workspace)
    assert "extends: [v1, quick]" in caught.value.hint


def test_differences_and_digest_follow_what_decides_the_numbers():
    one, other = resolve("v1").recipe, resolve("v1", None, ["train.lr=0.5", "title=x"]).recipe
    assert differences(one, other) == {
        "title": (one.title, "x"),
        "train.lr": (0.001, 0.5),
    }
    assert one.digest != other.digest
    assert one.digest == resolve("v1", None, ["title=x"]).recipe.digest


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inner:
    pair: tuple[int, str] = (1, "a")
    path: Path = Path("x")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outer:
    kind: Literal["a", "b"] = "a"
    table: dict[str, float] = dataclasses.field(default_factory=dict)
    either: int | str | None = None
    inner: Inner | None = None


finite = st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.builds(
        Outer,
        kind=st.sampled_from(["a", "b"]),
        table=st.dictionaries(
            st.text(max_size=5), st.floats(allow_nan=False, allow_infinity=False)
        ),
        either=st.none() | st.integers() | st.text(max_size=5),
        inner=st.none()
        | st.builds(
            Inner, pair=st.tuples(st.integers(), st.text(max_size=5)), path=st.just(Path("a/b"))
        ),
    )
)
def test_the_schema_is_generic_over_dataclasses(value):
    plain = schema.plain(value)
    assert schema.build(Outer, plain, {}) == value
    assert schema.build(Outer, parse_yaml(write_yaml(plain), "x"), {}) == value


def test_the_schema_names_choices():
    with pytest.raises(UsageError, match="kind is 'c'; it no choice 'c'; choose from a, b"):
        schema.build(Outer, {"kind": "c"}, {})
    with pytest.raises(UsageError, match="table is 3; it must be a mapping"):
        schema.build(Outer, {"table": 3}, {})
    with pytest.raises(UsageError, match="each a whole number"):
        schema.build(Outer, {"inner": {"pair": [1]}}, {})


THESIS_SCHEDULE = {
    **dict.fromkeys((1, 100), (6, 0.9)),
    **dict.fromkeys((101, 150, 151, 200), (4, 0.7)),
    **dict.fromkeys((201, 300), (2, 0.5)),
    **dict.fromkeys((301, 400), (1, 0.3)),
}


def test_the_thesis_schedule_and_its_stages_are_recipe_data(workspace):
    write(workspace, "staged", "extends: [v2, distill-stages]\n")
    resolved = resolve("staged", workspace)
    distill, epochs = resolved.recipe.distill, resolved.recipe.train.epochs
    assert epochs == 400
    for epoch, wanted in THESIS_SCHEDULE.items():
        lesson = distill.at(epoch - 1, epochs)
        assert (lesson.temperature, lesson.alpha) == wanted
    aligned = [bool(distill.at(epoch - 1, epochs).feature_weight) for epoch in (1, 150, 151, 400)]
    assert aligned == [True, True, False, False]
    surpassing = [bool(distill.at(epoch - 1, epochs).self_weight) for epoch in (300, 301)]
    assert surpassing == [False, True]
    again = ResolvedRecipe.from_yaml(resolved.to_yaml())
    assert again.recipe.digest == resolved.recipe.digest


def test_a_list_of_sections_names_the_row_that_is_wrong(workspace):
    text = "extends: v2\ndistill: {{phases: [{{until: 0.5}}, {}]}}\n"
    write(workspace, "odd", text.format("{until: 1, alhpa: 0.5}"))
    with pytest.raises(UsageError, match=r"odd.yaml: .*distill\.phases\.2\.alhpa.*alpha"):
        resolve("odd", workspace)
    write(workspace, "odder", text.format("3"))
    with pytest.raises(UsageError, match=r"distill\.phases\.2 is 3"):
        resolve("odder", workspace)
    row = resolve("v2", None, ["distill.phases=[{until: 1, alpha: 0.25}]"]).recipe.distill.phases[0]
    assert row.alpha == 0.25


def test_a_recipe_that_extends_another_twice_at_every_step_is_read_once_each(
    workspace, monkeypatch
):
    write(workspace, "r0", "extends: v2\ntrain: {epochs: 7}")
    for step in range(1, 31):
        write(workspace, f"r{step}", f"extends: [r{step - 1}, r{step - 1}]\nseed: {step}")
    read = set()

    def read_once(path):
        assert path not in read
        read.add(path)
        return read_yaml(path)

    monkeypatch.setattr("experiments.recipe.resolve.read_yaml", read_once)
    recipe = resolve("r30", workspace).recipe
    assert (recipe.train.epochs, recipe.seed) == (7, 30)
    assert len(read) > 30


def test_diamonds_resolve_as_if_each_way_were_walked(workspace):
    write(workspace, "base", "extends: v2\nseed: 1\ntrain: {epochs: 1, lr: 0.1}")
    write(workspace, "left", "extends: base\ntrain: {epochs: 2}")
    write(workspace, "right", "extends: base\ntrain: {lr: 0.3}")
    write(workspace, "both", "extends: [left, right]")
    recipe = resolve("both", workspace).recipe
    # right comes last, and with it what base says: as ever, the last parent wins whole
    assert (recipe.train.epochs, recipe.train.lr, recipe.name) == (1, 0.3, "both")


def test_keys_that_nothing_reads_are_refused(workspace):
    for key, value, chooser in (
        ("model.attention_kernel", 5, "model.attention is none"),
        ("train.loss.focal_gamma", 1.5, "train.loss.face is cross-entropy"),
        ("train.loss.wing_width", 5.0, "train.loss.landmark is smooth-l1"),
    ):
        with pytest.raises(UsageError) as caught:
            resolve("v1-489k", workspace, [f"{key}={value}"])
        assert f"{key} is {value}, but {chooser}" in caught.value.message
        assert f"set {key}=" in caught.value.hint


def test_records_whose_recipe_holds_a_key_that_nothing_reads_are_still_read():
    resolved = resolve("eca-cbam")
    text = resolved.to_yaml()
    for key, old, odd in (("attention_kernel", 7, 5), ("focal_gamma", 2.0, 1.5)):
        assert f"{key}: {old}" in text
        text = text.replace(f"{key}: {old}", f"{key}: {odd}")
    assert ResolvedRecipe.from_yaml(text) == resolved
