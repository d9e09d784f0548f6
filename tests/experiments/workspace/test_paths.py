"""Paths in settings and recipes: as Windows writes them, and apart from where a disk is."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from experiments import schema, yaml_io
from experiments.comparison.compare import compare
from experiments.comparison.run_diff import diff_runs
from experiments.recipe.model import Recipe, ResolvedRecipe, differences
from experiments.recipe.resolve import resolve
from experiments.records.writer import write_json
from experiments.running.inputs import describe_split
from experiments.running.relocation import relocated
from experiments.workspace import paths
from experiments.workspace.settings import read_settings
from experiments.workspace.workspace import Workspace
from featherface.data.config import SyntheticConfig
from featherface.data.synthetic.dataset import draw
from featherface.data.widerface import open_split
from featherface.errors import ClaimFalseError, UsageError


def test_every_path_of_a_recipe_is_a_key_of_it():
    assert set(paths.KEYS) <= set(schema.keys(Recipe))


@pytest.mark.parametrize("written", [r"D:\temp", r"C:\new\runs", r"E:\faces\backup", r"D:\v1"])
@pytest.mark.parametrize("key", ["vault", "bibliography", "data.widerface", "chapters.runs"])
def test_a_windows_path_in_double_quotes_of_toml_is_refused_with_the_remedy(tmp_path, written, key):
    table, dot, name = key.partition(".")
    file = tmp_path / "thesis.toml"
    file.write_text(
        f'[{table}]\n{name} = "{written}"\n' if dot else f'{key} = "{written}"\n', encoding="utf-8"
    )
    with pytest.raises(UsageError) as caught:
        read_settings(file)
    assert "in single quotes: 'C:\\Users\\me\\data'" in caught.value.hint or (
        caught.value.hint
        == f"write {written.replace(chr(92), '/')}, or in single quotes: '{written}'"
    )
    assert str(file) in caught.value.message


def test_the_message_names_file_key_value_and_escape(tmp_path):
    file = tmp_path / "thesis.toml"
    file.write_text('[data]\nwiderface = "D:\\temp"\n', encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        read_settings(file)
    assert caught.value.message == (
        f"{file}: data.widerface is 'D:\\temp', with a control character in it: "
        "between double quotes \\t stands for one"
    )
    assert caught.value.hint == "write D:/temp, or in single quotes: 'D:\\temp'"


@pytest.mark.parametrize("line", [r"vault = 'D:\temp'", 'vault = "D:/temp"', r'vault = "D:\\temp"'])
def test_what_the_remedies_say_is_taken(tmp_path, line):
    file = tmp_path / "thesis.toml"
    file.write_text(line + "\n", encoding="utf-8")
    assert read_settings(file)["vault"] in (r"D:\temp", "D:/temp")


@pytest.mark.parametrize("written", [r"D:\temp", r"D:\Labels", r"D:\Pictures", r"D:\Networks"])
def test_yaml_knows_more_escapes_and_all_are_refused(workspace, written):
    text = f'extends: v1\ndata:\n  root: "{written}"\n'
    (workspace.recipes / "mine.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        resolve("mine", workspace)
    assert caught.value.message.startswith("experiments/mine.yaml: data.root is ")
    assert caught.value.hint.endswith(f"or in single quotes: '{written}'")


@pytest.mark.parametrize("written", [r"C:\Users\me", r"D:\data", r"D:\xyz"])
def test_an_escape_that_yaml_does_not_know_has_the_same_hint(workspace, written):
    text = f'extends: v1\ndata:\n  root: "{written}"\n'
    (workspace.recipes / "mine.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"mine\.yaml:3: not a valid recipe") as caught:
        resolve("mine", workspace)
    assert caught.value.hint == yaml_io.HINT


@pytest.mark.parametrize("written", [r'"D:\temp"', r'"C:\Users\me"', r'"D:\data"'])
def test_quotes_that_a_shell_left_in_an_override_have_it_too(workspace, written):
    with pytest.raises(UsageError) as caught:
        resolve("v1", workspace, [f"data.root={written}"])
    assert "in single quotes" in caught.value.hint
    assert "--set" in caught.value.message


def test_an_override_without_quotes_is_the_path_itself(workspace):
    assert resolve("v1", workspace, [r"data.root=D:\temp"]).recipe.data.root == r"D:\temp"


def test_a_title_may_have_several_lines(workspace):
    (workspace.recipes / "mine.yaml").write_text(
        "extends: v1\ntitle: |\n  One\n  two\n", encoding="utf-8"
    )
    assert resolve("mine", workspace).recipe.title == "One\ntwo\n"


def test_paths_below_the_workspace_are_kept_from_there(workspace):
    asked = {
        "model.weights": workspace.root / "weights" / "v1.safetensors",
        "data.ground_truth": workspace.root / "data" / "truth",
        "distill.teacher_weights": workspace.root / "w.safetensors",
    }
    overrides = [f"{key}={path}" for key, path in asked.items()]
    recipe = resolve("v1", workspace, [*overrides, "distill.teacher_variant=v1"]).recipe
    assert recipe.model.weights == "weights/v1.safetensors"
    assert recipe.data.ground_truth == "data/truth"
    assert recipe.distill.teacher_weights == "w.safetensors"


def test_a_named_data_set_is_called_by_its_name(tmp_path):
    made = Workspace.create(tmp_path / "thesis")
    faces = tmp_path / "disk" / "faces"
    faces.mkdir(parents=True)
    text = (made.root / "thesis.toml").read_text(encoding="utf-8")
    text = text.replace("[data]\n", f"[data]\nwiderface = '{faces}'\n", 1)
    (made.root / "thesis.toml").write_text(text, encoding="utf-8")
    recipe = resolve("v1", Workspace.open(made.root), [f"data.root={faces}"]).recipe
    assert recipe.data.root == "widerface"


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("D:\\data\\widerface", "E:/widerface", True),
        ("/media/me/disk/widerface", "/run/media/me/disk1/widerface", True),
        ("C:\\Users\\a\\thesis\\weights\\v1.pth", "weights/v1.pth", True),
        ("/data/widerface", "/data/other", False),
        ("weights/v1.pth", "old/v1.pth", False),
        ("widerface", "synthetic", False),
        (None, "/data/v1.pth", False),
    ],
)
def test_where_a_disk_was_is_no_difference(workspace, one, other, alike):
    assert paths.same("model.weights", one, other) is alike
    recipes = [with_weights(workspace, value) for value in (one, other)]
    assert ("model.weights" not in differences(*recipes)) is alike


def with_weights(workspace, path):
    recipe = resolve("v1", workspace).recipe
    return dataclasses.replace(recipe, model=dataclasses.replace(recipe.model, weights=path))


def test_the_digest_has_of_outer_paths_their_last_name(workspace):
    def digest(path):
        return with_weights(workspace, path).digest

    assert digest("D:\\w\\v1.pth") == digest("E:/w/v1.pth") == digest("/media/w/v1.pth")
    assert digest("D:\\w\\v1.pth") != digest("D:\\w\\v2.pth")
    assert digest("a/v1.pth") != digest("b/v1.pth")
    recipe = resolve("v1", workspace).recipe
    assert recipe.digest == with_weights(workspace, None).digest


def test_a_run_goes_on_where_its_files_lie_now(workspace, tmp_path):
    now = tmp_path / "E" / "v1.pth"
    now.parent.mkdir()
    now.touch()
    begun = ResolvedRecipe(with_weights(workspace, "/media/D/v1.pth"), {})
    asked = ResolvedRecipe(with_weights(workspace, str(now)), {})
    assert relocated(begun, asked, workspace, tmp_path).recipe.model.weights == str(now)
    there = ResolvedRecipe(with_weights(workspace, str(tmp_path / "E" / "other.pth")), {})
    assert relocated(begun, there, workspace, tmp_path) is begun
    assert relocated(asked, begun, workspace, tmp_path) is asked


def test_other_data_of_the_same_name_is_not_learnt_from(workspace, tmp_path):
    for disk, seed in (("E", 0), ("F", 1)):
        config = SyntheticConfig(image_size=96, train_images=2, val_images=1, seed=seed)
        draw(tmp_path / disk / "set", config)

    def on(disk):
        return ResolvedRecipe(resolve("v1", workspace, [f"data.root={disk}/set"]).recipe, {})

    folder, begun = tmp_path / "run", on("/media/D")
    there = describe_split(open_split(tmp_path / "E" / "set", "train"), workspace)
    write_json(folder / "data.json", {"train": there})
    same = relocated(begun, on(tmp_path / "E"), workspace, folder)
    assert Path(same.recipe.data.root) == tmp_path / "E" / "set"
    with pytest.raises(ClaimFalseError, match="other data than the run began with"):
        relocated(begun, on(tmp_path / "F"), workspace, folder)


def test_two_records_of_one_data_set_on_two_disks_differ_in_nothing(workspace, make_run):
    one = make_run(workspace, "v1", recipe={"data.root": "D:\\data\\widerface"})
    other = make_run(workspace, "v1", recipe={"data.root": "/mnt/e/widerface"})
    assert [each for each in diff_runs(one, other) if each.part == "recipe"] == []
    assert "data.root" not in compare([one, other], resamples=0).recipe
