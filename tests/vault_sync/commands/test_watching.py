import threading
import time

import pytest

from featherface.errors import NotFoundError, RefusedError
from vault_sync.commands import watch as watching
from vault_sync.commands.watch import watch

pytestmark = pytest.mark.usefixtures("quick_plots")

PERFORMANCE = "05-Results/Performance-Analysis.md"
PATIENCE = 60.0


class Watch:
    """A watch that runs while the test works."""

    def __init__(self, workspace, **choices):
        self.workspace = workspace
        self.told = []
        self.stop = threading.Event()
        arguments = (workspace.root, self.told.append, self.stop.is_set)
        self.thread = threading.Thread(target=watch, args=arguments, kwargs=choices)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()

    def until(self, question):
        end = time.monotonic() + PATIENCE
        while not question():
            assert time.monotonic() < end, self.told
            assert self.thread.is_alive()
            time.sleep(0.05)

    def until_calm(self, counted):
        """Wait until nothing was synced for a while: however slow the machine, a loop goes on."""
        end = time.monotonic() + PATIENCE
        before = -1
        while len(counted) != before:
            assert time.monotonic() < end, "it goes on and on"
            before = len(counted)
            time.sleep(1.5)

    def written(self):
        return [path for one in self.told if one.report for path in one.report.written]

    def errors(self):
        return [one.error for one in self.told if one.error]


@pytest.fixture
def counted(monkeypatch):
    """Count the syncs, and let the watch be quick."""
    calls = []
    real = watching.sync

    def sync(*arguments, **choices):
        try:
            return real(*arguments, **choices)
        finally:
            calls.append(time.monotonic())

    monkeypatch.setattr(watching, "sync", sync)
    monkeypatch.setattr(watching, "CALM_MS", 50)
    monkeypatch.setattr(watching, "TICK", 0.1)
    monkeypatch.setattr(watching, "REST", 0.0)
    monkeypatch.setattr(watching, "RETRY", 0.2)
    return calls


@pytest.mark.slow
@pytest.mark.usefixtures("both_ways")
def test_a_run_that_is_sealed_reaches_the_vault_and_nothing_loops(thesis, make_run, counted):
    workspace = thesis()
    with Watch(workspace) as seen:
        seen.until(lambda: counted)
        make_run(workspace, "v3", variant="v2")
        seen.until(lambda: "05-Results/Runs/v3@1.md" in seen.written())
        seen.until_calm(counted)
    assert seen.errors() == []


@pytest.mark.slow
def test_a_note_that_changes_is_seen_and_hidden_files_are_not(thesis, counted):
    workspace = thesis()
    with Watch(workspace) as seen:
        seen.until(lambda: counted)
        seen.until_calm(counted)
        before = len(counted)
        (workspace.vault / ".obsidian").mkdir(exist_ok=True)
        (workspace.vault / ".obsidian" / "workspace.json").write_text("{}", encoding="utf-8")
        time.sleep(1)
        assert len(counted) == before
        marks = "<!-- thesis:begin id=results.v2 template=performance -->\n"
        marks += "<!-- thesis:end id=results.v2 -->\n"
        (workspace.vault / "Draft.md").write_text(marks, encoding="utf-8")
        seen.until(lambda: "Draft.md" in seen.written())


def test_a_conflict_is_told_once_and_the_watch_goes_on(thesis, make_run, counted):
    workspace = thesis()
    path = workspace.vault / PERFORMANCE
    with Watch(workspace) as seen:
        seen.until(lambda: counted)
        path.write_bytes(path.read_bytes().replace(b"64.0%", b"99.9%"))
        seen.until(seen.errors)
        (workspace.vault / "Mine.md").write_text("mine", encoding="utf-8")
        make_run(workspace, "v3", variant="v2")
        seen.until(lambda: "05-Results/Runs/v3@1.md" in seen.written())
    (error,) = seen.errors()
    assert isinstance(error, RefusedError)
    assert b"99.9%" in path.read_bytes()


@pytest.mark.slow
def test_a_vault_that_goes_away_is_waited_for(thesis, make_run, counted):
    workspace = thesis()
    away = workspace.root.parent / "unmounted"
    with Watch(workspace) as seen:
        seen.until(lambda: counted)
        workspace.vault.rename(away)
        seen.until(seen.errors)
        make_run(workspace, "v3", variant="v2")
        time.sleep(0.5)
        away.rename(workspace.vault)
        seen.until(lambda: "05-Results/Runs/v3@1.md" in seen.written())
    assert all(isinstance(error, NotFoundError) for error in seen.errors())
    assert len(seen.errors()) == 1


@pytest.mark.slow
def test_an_empty_mount_point_is_not_filled(thesis, counted):
    workspace = thesis()
    away = workspace.root.parent / "unmounted"
    with Watch(workspace) as seen:
        seen.until(lambda: counted)
        workspace.vault.rename(away)
        workspace.vault.mkdir()
        seen.until(seen.errors)
        time.sleep(0.5)
        assert list(workspace.vault.iterdir()) == []
        workspace.vault.rmdir()
        away.rename(workspace.vault)
        before = len(counted)
        seen.until(lambda: len(counted) > before)


@pytest.mark.slow
def test_an_editor_that_saves_all_the_time_does_not_stop_the_watch(thesis, make_run, counted):
    workspace = thesis()
    path = workspace.vault / PERFORMANCE
    with Watch(workspace) as seen:
        seen.until(lambda: counted)
        make_run(workspace, "v3", variant="v2")
        lines = 0
        while "05-Results/Runs/v3@1.md" not in seen.written() or lines < 20:
            lines += 1
            with path.open("ab") as file:
                file.write(b"\nline %d" % lines)
            time.sleep(0.02)
            assert seen.thread.is_alive()
    text = path.read_bytes()
    assert all(b"\nline %d" % number in text for number in range(1, lines + 1))


@pytest.mark.slow
def test_a_change_of_the_settings_is_followed(thesis, counted):
    workspace = thesis()
    with Watch(workspace) as seen:
        seen.until(lambda: counted)
        config = workspace.root / "thesis.toml"
        text = config.read_text(encoding="utf-8")
        config.write_text(text.replace('language = "en"', 'language = "fr"'), encoding="utf-8")
        seen.until(lambda: PERFORMANCE in seen.written())
    assert "données synthétiques" in (workspace.vault / PERFORMANCE).read_text("utf-8").lower()


@pytest.mark.slow
def test_it_ends_at_once_when_it_is_told_to(thesis, counted):
    workspace = thesis()
    with Watch(workspace) as seen:
        seen.until(lambda: counted)
        began = time.monotonic()
    assert time.monotonic() - began < PATIENCE
