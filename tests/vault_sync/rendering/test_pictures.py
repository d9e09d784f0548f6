"""Which pictures a change of the source redraws, on scratch copies of the program."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from functools import cache, partial
from pathlib import Path

import pytest

import templates
from experiments.wording import catalogue
from featherface.source import modules
from featherface.source.definitions import definition_digest
from featherface.source.packages import OURS, PACKAGES, Packages
from vault_sync.rendering.figures import Figures
from vault_sync.rendering.links import LinkStyle
from vault_sync.rendering.pictures import PICTURES, component_bars
from vault_sync.reports.code_digests import SUMMARIES, drawing_digests, summary_digests

ONE_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154"
    "789c63f8ffff3f0005fe02fe0def46b80000000049454e44ae426082"
)
DRAWN = PICTURES.keys() - {"mistakes"}
"""By matplotlib."""
PLOTS = DRAWN - {"network-drawing"}
"""With axes."""
CBAM = "featherface/networks/attention/cbam.py"
RUN_PLOTS, STYLE = "experiments/plotting/run_plots.py", "experiments/plotting/style.py"
CHANGES = {
    "a marker of one plot": (RUN_PLOTS, '"o" if len(at)', '"s" if len(at)', {"loss-curves"}),
    "the markers of another": (STYLE, '("o", "s", "^"', '("s", "o", "^"', {"size-against-ap"}),
    "a plot's margin": (RUN_PLOTS, "set_ylim(0, 1.02)", "set_ylim(0, 1.05)", {"precision-recall"}),
    "the shared style": (STYLE, '"font.size": 9', '"font.size": 10', DRAWN),
    "the colours": (STYLE, '"#0072B2", "#D55E00"', '"#D55E00", "#0072B2"', DRAWN),
    "the grey": (
        STYLE,
        "#6E6E6E",
        "#666666",
        {
            *("precision-recall", "size-against-ap", "formats-against-ap"),
            *("difference-bars", "network-drawing"),
        },
    ),
    "how plots are laid out": (STYLE, "dpi=160, layout", "dpi=170, layout", PLOTS),
    "a row's height": (
        "experiments/plotting/network_drawing.py",
        "ROW, BOX = 0.56",
        "ROW, BOX = 0.60",
        {"network-drawing"},
    ),
    "hatches": (
        "experiments/plotting/bar_plots.py",
        '("", "//"',
        '("//", ""',
        {"component-bars"},
    ),
    "numbers": ("experiments/wording/numbers.py", 'MINUS = "', 'MINUS = "-" "', DRAWN),
    "how AP is integrated": (
        "featherface/evaluation/curves.py",
        "def average_precision(",
        "@bool\ndef average_precision(",
        {"precision-recall"},
    ),
    "a help text": ("thesis_cli/commands/detect.py", "Find the faces of one", "Find one's", set()),
    "a docstring": (STYLE, "Return the bytes of FIGURE", "Give the bytes of FIGURE", set()),
    "a new kind of plot": (RUN_PLOTS, "GREYS = (", "def other(): ...\n\n\nGREYS = (", set()),
    "a plot of data sets": ("experiments/plotting/data_plots.py", "0.13", "0.14", set()),
    "a network": (CBAM, "torch.sigmoid(score)", "torch.tanh(score)", set()),
    "a default of training": (
        "featherface/training/config/train.py",
        "epochs: int = ",
        "epochs: int = 1 + ",
        set(),
    ),
}


@pytest.fixture(scope="module", autouse=True)
def _unchanged_modules_are_read_once():
    """Parse each text once for all the copies: they differ in one module each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(modules, "read_module", cache(modules.read_module))
        yield


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """Copy the program, with changed files, and give its packages."""
    original = tmp_path_factory.mktemp("program")
    for name, path in OURS.files():
        target = original / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    words = Path(templates.__file__).parent
    shutil.copytree(words, original / "templates", dirs_exist_ok=True)

    def make(changes=()):
        root = tmp_path_factory.mktemp("scratch") / "program"
        shutil.copytree(original, root, copy_function=os.link)
        for name, text in dict(changes).items():
            (root / name).unlink()
            if text is not None:
                (root / name).write_text(text, encoding="utf-8")
        return Packages(root, PACKAGES)

    return make


def redrawn(packages):
    before, after = drawing_digests(), digests(packages, PICTURES)
    return {kind for kind in PICTURES if before[kind] != after[kind]}


def digests(packages, table):
    return {name: definition_digest(make, packages=packages) for name, make in table.items()}


def text_of(name):
    return (OURS.root / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_redraws_what_shows_it(copy, change):
    name, old, new, kinds = CHANGES[change]
    text = text_of(name)
    assert old in text
    assert redrawn(copy({name: text.replace(old, new, 1)})) == kinds


def test_a_moved_module_redraws_nothing(copy):
    """Each of the plots' modules gets another name, and all that import them follow."""
    packages = copy()
    folder = packages.root / "experiments" / "plotting"
    stems = "|".join(path.stem for path in folder.glob("[a-z]*.py"))
    imported = re.compile(rf"(plotting(?:\.| import ))({stems})\b")
    used = re.compile(rf"(?<![.\w])({stems})(?=\.[a-zD])")
    for _, path in packages.files():
        text = path.read_text(encoding="utf-8")
        moved = imported.sub(r"\1drawn_\2", text)
        if moved != text:
            path.unlink()
            path.write_text(used.sub(r"drawn_\1", moved), encoding="utf-8")
    for path in list(folder.glob("[a-z]*.py")):
        path.rename(folder / f"drawn_{path.name}")
    assert packages.path("experiments.plotting.run_plots") is None
    assert redrawn(packages) == set()
    assert digests(packages, SUMMARIES) == summary_digests()


SUMMARY_CHANGES = {
    "a resampling": (
        "experiments/comparison/statistics.py",
        "PCG64(seed)",
        "PCG64(seed + 1)",
        {"comparisons", "intervals", "resamples", "states"},
    ),
    "a layer": (
        CBAM,
        "torch.sigmoid(score)",
        "torch.tanh(score)",
        {"networks"},
    ),
    "the rank of Holm": (
        "experiments/comparison/multiple_tests.py",
        "def holm(",
        "@bool\ndef holm(",
        {"comparisons"},
    ),
}


@pytest.mark.parametrize("change", SUMMARY_CHANGES)
def test_a_change_makes_those_summaries_anew_that_follow_from_it(copy, change):
    name, old, new, folders = SUMMARY_CHANGES[change]
    text = text_of(name)
    assert old in text
    before, after = summary_digests(), digests(copy({name: text.replace(old, new, 1)}), SUMMARIES)
    changed = {folder for folder in SUMMARIES if before[folder] != after[folder]}
    # What looks at whole runs may be made anew for more than it needs, and never for less.
    assert folders <= changed <= folders | {"states", "comparisons"}


def draw_in(root, folder):
    """Draw one picture by the program in ROOT, kept in FOLDER; return its bytes."""
    code = f"""if True:
        import sys
        from functools import cache, partial
        from pathlib import Path
        from vault_sync.rendering.figures import Figures
        from vault_sync.rendering.links import LinkStyle
        from vault_sync.rendering.pictures import component_bars
        figures = Figures(Path({str(folder)!r}), LinkStyle(), "en")
        draw = partial(component_bars, {{"v2": {{"neck": 3}}}}, {{"neck": "Neck"}}, "en")
        figures.add("Note.md", "parts", ["v2"], draw)
        (content,) = figures.wanted.values()
        sys.stdout.buffer.write(content)"""
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", code]
    answer = subprocess.run(command, check=True, capture_output=True, cwd=root, env=environment)
    return answer.stdout


PLOT = """
MARK = "o"

def component_bars(networks, names, language):
    '''Draw.'''
    return PNG + f" {MARK} {networks} {names} {language}".encode()

PNG = bytes.fromhex("89504e470d0a1a0a 49454e44ae426082")
"""
"""In the place of `bar_plots`, which matplotlib makes slow."""


def test_a_changed_plot_is_drawn_anew_and_a_reworded_one_read(copy, tmp_path):
    folder = tmp_path / "cache" / "figures"

    def draw(text):
        return draw_in(copy({"experiments/plotting/bar_plots.py": text}).root, folder)

    assert draw(PLOT).endswith(b" o {'v2': {'neck': 3}} {'neck': 'Neck'} en")
    (entry,) = folder.glob("*.png")
    entry.write_bytes(ONE_PIXEL)
    assert draw(PLOT.replace("Draw.", "Draw it.")) == ONE_PIXEL
    assert draw(PLOT.replace('"o"', '"x"')).endswith(b" x {'v2': {'neck': 3}} {'neck': 'Neck'} en")
    assert len(list(folder.glob("*.png"))) == 2


class TestFigures:
    """Drawn once, kept by what they show."""

    NETWORKS, NAMES = {"v2": {"neck": 3}}, {"neck": "Neck"}

    @pytest.fixture(autouse=True)
    def _count(self, monkeypatch):
        self.drawn = []

        def draw(networks, names, language):
            catalogue.phrase("plot.epoch", language)
            self.drawn.append((networks, names, language))
            return ONE_PIXEL if networks else b""

        monkeypatch.setattr("experiments.plotting.bar_plots.component_bars", draw)

    def add(self, figures, name="parts", inputs=("v2",), networks=NETWORKS):
        draw = partial(component_bars, networks, self.NAMES, "en")
        return figures.add("Note.md", name, list(inputs), draw)

    def test_it_is_drawn_once(self, tmp_path):
        for _ in range(2):
            figures = Figures(tmp_path / "figures", LinkStyle(), "en")
            path = self.add(figures)
            assert figures.wanted == {path: ONE_PIXEL}
        assert len(self.drawn) == 1

    def test_other_inputs_or_another_language_are_drawn(self, tmp_path):
        self.add(Figures(tmp_path / "figures", LinkStyle(), "en"))
        self.add(Figures(tmp_path / "figures", LinkStyle(), "fr"))
        self.add(Figures(tmp_path / "figures", LinkStyle(), "en"), inputs=["v3"])
        assert len(self.drawn) == 3

    def test_another_name_of_the_file_draws_nothing(self, tmp_path):
        figures = Figures(tmp_path / "figures", LinkStyle(), "en")
        assert self.add(figures) != self.add(figures, name="another")
        assert len(self.drawn) == 1

    def test_that_there_is_nothing_to_draw_is_kept_too(self, tmp_path):
        for _ in range(2):
            assert self.add(Figures(tmp_path / "figures", LinkStyle(), "en"), networks={}) is None
        assert len(self.drawn) == 1

    @pytest.mark.parametrize("damaged", [b"", b"\0" * 67, ONE_PIXEL[:40], b"no picture"])
    def test_a_damaged_picture_is_drawn_again(self, tmp_path, damaged):
        path = self.add(Figures(tmp_path / "figures", LinkStyle(), "en"))
        (entry,) = (tmp_path / "figures").glob("*.png")
        entry.write_bytes(damaged)
        figures = Figures(tmp_path / "figures", LinkStyle(), "en")
        assert self.add(figures) == path
        assert figures.wanted == {path: ONE_PIXEL}
        assert entry.read_bytes() == ONE_PIXEL
        assert len(self.drawn) == 2

    @pytest.mark.parametrize(("key", "times"), [("plot.epoch", 2), ("plot.loss", 1)])
    def test_a_reworded_phrase_redraws_what_holds_it(self, tmp_path, monkeypatch, key, times):
        self.add(Figures(tmp_path / "figures", LinkStyle(), "en"))
        reworded = {**catalogue.phrases("en"), key: "something else"}
        monkeypatch.setattr(catalogue, "phrases", lambda _: reworded)
        for _ in range(2):
            self.add(Figures(tmp_path / "figures", LinkStyle(), "en"))
        assert len(self.drawn) == times

    @pytest.mark.parametrize("damaged", [b"", b"{", b"null", b"[1, 2]", b'["a"]'])
    def test_without_its_phrases_it_is_drawn_again(self, tmp_path, damaged):
        self.add(Figures(tmp_path / "figures", LinkStyle(), "en"))
        (phrases,) = (tmp_path / "figures").glob("*.json")
        phrases.write_bytes(damaged)
        self.add(Figures(tmp_path / "figures", LinkStyle(), "en"))
        assert len(self.drawn) == 2

    def test_a_folder_that_can_not_be_written_costs_a_drawing(self, tmp_path):
        (tmp_path / "figures").write_text("in the way", encoding="utf-8")
        for _ in range(2):
            assert self.add(Figures(tmp_path / "figures", LinkStyle(), "en"))
        assert len(self.drawn) == 2


def test_every_kind_of_picture_is_in_the_table():
    """Whoever gives a report a picture takes it from there, so that a change finds it."""
    pattern = re.compile(r"partial\(pictures\.(\w+)")
    sources = [
        path.read_text(encoding="utf-8") for _, path in OURS.files() if "reports" in path.parts
    ]
    used = {name for text in sources for name in pattern.findall(text)}
    assert used == {draw.__name__ for draw in PICTURES.values()}, "PICTURES, or who draws one"
    assert sum(text.count(".picture(") - text.count("links.picture(") for text in sources) == sum(
        text.count("partial(pictures.") for text in sources
    )


def test_every_folder_of_the_cache_is_in_the_table():
    pattern = re.compile(r"\"cache\" / \"(\w+)\"|\.cache / \"(\w+)\"|_cached\(\"(\w+)\"")
    sources = [path.read_text(encoding="utf-8") for _, path in OURS.files()]
    used = {name for text in sources for found in pattern.findall(text) for name in found if name}
    # Probes are kept by all sources together; what splits share, in `apart`, no report reads.
    assert used == {*SUMMARIES, "figures", "probes", "apart"}
