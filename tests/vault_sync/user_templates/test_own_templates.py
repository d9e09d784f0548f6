"""Templates of the student's own: what they can say, and that they can do nothing else."""

import pytest
from stand_ins.markdown_samples import unpadded

from experiments.workspace.workspace import Workspace
from featherface.errors import RefusedError, UsageError
from vault_sync.commands.sync import sync
from vault_sync.content.composing import Composer
from vault_sync.engine.notes import Snapshot
from vault_sync.engine.state import State
from vault_sync.engine.text.markers import scan
from vault_sync.rendering.sources import Sources
from vault_sync.reports import REPORTS
from vault_sync.user_templates.files import own_templates, start
from vault_sync.user_templates.reports import render_own

BUILT = []
"""A workspace with one run of v1 and one of v2, made once."""


@pytest.fixture
def render(tmp_path_factory, make_run):
    """Render a template's text as a block of a note."""
    if not BUILT:
        workspace = Workspace.create(tmp_path_factory.mktemp("own"), title="A thesis")
        teacher = make_run(workspace, "v1")
        make_run(workspace, "v2", variant="v2", parents=[teacher], seed=1)
        BUILT.append(workspace)
    (workspace,) = BUILT

    def call(text, **attributes):
        file = workspace.root / "templates" / "mine.jinja"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        composer = Composer(
            Sources(workspace), Snapshot(), State(), workspace.vault, recreate=False
        )
        return render_own(composer.page("mine", attributes, "Note.md"), "mine")

    call.workspace = workspace
    return call


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ thesis.title }}", "A thesis"),
        ("{{ run('v2') }}", "[[v2@1]]"),
        ("{% for one in runs[:2] %}{{ one.id }} {% endfor %}", "v1@1 v2@1"),
        ("{{ runs[:2] | map(attribute='experiment') | join(', ') }}", "v1, v2"),
        ("{{ latest[:2] | join(' · ') }}", "[[v1@1]] · [[v2@1]]"),
        ("{{ run('v2').date }}", "2026-01-02"),
        ("{{ link('performance', 'the results') }}", "[[Performance-Analysis|the results]]"),
        ("{{ cite('kim2025featherface', 'wu2023yunet') }}", "[@kim2025featherface; @wu2023yunet]"),
        ("{{ number(1234.5, ',.1f') }}", "1,234.5"),
        ("{{ milestones | selectattr('state', 'equalto', 'pass') | list | length > 0 }}", "True"),
        ("{{ 'a' ~ 'b*' }}", "ab\\*"),
        ("{{ run('v2') ~ '|' }}", "[[v2@1]]\\|"),
        (
            "{% set s = namespace(n=0) %}{% for r in 'a' %}{% set s.n = 1 %}{% endfor %}{{ s.n }}",
            "1",
        ),
        ("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m('a|b') }}", "&lt;a\\\\\\|b&gt;"),
        (
            "{{ run('v1').claim }}",
            (
                "**Synthetic data, not WIDER FACE**: 80 images drawn by the tool, val split; "
                "protocol: original image size, single scale."
            ),
        ),
        ("{{ [3, 1, 2] | sort | first }} {{ [1.25] | sum | round(1) }}", "1 1.2"),
        ("{{ 'TITLE'.lower().title() }}", "Title"),
    ],
)
def test_what_a_template_can_say(render, template, text):
    assert render(template).strip() == text


def test_numbers_say_where_they_come_from(render):
    text = render(
        "{{ value('v2', 'widerface.hard.ap') }}, {{ value('cited:v2-plan', 'params.total') }}"
    )
    assert text == (
        "55.0%, 256,000\n\n*Where these numbers come from: [[v2@1]] (synthetic data, val, "
        "80 images); targets, which are no results.*\n"
    )
    assert "come from" not in render("{{ run('v2').id }}")


def test_what_was_not_measured_is_said(render):
    assert render("{{ value('v2', 'memory.peak_mb') }}") == "not measured\n"
    assert render("{% if not metric('v2', 'memory.peak_mb') %}none{% endif %}") == "none\n"


def test_differences_need_the_same_data(render, make_run):
    if len(Sources(render.workspace).runs) < 3:
        make_run(render.workspace, "v3", dataset="widerface", n=34, complete=False)
    assert render("{{ difference('v2', 'v1', 'params.total') }}").startswith("0\n")
    with pytest.raises(RefusedError, match=r"mine.jinja:2: .*different data"):
        render("\n{{ difference('v3', 'v1', 'widerface.hard.ap') }}")


def test_a_table_with_a_caption_has_an_id(render):
    call = "{{ table(['a'], [['1']], caption='What *it* costs', name='Costs of it') }}"
    lines = render(f"{call}\n\n{call}").split("\n")
    assert lines[0] == "*What \\*it\\* costs.*"
    assert [line for line in lines if line.startswith("^")] == [
        "^tbl-mine-costs-of-it",
        "^tbl-mine-costs-of-it-2",
    ]


def test_tables_keep_their_columns(render):
    rows = "[[run('v2'), '%%a|b-->'], ['[[x]]', 1]]"
    text = render(f"{{{{ table(['a', 'b|c'], {rows}, numeric=[1]) }}}}")
    assert text.split("\n")[:4] == [
        "| a | b\\|c |",
        "|:--|--:|",
        "| [[v2@1]] | &#37;%a\\|b--&gt; |",
        "| &#91;&#91;x&#93;&#93; | 1 |",
    ]
    with pytest.raises(RefusedError, match="needs 2 cells"):
        render("{{ table(['a', 'b'], [['one']]) }}")


def test_links_in_a_row_of_a_table_keep_its_columns(render):
    assert render("| {{ link('performance', 'x') }} |") == "| [[Performance-Analysis\\|x]] |\n"


ESCAPES = [
    "{{ ''.__class__ }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ''['__class__'] }}",
    "{{ '' | attr('__class__') }}",
    "{{ ['a'] | map(attribute='__class__') | join }}",
    "{{ ['a'] | map('attr', '__class__') | first }}",
    "{{ runs | map('attr', '_run') | first }}",
    "{{ (runs | map(attribute='id')).gi_frame }}",
    "{{ namespace.mro() }}",
    "{{ table.__self__ }}",
    "{{ cycler('a').__init__ }}",
    "{{ ('{0._run}' | format)(1) }}",
    "{{ lipsum() }}",
    "{{ ['a'] | join(attribute='__class__') }}",
    "{{ [1] | sum(attribute='__class__') }}",
    "{{ runs | sort(attribute='__class__') }}",
    "{{ runs | selectattr('__class__') | list }}",
    "{{ '{0.__class__}'.format(1) }}",
    "{{ '{0.__class__}'.format_map({'0': 1}) }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ run.__func__ }}",
    "{{ run.__self__ }}",
    "{{ value.__globals__ }}",
    "{{ range.__class__ }}",
    "{{ namespace.__init__ }}",
    "{{ namespace(a=1).__class__ }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ joiner.__init__ }}",
    "{{ lipsum.__globals__['os'] }}",
    "{{ dict.__base__ }}",
    "{{ config }}",
    "{{ request }}",
    "{{ loop }}",
    "{{ run('v2')._run }}",
    "{{ run('v2')._run.folder }}",
    "{{ run('v2')._page.sources.workspace.root }}",
    "{{ run('v2')['_run'] }}",
    "{{ run('v2') | attr('_run') }}",
    "{{ runs.__class__ }}",
    "{{ runs.append(1) }}",
    "{{ cited._make }}",
    "{{ selected._make }}{{ selected._make() }}",
    "{{ milestones.__iter__ }}",
    "{% set run.id = 'x' %}",
    "{% set thesis.title = 'x' %}",
    "{% for x in runs %}{{ loop._iterator }}{% endfor %}",
    "{% for x in runs %}{{ loop.__init__.__globals__ }}{% endfor %}",
    "{% macro m() %}{{ caller.__code__ }}{% endmacro %}{% call m() %}{% endcall %}",
    "{% macro m() %}{% endmacro %}{{ m._func }}",
    "{% import 'mine.jinja' as me %}",
    "{% include '../thesis.toml' %}",
    "{% include '../templates/mine.jinja' %}",
    "{% include '/etc/passwd' %}",
    "{% include 'C:/Windows/win.ini' %}",
    "{% include '..\\\\x' %}",
    "{% include 'con' %}",
    "{% extends '../x.jinja' %}",
    "{% from '/etc/passwd' import x %}",
    "{% include 'run.jinja' %}",
    "{% debug %}",
    "{{ debug() }}",
    "{% do runs.append(1) %}",
    "{{ [].append(1) }}",
    "{{ {}.update({1: 2}) }}",
    "{{ {}.setdefault(1, 2) }}",
    "{{ (1).__class__ }}",
    "{{ (1).real.__class__ }}",
    "{{ value('v2', 'params.total').__class__ }}",
    "{{ metric('v2', 'params.total')._metric }}",
    "{{ metric('v2', 'params.total').value.__class__ }}",
    "{{ environment }}",
    "{{ context }}",
    "{{ charge }}",
    "{{ undefined_name }}",
    "{{ runs[99] }}",
    "{{ none }}",
    "{{ 1 / 0 }}",
    "{{ undefined_name() }}",
    "{{ 'a'.nothing }}",
    "{{ [1, 2] | random }}",
]


@pytest.mark.parametrize("template", ESCAPES)
def test_no_template_leaves_the_sandbox(render, template):
    with pytest.raises(RefusedError, match=r"^templates/mine\.jinja(:1)?: "):
        render(template)


WITHOUT_END = [
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% include 'mine.jinja' %}",
    "{% extends 'mine.jinja' %}",
    "{% import 'mine.jinja' as me %}{{ me }}",
    "{% block b %}{{ self.b() }}{% endblock %}",
    "{% for a in [[1]] recursive %}{{ loop([[1]]) }}{% endfor %}",
    "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
    "{% for a in range(10 ** 9) %}{% endfor %}",
    "{% for a in range(9999) %}" + "x" * 300 + "{% endfor %}",
    "x" * 300_000,
]


@pytest.mark.parametrize("template", WITHOUT_END)
def test_what_calls_itself_or_prints_too_much_is_refused(render, template):
    with pytest.raises(RefusedError, match=r"^templates/mine\.jinja"):
        render(template)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ '<b>' | safe }}", "&lt;b&gt;"),
        ("{{ 'a|b' | upper | center(5) }}", "A\\|B"),
        ("{{ '<!-- x' | tojson }}", "\\u003c"),
        ("{{ '{}'.format('<!--') }}", "&lt;!--"),
        ("{{ 'a b' | replace('a', '[[x]]') }}", "&#91;&#91;x&#93;&#93; b"),
        ("{{ cycler('a', 'b').next() }}", "a"),
    ],
)
def test_filters_and_methods_of_jinja_give_text(render, template, text):
    """What a filter makes of a text is text, and escaped like any other."""
    assert text in render(template)


@pytest.mark.parametrize(
    ("template", "line", "reason"),
    [
        ("a\n\n{{ missing }}", 3, "'missing' is undefined"),
        ("a\n{% for x in runs %}\nb", 3, "Unexpected end of template"),
        ("a\n{{ 'x' | random }}", 2, "No filter named 'random'"),
        ("{{ value('v2', 'widerface.hrad.ap') }}", 1, "did you mean 'widerface.hard.ap'"),
        ("\r\n\r\n{{ run('v9') }}", 3, "no run 'v9'"),
        ("{{ cite('kim2025') }}", 1, "did you mean 'kim2025featherface'"),
        ("{{ value('cited:yunet', 'params.total') }}", 1, "did you mean 'yunet-"),
        ("{{ none }}", 1, "printed None"),
        (b"a\xff", 0, "not UTF-8"),
        ("a\n<!-- thesis:end id=mine -->", 0, "block markers"),
        ("<!-- thesis:begin id=x -->\n\n<!-- thesis:end id=x -->", 0, "block markers"),
        ("```\ncode", 0, "code fence"),
        ("a <!-- b", 0, "HTML comment"),
        ("a %% b", 0, "Obsidian comment"),
    ],
)
def test_a_fault_is_told_with_file_and_line(render, template, line, reason):
    with pytest.raises(RefusedError) as caught:
        render(template)
    at = f"mine.jinja:{line}:" if line else "mine.jinja:"
    assert caught.value.message.startswith(f"templates/{at} ")
    assert reason in caught.value.message


def test_a_fault_in_an_included_template_names_that_one(render):
    part = render.workspace.root / "templates" / "part.jinja"
    part.write_text("ok\n\n{{ oops }}\n", encoding="utf-8")
    with pytest.raises(RefusedError, match=r"^templates/part\.jinja:3: 'oops' is undefined"):
        render("{% include 'part.jinja' %}")
    part.write_text("{{ thesis }}{% macro double(x) %}{{ 2 * x }}{% endmacro %}", encoding="utf-8")
    assert render("{% include 'part' %}") == "A thesis\n"
    assert render("{% from 'part.jinja' import double %}{{ double(2) }}") == "4\n"


def test_complete_fences_and_comments_are_let_through(render):
    text = "```python\n%% <!--\n```\n\n<!-- a -->\n%%b%%\n"
    assert render(text) == text


def test_a_template_may_come_from_windows(render):
    assert render("\ufeffé\r\n{{ thesis }}\r\n".encode()) == "é\nA thesis\n"


@pytest.mark.parametrize("name", ["../x", "CON", "con", "a|b", "[[x]]", "-->", "", "x" * 65, "A"])
def test_names_of_templates_are_plain(workspace, name):
    with pytest.raises(UsageError, match="can't name a template"):
        start(workspace, name, frozenset())
    assert not (workspace.root / "templates").exists()


def test_a_link_is_no_template(workspace, tmp_path):
    folder = workspace.root / "templates"
    folder.mkdir()
    (tmp_path / "elsewhere.jinja").write_text("secret", encoding="utf-8")
    (folder / "mine.jinja").symlink_to(tmp_path / "elsewhere.jinja")
    (folder / "UPPER.jinja").write_text("x", encoding="utf-8")
    assert own_templates(workspace) == {}


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.usefixtures("quick_plots")
def test_the_first_template_renders_at_once(tmp_path, make_run, language):
    workspace = Workspace.create(tmp_path / language, language=language)
    workspace.vault.mkdir()
    start(workspace, "mine", frozenset(REPORTS))
    note = workspace.vault / "Own.md"
    marker = "<!-- thesis:begin id=x template=mine -->\n<!-- thesis:end id=x -->\n"
    note.write_text(marker, encoding="utf-8")
    assert sync(workspace).problem is None
    assert "78" in note.read_text(encoding="utf-8")
    make_run(workspace, "v1")
    assert sync(workspace).problem is None
    text = note.read_text(encoding="utf-8")
    assert "| [[v1@1]] |" in unpadded(text)
    assert "[@kim2025featherface]" in text
    assert {"en": "synthetic data", "fr": "données synthétiques"}[language] in text
    assert sync(workspace).written == []


@pytest.mark.usefixtures("quick_plots")
def test_a_faulty_template_refuses_its_block_only(workspace, make_run):
    make_run(workspace, "v1")
    folder = workspace.root / "templates"
    folder.mkdir()
    (folder / "good.jinja").write_text("{{ latest | length }} experiment", encoding="utf-8")
    (folder / "bad.jinja").write_text("\n{{ ''.__class__ }}", encoding="utf-8")
    (folder / "performance.jinja").write_text("mine", encoding="utf-8")
    blocks = [
        f"<!-- thesis:begin id={name} template={name} -->\n\n<!-- thesis:end id={name} -->\n"
        for name in ("good", "bad", "goood", "performance")
    ]
    note = workspace.vault / "Own.md"
    note.write_text("\n".join(blocks), encoding="utf-8")
    report = sync(workspace)
    assert report.refused == ["Own.md"]
    told = "\n".join(report.reasons)
    assert "templates/bad.jinja:2: access to attribute '__class__'" in told
    assert "did you mean 'good'" in told
    assert "05-Results/Performance-Analysis.md" in report.written


@pytest.mark.usefixtures("quick_plots")
@pytest.mark.parametrize(
    "title",
    ["../x", "CON", "a|b", "[[x]]", "%%", "<%* tp.x %>", "-->", "x" * 300, "{{ 7 * 7 }}", "`$= x`"],
)
def test_hostile_values_are_text(workspace, make_run, title):
    make_run(workspace, "v1", hypothesis=title)
    folder = workspace.root / "templates"
    folder.mkdir()
    text = "| a | b |\n|:--|:--|\n| {{ run('v1').hypothesis }} | x |\n"
    (folder / "mine.jinja").write_text(text, encoding="utf-8")
    note = workspace.vault / "Own.md"
    marker = "<!-- thesis:begin id=x template=mine -->\n<!-- thesis:end id=x -->\n"
    note.write_text(marker, encoding="utf-8")
    assert sync(workspace).problem is None
    (block,) = scan(note.read_bytes()).blocks
    row = block.body.decode().split("\n")[2]
    assert len(row.replace("\\|", "").split("|")) == 4
    assert not any(sign in row for sign in ("%%", "<%", "-->", "[[", "`$"))
    assert "49" not in row
