"""The matrix in the implementation chapter: what it says, and why a cell is empty."""

import pytest
from stand_ins.formats import FILES, matrix_metrics

from experiments.workspace.workspace import Workspace
from vault_sync.commands.sync import sync

NOTE = "04-Implementation/Technical-Documentation.md"
pytestmark = pytest.mark.usefixtures("quick_plots")


@pytest.fixture
def chapter(tmp_path, make_run):
    """Return the matrix of a run in a language, as a sync writes it."""

    def make(language="en", marks=(), without=""):
        folder = tmp_path / f"{language}{len(marks)}{without}"
        workspace = Workspace.create(folder, language=language)
        workspace.vault.mkdir()
        metrics = [one for one in matrix_metrics(marks) if one.name != without]
        make_run(workspace, "v2", variant="v2", metrics=metrics, details=FILES, plots=False)
        assert sync(workspace).refused == []
        text = (workspace.vault / NOTE).read_text(encoding="utf-8")
        assert sync(workspace).written == []
        return text.partition("<!-- thesis:begin id=matrix")[2].partition("-->")[2]

    return make


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_matrix_reads_as_it_was_accepted(chapter, golden, language):
    golden(f"{language}/blocks/matrix.md", chapter(language).partition("<!--")[0].strip() + "\n")


def test_a_file_that_nothing_runs_is_converted_and_not_run(chapter):
    (row,) = [
        line for line in chapter().splitlines() if "made-up-phone" in line and line.startswith("|")
    ]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[2:] == ["–", "converted, not run", *["–"] * 6]


def test_a_loss_of_ap_has_its_interval_and_a_cell_without_a_number_its_reason(chapter):
    text = chapter()
    assert "+1.0\u00a0pt [+0.2\u00a0pt; +1.8\u00a0pt]" in text
    assert "the run did not evaluate the file" in text
    assert "it fell over" in text


def test_a_disturbed_latency_is_marked_in_the_matrix(chapter):
    assert "20.0\u00a0ms (disturbed)" in chapter(marks=("disturbed",))


def test_how_to_fill_a_cell_is_told_to_the_student_alone(chapter):
    text = chapter(without="widerface.hard.ap")
    (line,) = [line for line in text.splitlines() if "did not evaluate its network" in line]
    said, _, aside = line.partition(" %%")
    assert said.endswith("did not evaluate its network.")
    assert aside == "`thesis benchmark --matrix v2@1`%%"


def test_the_caption_tells_of_hollow_points_where_there_are_some(chapter):
    assert "Hollow: the latency is disturbed." in chapter(marks=("disturbed",))
    assert "Hollow" not in chapter()
