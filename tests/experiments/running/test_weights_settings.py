"""A recipe that names a file of weights takes its settings; what is set by hand wins, aloud."""

import pytest
from safetensors.torch import load_file, save_file
from stand_ins import tiny_runs

from experiments.recipe.model import LATER, ResolvedRecipe, differences
from experiments.recipe.resolve import resolve
from experiments.records.run import Run
from experiments.records.store import Store
from experiments.running import evaluation_stage, runner, teachers
from experiments.staleness.changes import changes
from featherface.errors import UsageError
from featherface.networks.detector import build
from featherface.variants.table import variant
from featherface.weights.checkpoints import save_weights

ODD = {"leak": 0.35, "variances": (0.15, 0.3), "prior_probability": 0.5, "channel_order": "rgb"}
TINY = (*tiny_runs.TINY, "train.epochs=1", "model.variant=v3-nano")


@pytest.fixture
def odd(workspace):
    """A file of odd settings in the workspace."""
    path = workspace.root / "odd.safetensors"
    save_weights(path, build(variant("v3-nano", **ODD), seed=0), {"variant": "v3-nano"})
    return path


def go(workspace, *overrides, stages):
    return tiny_runs.tiny_run(workspace, *TINY, *overrides, stages=stages)


def test_a_recipes_weights_bring_their_settings(workspace, odd):
    resolved = resolve("smoke", workspace, [*TINY, f"model.weights={odd.name}"])
    assert resolved.recipe.model.detector() == variant("v3-nano", **ODD)
    assert resolved.origins["model.leak"] == "weights odd.safetensors"
    assert resolved.origins["model.channels"] == "variant v3-nano"
    assert not any("leak" in override for override in resolved.overrides)


def test_an_explicit_key_wins_and_the_record_names_both_values(workspace, odd):
    given = (f"model.weights={odd.name}", "model.leak=0.2")
    run = go(workspace, *given, stages=("evaluate",))
    assert run.resolved().recipe.model.detector() == variant("v3-nano", **{**ODD, "leak": 0.2})
    (warning,) = [text for text in run.record.warnings if "wins over" in text]
    assert warning.startswith("model.leak = 0.2 wins over 0.35, which odd.safetensors")


def test_a_slope_that_fits_better_is_told_where_nobody_knows_the_settings(
    workspace, odd, monkeypatch
):
    asked = []

    def misfit(_, config, paths):
        asked.append((config.leak, len(paths)))
        return "the running statistics of these weights fit another slope better"

    monkeypatch.setattr(evaluation_stage, "better_settings", misfit)
    known = go(workspace, f"model.weights={odd.name}", stages=("evaluate",))
    go(workspace, "name=trained", f"model.weights={odd.name}", stages=("train", "evaluate"))
    assert not asked
    assert not any("running statistics" in text for text in known.record.warnings)
    changed = (f"model.weights={odd.name}", "model.leak=0.2")
    run = go(workspace, *changed, stages=("evaluate",))
    nameless = workspace.root / "nameless.safetensors"
    save_file(load_file(odd), nameless)
    go(workspace, f"model.weights={nameless.name}", stages=("evaluate",))
    assert asked == [(0.2, 2), (0.1, 2)]
    assert any("running statistics" in text for text in run.record.warnings)


def test_settings_of_a_file_are_no_change_of_the_recipe_once_it_is_gone(workspace, odd):
    run = go(workspace, f"model.weights={odd.name}", stages=("evaluate",))
    assert changes(run, Store(workspace), ["accuracy"]) == ()
    odd.unlink()
    assert changes(Run(run.folder), Store(workspace), ["accuracy"]) == ()


def test_the_latest_runs_weights_bring_the_settings_they_were_trained_with(workspace):
    """`thesis run smoke --stage evaluate` after a training with --set must not judge another."""
    trained = go(workspace, "model.leak=0.35", stages=("train", "evaluate"))
    said = []
    again = runner.run(
        workspace,
        resolve("smoke", workspace, list(TINY)),
        stages=("evaluate",),
        on_message=said.append,
    )
    assert again.id == "smoke@2"
    assert again.resolved().recipe.model.detector().leak == 0.35
    assert again.metric("widerface.hard.ap").value == trained.metric("widerface.hard.ap").value
    assert "as the weights of smoke@1 need it: model.leak = 0.35" in said
    assert changes(again, Store(workspace), ["accuracy"]) == ()


def test_a_backbone_made_with_other_settings_is_told(workspace, odd):
    run = go(workspace, f"model.backbone_weights={odd.name}", stages=("train",))
    told = " ".join(run.record.warnings)
    assert "model.leak = 0.1 wins over 0.35" in told
    assert "model.channel_order = bgr wins over rgb" in told
    assert "variances" not in told


def test_a_teacher_from_a_file_has_the_files_settings(workspace, odd):
    given = [*TINY, f"distill.teacher_weights={odd.name}", "model.variances=[0.15, 0.3]"]
    resolved = resolve("smoke", workspace, given)
    assert resolved.recipe.distill.teacher_variant == "v3-nano"
    assert resolved.recipe.teacher_network() == variant("v3-nano", **ODD)
    store = Store(workspace)
    parents = teachers.teacher_parents(store, resolved.recipe)
    teachers.check_anchors(store, resolved.recipe, parents)
    assert teachers.load_teacher(store, resolved.recipe, parents).model.config.leak == 0.35
    again = ResolvedRecipe.from_yaml(resolved.to_yaml())
    assert again.recipe == resolved.recipe


def test_a_teachers_settings_can_be_set_and_are_told(workspace, odd):
    given = [
        *(f"distill.teacher_weights={odd.name}", "distill.teacher_model.leak=0.2"),
        "model.variances=[0.15, 0.3]",
    ]
    run = go(workspace, *given, stages=("train",))
    assert run.resolved().recipe.teacher_network().leak == 0.2
    (warning,) = [text for text in run.record.warnings if "wins over" in text]
    assert warning.startswith("distill.teacher_model.leak = 0.2 wins over 0.35, which odd")


def test_settings_of_a_teacher_without_a_file_are_refused(workspace):
    with pytest.raises(UsageError, match=r"distill\.teacher_model"):
        resolve("smoke", workspace, [*TINY, "distill.teacher_model.leak=0.2"])


def test_a_teacher_from_a_run_has_the_settings_of_the_runs_recipe(workspace):
    go(workspace, "model.leak=0.35", stages=("train",))
    recipe = resolve("smoke", workspace, [*TINY, "distill.teacher=smoke@1"]).recipe
    store = Store(workspace)
    teacher = teachers.load_teacher(store, recipe, teachers.teacher_parents(store, recipe))
    assert teacher.model.config.leak == 0.35


def test_recipes_of_before_the_later_keys_keep_their_digest(workspace):
    recipe = resolve("v2", workspace).recipe
    text = resolve("v2", workspace).to_yaml()
    later = {key.split(".")[1] for key in LATER}
    lines = [line for line in text.splitlines() if line.strip().partition(":")[0] not in later]
    earlier = ResolvedRecipe.from_yaml("\n".join(lines)).recipe
    assert "channel_order" not in earlier.model.overrides
    assert earlier.digest == recipe.digest
    assert differences(earlier, recipe) == {}
    other = resolve("v2", workspace, ["model.channel_order=rgb"]).recipe
    assert other.digest != recipe.digest
    assert differences(earlier, other) == {"model.channel_order": ("bgr", "rgb")}
