"""The weekly report: what a fixed period brought, whatever happens later."""

import dataclasses
import re
from datetime import date

import pytest
from stand_ins.markdown_samples import unpadded

from experiments.claims.history import states_on
from experiments.records.annotations import RunAnnotations
from experiments.workspace.workspace import Workspace
from featherface.errors import RefusedError, UsageError
from vault_sync.commands.sync import sync
from vault_sync.commands.weekly_note import week, write_weekly
from vault_sync.engine.text.markers import scan
from vault_sync.rendering import periods

SINCE, UNTIL = date(2026, 3, 2), date(2026, 3, 8)
IN_WEEK, BEFORE, AFTER = (
    f"{day}T12:00:00+00:00" for day in ("2026-03-04", "2026-02-20", "2026-03-09")
)

pytestmark = pytest.mark.usefixtures("quick_plots")


@pytest.fixture
def make(tmp_path, make_run):
    """Make a workspace whose week brought a better v2, a failed v3 and a first sized."""

    def call(language="en"):
        workspace = Workspace.create(tmp_path / language, language=language, title="A thesis")
        workspace.vault.mkdir()
        make_run(workspace, "v1", created=BEFORE)
        names = ("widerface.easy.ap", "widerface.hard.ap", "widerface.mean_ap", "params.total")
        scores = dict(zip(names, (0.6, 0.4, 0.5, 300_000), strict=True))
        make_run(workspace, "v2", metrics=scores, created=BEFORE)
        better = dict(zip(names, (0.59, 0.45, 0.55, 256_000), strict=True))
        run = make_run(workspace, "v2", metrics=better, created=IN_WEEK)
        said = RunAnnotations(
            verdict="confirmed", analysis="Fewer parameters.", next_steps="Prune."
        )
        said.write(run.folder)
        make_run(workspace, "v3", status="failed", created=IN_WEEK)
        make_run(workspace, "sized", metrics={"params.total": 426_608}, created=IN_WEEK)
        make_run(workspace, "late", created=AFTER)
        return workspace

    return call


def read(workspace, path):
    return (workspace.vault / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_week_reads_as_it_was_accepted(make, golden, language):
    workspace = make(language)
    made = write_weekly(workspace, SINCE, UNTIL)
    assert made.note == "Weekly/2026-W10.md"
    text = re.sub(r"sha=[0-9a-f]{64}", "sha=...", read(workspace, made.note))
    golden(f"{language}/{made.note}", text)


def test_a_week_is_kept_true_and_nothing_else_happens_to_it(make, make_run, stamps):
    workspace = make()
    made = write_weekly(workspace, SINCE, UNTIL)
    sync(workspace)
    before = stamps(workspace.vault)
    make_run(workspace, "v2", created=AFTER)
    report = sync(workspace)
    assert made.note not in report.written
    assert stamps(workspace.vault)[made.note] == before[made.note]
    make_run(workspace, "v4", created=IN_WEEK)
    assert made.note in sync(workspace).written
    assert "[[v4@1]]" in read(workspace, made.note)
    assert sync(workspace).written == []


def test_the_students_words_stay(make, make_run):
    workspace = make()
    note = workspace.vault / write_weekly(workspace, SINCE, UNTIL).note
    with note.open("a", encoding="utf-8", newline="") as file:
        file.write("\r\nMore epochs, I think: [[x]] %%\r\n")
    make_run(workspace, "v4", created=IN_WEEK)
    sync(workspace)
    assert note.read_bytes().endswith(b"\r\nMore epochs, I think: [[x]] %%\r\n")


def test_a_week_is_made_once(make):
    workspace = make()
    first = write_weekly(workspace, SINCE, UNTIL)
    assert first.written
    again = write_weekly(workspace, SINCE, UNTIL)
    assert (again.note, again.written) == (first.note, False)
    moved = workspace.vault / "Meetings.md"
    (workspace.vault / first.note).rename(moved)
    assert write_weekly(workspace, SINCE, UNTIL).note == "Meetings.md"
    moved.unlink()
    assert write_weekly(workspace, SINCE, UNTIL).written


def test_another_period_of_the_same_week_is_named_by_its_days(make):
    workspace = make()
    write_weekly(workspace, SINCE, UNTIL)
    other = write_weekly(workspace, date(2026, 3, 1), date(2026, 3, 7))
    assert other.note == "Weekly/2026-03-01_2026-03-07.md"
    longer = write_weekly(workspace, date(2026, 1, 1), UNTIL)
    assert longer.note == "Weekly/2026-01-01_2026-03-08.md"
    earlier = write_weekly(workspace, date(2026, 2, 22), date(2026, 2, 28))
    assert earlier.note == "Weekly/2026-W09.md"


def test_what_stands_in_the_way_is_never_written_over(make):
    workspace = make()
    folder = workspace.vault / "Weekly"
    folder.mkdir()
    for name in ("2026-w10.md", "2026-03-02_2026-03-08.md"):
        (folder / name).write_text("mine", encoding="utf-8")
    with pytest.raises(RefusedError, match="is there already"):
        write_weekly(workspace, SINCE, UNTIL)


def test_the_place_follows_the_settings(make):
    workspace = make()
    config = workspace.root / "thesis.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(
        text.replace("[chapters]", '[chapters]\nweekly = "Suivi/Semaine"'), encoding="utf-8"
    )
    changed = Workspace.open(workspace.root)
    assert write_weekly(changed, SINCE, UNTIL).note == "Suivi/Semaine/2026-W10.md"


def test_the_last_seven_days_are_the_default(monkeypatch):
    monkeypatch.setattr(periods, "today", lambda: date(2026, 11, 21))
    assert periods.default_period() == (date(2026, 11, 15), date(2026, 11, 21))
    assert periods.default_period(until=date(2026, 1, 3)) == (date(2025, 12, 28), date(2026, 1, 3))
    with pytest.raises(UsageError, match="begins on 2026-11-22"):
        periods.default_period(since=date(2026, 11, 22))


@pytest.mark.parametrize(
    ("day", "name"), [(date(2027, 1, 1), "2026-W53"), (date(2026, 1, 1), "2026-W01")]
)
def test_weeks_are_those_of_iso_8601(day, name):
    assert week(day) == name


def test_a_claim_is_judged_by_what_was_known(make, make_run, monkeypatch):
    workspace = make()
    runs = [run for run in _runs(workspace) if run.sealed]
    assert states_on(workspace, runs, date(2026, 2, 1))["v1-parameters"] == "not_measurable"
    assert states_on(workspace, runs, SINCE)["v1-parameters"] == "pass"
    assert states_on(workspace, runs, SINCE)["v2-parameters"] == "fail"
    assert states_on(workspace, runs, UNTIL)["v2-parameters"] == "pass"
    monkeypatch.setattr("experiments.staleness.probes.code_digest", lambda: "other")
    assert states_on(workspace, runs, UNTIL)["v2-parameters"] == "pass"


def _runs(workspace):
    from vault_sync.rendering.sources import Sources  # noqa: PLC0415 - one test needs it

    return Sources(workspace).runs


def test_values_on_other_data_are_no_progress(make, make_run):
    workspace = make()
    make_run(workspace, "v1", dataset="widerface", n=34, complete=False, created=IN_WEEK)
    text = read(workspace, write_weekly(workspace, SINCE, UNTIL).note)
    assert "| [[v1@2]] | [[v1@1]] | AP" not in text


@pytest.mark.parametrize(
    "marker", ["", "since=x until=2026-01-01", "since=2026-01-02 until=2026-01-01"]
)
def test_a_marker_without_its_days_is_refused(make, marker):
    workspace = make()
    note = workspace.vault / "Own.md"
    note.write_text(
        f"<!-- thesis:begin id=w template=weekly {marker} -->\n<!-- thesis:end id=w -->\n",
        encoding="utf-8",
    )
    report = sync(workspace)
    assert report.refused == ["Own.md"]
    assert "since=" in report.reasons[0]


def answer(workspace, run_id, **said):
    run = next(one for one in _runs(workspace) if one.id == run_id)
    dataclasses.replace(run.annotations, **said).write(run.folder)


def test_the_first_paragraph_is_shown_and_the_rest_is_linked(make):
    workspace = make()
    analysis = "## Seen\n\nIt *works* on [[v1@1|faces]].\n\n| a |\n|-|\n| 7 |\n\n> [!note] x\n> y"
    steps = "- [ ] prune a|b\n- then %%not this%% quantise\n\n[^1]: a footnote at the end"
    answer(workspace, "v2@2", analysis=analysis, next_steps=steps)
    text = read(workspace, write_weekly(workspace, SINCE, UNTIL).note)
    assert "| It works on faces. (the rest: [[v2@2]]) |" in unpadded(text)
    steps = text.partition("## Next steps")[2]
    assert "- [[v2@2]]: prune a\\|b\n- [[v2@2]]: then quantise\n" in steps
    assert "footnote" not in steps


def test_a_long_paragraph_is_cut_and_one_without_words_is_only_linked(make):
    workspace = make("fr")
    answer(workspace, "v2@2", analysis="![[loss.png]]", next_steps="[[x]] %% -->\n")
    answer(workspace, "sized@1", next_steps="word " * 100)
    text = read(workspace, write_weekly(workspace, SINCE, UNTIL).note)
    assert "(dans [[v2@2]])" in text
    assert "- [[v2@2]]\u202f: x\n" in text
    (line,) = [one for one in text.splitlines() if one.startswith("- [[sized@1]]\u202f: word")]
    assert line.endswith("word… (suite\u202f: [[sized@1]])")
    assert len(line) < 360


PRIVATE = (
    "open %%SECRET 1%% <!-- SECRET 2 --> text\n\n%%\nSECRET 3\n\n- SECRET 4\n%%\n\nend %% SECRET 5"
)


def test_what_is_private_reaches_no_report(make, make_run):
    workspace = make()
    make_run(workspace, "told", hypothesis=PRIVATE, created=IN_WEEK)
    answer(workspace, "v2@2", analysis=PRIVATE, next_steps="SECRET 6 %% go on")
    answer(workspace, "sized@1", hypothesis=PRIVATE, note=PRIVATE)
    write_weekly(workspace, SINCE, UNTIL)
    sync(workspace)
    shown = [
        block.body.decode()
        for note in workspace.vault.rglob("*.md")
        for block in scan(note.read_bytes()).blocks
    ]
    assert any("open" in body for body in shown)
    assert not any("SECRET" in body for body in shown)
    assert not any("SECRET" in path.read_text() for path in workspace.vault.rglob("*.canvas"))


@pytest.mark.parametrize(
    "text", ["../x", "CON", "a|b", "[[x]]", "%%", "<%* %>", "-->", "x" * 300, "`$= x`", "# h"]
)
def test_hostile_words_keep_the_columns(workspace, make_run, text):
    run = make_run(workspace, "v1", created=IN_WEEK, hypothesis=text, dataset=text)
    RunAnnotations(analysis=text, next_steps=text, note=text).write(run.folder)
    (block,) = scan(
        (workspace.vault / write_weekly(workspace, SINCE, UNTIL).note).read_bytes()
    ).blocks
    told = block.body.decode()
    tables = re.findall(r"(?:^\|.*\n?)+", told, re.MULTILINE)
    assert len(tables) >= 2
    for table in tables:
        rows = table.replace("\\|", "").strip().split("\n")
        assert len({row.count("|") for row in rows}) == 1
    assert not any(sign in told for sign in ("%%", "<%", "-->", "[[x]]", "`$"))
    assert sync(workspace).problem is None
