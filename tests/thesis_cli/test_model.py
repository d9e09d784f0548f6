"""`thesis model`, as a student types it."""

from __future__ import annotations

import pytest
import torch

from experiments.plotting import network_drawing
from experiments.recipe.resolve import resolve
from experiments.workspace.workspace import Workspace
from featherface.networks.detector import build
from featherface.networks.tuning import KNOBS
from featherface.validation.names import COUNTS, Count
from featherface.variants.table import VARIANTS, variant
from thesis_cli.commands.model import listing, tune
from thesis_cli.commands.model.show import FORMATS
from thesis_cli.session import Session


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """What is found about networks once, for all tests."""
    return tmp_path_factory.mktemp("networks")


@pytest.fixture(autouse=True)
def _counted_once(monkeypatch, cache):
    monkeypatch.setattr(listing, "known_counts", lambda _: cache)


@pytest.fixture
def known(workspace, make_run, monkeypatch):
    """The workspace in the working directory, with a sealed run."""
    make_run(workspace, "v2", variant="v2")
    monkeypatch.chdir(workspace.root)
    return workspace


class TestList:
    @pytest.mark.slow
    def test_it_tells_sizes_and_published_weights(self, thesis, valid):
        rows = {row["name"]: row for row in valid(thesis("model", "list", "--json"))}
        assert list(rows) == list(VARIANTS)
        assert rows["v3-nano"]["bytes"]["fp32"] == 2 * rows["v3-nano"]["bytes"]["fp16"]
        (official,) = rows["v1-official"]["weights"]
        assert official["origin"] == "published"
        assert official["ap"] == [0.9265, 0.9024, 0.7808]
        assert rows["v2-coordatt"]["weights"][0]["ap"] is None
        assert rows["v2-plus"]["weights"] == []

    def test_a_workspace_keeps_what_was_found(self, known, monkeypatch):
        monkeypatch.undo()
        session = Session(root=known.root)
        assert listing.known_counts(session) == known.state / "cache" / "networks"
        listing.measure("v3-nano", listing.known_counts(session))
        assert len(list(listing.known_counts(session).glob("*.json"))) == 1

    def test_it_tells_what_the_workspace_holds(self, thesis, valid, known, weights):
        (sealed,) = (known.runs / "v2").iterdir()
        (sealed / "checkpoints").mkdir(exist_ok=True)
        (sealed / "checkpoints" / "best.safetensors").write_bytes(b"no header")
        thesis("model", "import", weights, "--variant", "v2")
        rows = {row["name"]: row for row in valid(thesis("model", "list", "--json"))}
        assert [(one["origin"], one["name"]) for one in rows["v2"]["weights"]] == [
            ("imported", "old.pth"),
            ("run", "v2@1"),
        ]
        assert "i1 r1" in thesis("model", "list").out


class TestShow:
    def test_every_format_has_the_facts(self, thesis, known):
        for form in FORMATS:
            answer = thesis("model", "show", "v2-ultra", "--format", form)
            assert answer.code == 0, form
            told = answer.out.replace(",", "").replace(" ", "")
            assert "213072" in told, form
        assert known

    def test_markdown_follows_the_language(self, thesis):
        english = thesis("model", "show", "v3-nano", "--format", "md").out
        french = thesis("model", "show", "v3-nano", "--format", "md", "--language", "fr").out
        assert "| Backbone | 65,432 (" not in english
        assert "| Backbone | 65,432 | 56.8% |" in english
        assert "| Réseau dorsal | 65\u202f432 | 56,8\u202f% |" in french
        assert english.count("\n|") == french.count("\n|")
        assert "```mermaid\nflowchart TB" in english

    def test_the_terminal_speaks_english_unless_asked(self, thesis, tmp_path):
        french = Workspace.create(tmp_path / "fr", language="fr")
        assert "Backbone" in thesis("model", "show", "v3-nano", workspace=french).out
        asked = ("model", "show", "v3-nano", "--format", "md")
        assert "Réseau dorsal" in thesis(*asked, workspace=french).out

    def test_it_draws(self, thesis, tmp_path, quick_plots, monkeypatch):
        monkeypatch.setattr(network_drawing, "draw_network", quick_plots["draw_network"])
        for kind, start in ((".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")):
            file = tmp_path / f"nano{kind}"
            answer = thesis("model", "show", "v3-nano", "--format", "md", "--output", file)
            assert f"]({file.as_posix()})" in answer.out
            assert "mermaid" not in answer.out
            assert file.read_bytes().startswith(start)
        (tmp_path / "file").touch()
        lost = thesis("model", "show", "v3-nano", "--output", tmp_path / "file" / "nano.png")
        assert lost.code == 4
        answer = thesis("model", "show", "v3-nano", "--output", tmp_path / "nano.gif")
        assert answer.code == 2
        assert ".png, .svg, .pdf" in answer.err

    def test_a_change_is_named_and_counted(self, thesis, valid):
        changed = valid(thesis("model", "show", "v2", "--set", "channels=48", "--json"))
        assert changed["name"] == "v2 (channels=48)"
        assert changed["variant"] is None
        assert changed["parameters"] == sum(
            one.numel() for one in build(variant("v2", channels=48)).parameters()
        )
        assert changed["config"]["channels"] == 48

    def test_another_size_has_other_maps(self, thesis, valid):
        data = valid(thesis("model", "show", "v3-nano", "--size", "480x640", "--json"))
        assert data["macs_640"] is None
        assert [one["height"] for one in data["anatomy"]["fields"]] == [60, 30, 15]
        assert [one["width"] for one in data["anatomy"]["fields"]] == [80, 40, 20]

    def test_a_recipe_and_a_run_are_networks_too(self, thesis, valid, known):
        (known.recipes / "wide.yaml").write_text(
            "extends: v2\nmodel: {channels: 40}\n", encoding="utf-8"
        )
        assert valid(thesis("model", "show", "wide", "--json"))["config"]["channels"] == 40
        assert thesis("model", "show", "v1", "--layers").out.count("3×3 deformable") == 15

    @pytest.mark.parametrize(
        ("arguments", "code", "said"),
        [
            (("v2ultra",), 3, "did you mean 'v2-ultra'"),
            (("v2", "--size", "333"), 2, "try 320"),
            (("v2", "--size", "axb"), 2, "640 or 480x640"),
            (("v2", "--set", "chanels=4"), 2, "did you mean 'channels'"),
            (("v2", "--set", "channels"), 2, "channels=48"),
            (("v2", "--weights", "x.pth"), 2, "--effective"),
        ],
    )
    def test_what_can_not_be_says_so(self, thesis, arguments, code, said):
        answer = thesis("model", "show", *arguments)
        assert answer.code == code
        assert said in answer.err

    def test_how_far_it_really_looks(self, thesis, valid, weights):
        data = valid(
            thesis(
                *("model", "show", "v2", "--effective", "--weights", weights),
                *("--size", 128, "--json"),
            )
        )
        assert set(data["effective"]) == {"3", "4", "5"}


class TestTune:
    def test_the_choices_are_the_knobs(self):
        assert set(tune.KNOBS) == set(KNOBS)

    def test_it_finds_and_writes_nothing(self, thesis, valid, known, contents):
        before = contents(known.recipes)
        data = valid(thesis("model", "tune", "v3-nano", "--target", "100000", "--json"))
        assert data["best"]["value"] % 4 == 0
        assert abs(data["best"]["distance"]) == min(
            abs(one["distance"]) for one in data["neighbours"]
        )
        assert data["recipe"] is None
        assert contents(known.recipes) == before

    @pytest.mark.slow
    def test_it_writes_the_recipe_where_asked(self, thesis, known):
        arguments = ("model", "tune", "v1-489k", "--target", "400000", "--write", "small")
        assert "thesis run small" in thesis(*arguments).out
        assert resolve("small", known).recipe.model.detector().channels == 40
        again = thesis(*arguments)
        assert again.code == 2
        assert "already" in again.err


class TestValidate:
    def test_a_failure_is_exit_code_one(self, thesis, valid, monkeypatch):
        monkeypatch.setitem(COUNTS, "v3-nano", Count(7, 7))
        arguments = ("model", "validate", "v3-nano", "v2", "--check", "counts")
        answer = thesis(*arguments, "--json")
        assert answer.code == 1
        data = valid(answer)
        assert data["passed"] is False
        assert [one["status"] for one in data["checks"]] == ["fail", "pass"]
        assert "115,288 parameters; the table has 7" in thesis(*arguments).out
        assert "--check counts" in answer.err

    def test_all_is_well(self, thesis, valid):
        answer = thesis(
            *("model", "validate", "v3-nano", "--quick"),
            *("--check", "counts", "--check", "forward", "--json"),
        )
        assert answer.code == 0
        assert valid(answer)["passed"]


class TestImport:
    @pytest.mark.parametrize("wrap", ["plain", "module", "state_dict", "counters"])
    def test_it_strips_what_programs_leave(self, thesis, valid, known, tmp_path, wrap):
        state = dict(build(variant("v3-nano"), 0).state_dict())
        if wrap == "module":
            state = {f"module.{name}": value for name, value in state.items()}
        elif wrap == "counters":
            state |= {"heads.total_ops": torch.zeros(1), "total_params": torch.zeros(1)}
        torch.save({"state_dict": state} if wrap == "state_dict" else state, tmp_path / "x.pth")
        data = valid(
            thesis("model", "import", tmp_path / "x.pth", "--variant", "v3-nano", "--json")
        )
        assert data["published"] is None
        said = {"plain": 0, "module": "prefix module.", "state_dict": "under", "counters": "2 keys"}
        assert said[wrap] == 0 or said[wrap] in " ".join(data["cleaned"])
        assert (known.root / data["weights"]).is_file()

    def test_a_file_that_runs_code_is_refused(self, thesis, known, tmp_path):
        torch.save(print, tmp_path / "evil.pth")
        answer = thesis("model", "import", tmp_path / "evil.pth", "--variant", "v2")
        assert answer.code == 4
        assert "run code" in answer.err
        assert not (known.root / "weights").exists()

    @pytest.mark.data
    def test_published_weights_are_recognised(self, thesis, valid, workspace, reference_data):
        file = reference_data / "weights" / "featherface_v1_official.pth"
        arguments = ("model", "import", file, "--variant", "v1-official", "--json")
        data = valid(thesis(*arguments, workspace=workspace))
        assert "authors' repository" in data["published"]
        assert data["cleaned"]
