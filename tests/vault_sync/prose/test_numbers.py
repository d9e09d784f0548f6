"""Bound numbers are judged against the records, and only stale ones are written."""

from __future__ import annotations

import json
import shutil

import pytest

from experiments.records.annotations import RunAnnotations
from experiments.workspace.workspace import Workspace
from featherface.errors import NotFoundError, RefusedError, UsageError
from vault_sync.commands.bind_numbers import bind, quote
from vault_sync.commands.check_numbers import ProseNumbers, check
from vault_sync.commands.sync import sync
from vault_sync.engine import file_write
from vault_sync.prose.references import parse_reference

NOTE = "05-Results/Discussion.md"
HARD = "widerface.hard.ap"


def scores(hard, params=256_006):
    return {
        "widerface.easy.ap": 0.9,
        "widerface.medium.ap": 0.8,
        HARD: hard,
        "widerface.mean_ap": (1.7 + hard) / 3,
        "params.total": params,
        "latency.cpu.median_ms": 41.54,
    }


@pytest.fixture
def filled(workspace, make_run):
    """v1@1, and two versions of v2 of which the second is the best."""
    make_run(workspace, "v1", metrics=scores(0.70, 488_664))
    make_run(workspace, "v2", metrics=scores(0.8191))
    make_run(workspace, "v2", metrics=scores(0.8312))
    return workspace


def write(workspace, text, name=NOTE):
    path = workspace.vault / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def bound(reference, text):
    return f"<!--t:{reference}-->{text}<!--/t-->"


def states(workspace, *pairs):
    """Judge numbers written one per line."""
    write(workspace, "".join(f"It is {bound(*pair)}.\n\n" for pair in pairs))
    return [one.state for one in check(workspace)]


def only(workspace, reference, text):
    write(workspace, f"It is {bound(reference, text)}.\n")
    (one,) = check(workspace)
    return one


@pytest.mark.parametrize(
    ("reference", "text", "state"),
    [
        (f"v2@best {HARD} .1%", "83.1 %", "fresh"),
        (f"v2@best {HARD} .1%", "83,1\u202f%", "fresh"),
        (f"v2 {HARD}", "83.1%", "fresh"),
        (f"v2@1 {HARD} .1%", "81.9 %", "fresh"),
        (f"v2@best {HARD} .1%", "81.9 %", "stale"),
        (f"v2 {HARD} .1%", "81.9 %", "stale"),
        (f"@last {HARD} .1%", "70.0 %", "stale"),
        (f"v2@best {HARD} .1%", "", "stale"),
        (f"v2@best {HARD} .1%", "83.2 %", "hand-edited"),
        (f"v2@best {HARD} .1%", "see below", "hand-edited"),
        (f"v2@1 {HARD} .1%", "83.1 %", "hand-edited"),
        (f"v3 {HARD} .1%", "83.1 %", "orphan"),
        (f"v2@9 {HARD} .1%", "83.1 %", "orphan"),
        ("v2 widerface.hard .1%", "83.1 %", "orphan"),
        ("v2 macs.640", "1.16 G", "orphan"),
        (f"v2 - v1 {HARD} +.1p", "+13.1 pt", "fresh"),
        (f"v2@best-v1@best {HARD} +.1p", "+13.1 pt", "fresh"),
        (f"v2 - v1 {HARD} +.1p", "+11.9 pt", "stale"),
        (f"v2 - v1 {HARD} +.1p", "+9.9 pt", "hand-edited"),
        ("v2 / v1 params.total .1%", "52.4 %", "fresh"),
        ("1 - v2 / v1 params.total", "47.6 %", "fresh"),
        ("(v1 - v2) / v1 params.total", "47.6 %", "fresh"),
        (f"v2 {HARD} - v1 {HARD} +.1p", "+13.1 pt", "fresh"),
        (f"v2 / (v1 - v1) {HARD}", "1", "orphan"),
        (f"cited:featherface-paper {HARD} .1%", "78.3 %", "fresh"),
        (f"cited:featherface-paper {HARD} .1%", "78.1 %", "hand-edited"),
        (f"cited:nobody {HARD} .1%", "78.3 %", "orphan"),
        (f"target:featherface-paper {HARD} .1%", "78.3 %", "orphan"),
        (f"v2 - cited:featherface-paper {HARD} +.1p", "+4.8 pt", "orphan"),
        ("v2", "83.1 %", "broken"),
        (f"v2 {HARD} .1q", "83.1 %", "broken"),
        (f"v2 {HARD} .99%", "83.1 %", "broken"),
        (f"v2 {HARD} > 3", "83.1 %", "broken"),
        ("3 + 4 .1f", "7.0", "broken"),
        ("", "83.1 %", "broken"),
    ],
)
def test_each_number_has_its_state(filled, reference, text, state):
    one = only(filled, reference, text)
    assert (one.state, bool(one.reason)) == (state, state != "fresh")
    assert one.where == f"{NOTE}:1:7"
    assert (one.value is not None) == (state in ("fresh", "stale", "hand-edited"))


def test_it_says_whether_a_number_is_measured_cited_or_a_target(filled):
    target = next(name for name, one in filled.cited.items() if one.evidence == "target")
    metric = filled.cited[target].metrics[0].name
    write(
        filled,
        "\n\n".join(
            bound(reference, "")
            for reference in (
                f"v2 {HARD}",
                f"cited:featherface-paper {HARD}",
                f"target:{target} {metric}",
                "v2 / cited:featherface-paper params.total",
            )
        ),
    )
    assert [one.value.evidence for one in check(filled)] == [
        ("measured",),
        ("cited",),
        ("target",),
        ("measured", "cited"),
    ]
    assert [one.value.synthetic for one in check(filled)] == [True, False, False, False]
    assert check(filled)[0].value.runs == ("v2@2",)


def test_why_a_number_is_stale_is_said(filled):
    one = only(filled, f"v2@best {HARD} .1%", "81.9 %")
    assert one.reason == "it was of v2@1; now it is of v2@2"
    assert one.expected == "83.1 %"


def test_an_orphan_names_what_is_near(filled):
    assert "did you mean 'widerface.hard.ap'" in only(filled, "v2 widerface.hard", "1").reason
    assert "no run 'v22'" in only(filled, f"v22 {HARD}", "1").reason
    assert "write cited:" in only(filled, f"target:featherface-paper {HARD}", "1").hint


def test_a_changed_record_is_no_evidence(filled):
    file = filled.runs / "v2" / "002" / "results.json"
    file.write_text(file.read_text(encoding="utf-8").replace("0.8312", "0.9312"), encoding="utf-8")
    one = only(filled, f"v2@2 {HARD} .1%", "93.1 %")
    assert one.state == "orphan"
    assert "changed" in one.reason


def test_an_unfinished_run_is_no_evidence(filled, make_run):
    make_run(filled, "v2", status="interrupted")
    one = only(filled, f"v2@3 {HARD} .1%", "83.1 %")
    assert (one.state, one.reason) == ("orphan", "v2@3 is not finished")


def test_a_label_that_moved_makes_a_number_stale(filled):
    RunAnnotations(labels=("final",)).write(filled.runs / "v2" / "002")
    assert only(filled, f"final {HARD} .1%", "83.1 %").state == "fresh"
    assert only(filled, f"final {HARD} .1%", "81.9 %").state == "stale"


def cite(workspace, hard):
    text = (workspace.root / "thesis.toml").read_text(encoding="utf-8").split("[cited.rival]")[0]
    table = f'[cited.rival]\nsource = "Rival, 2025"\n[cited.rival.metrics]\n"{HARD}" = {hard}\n'
    (workspace.root / "thesis.toml").write_text(text + table, encoding="utf-8")
    return Workspace.open(workspace.root)


def test_memory_tells_a_corrected_citation_from_an_edit(filled):
    reference = f"cited:rival {HARD} .1%"
    assert only(cite(filled, 0.801), reference, "80.1 %").state == "fresh"
    corrected = cite(filled, 0.805)
    assert only(corrected, reference, "80.1 %").state == "stale"
    shutil.rmtree(filled.state)
    assert only(corrected, reference, "80.1 %").state == "hand-edited"


def test_the_check_needs_no_state_and_survives_a_damaged_one(filled):
    pairs = [(f"v2@best {HARD} .1%", text) for text in ("83.1 %", "81.9 %", "80.0 %")]
    expected = ["fresh", "stale", "hand-edited"]
    assert states(filled, *pairs) == expected
    for damage in ("{", "[]", '{"schema": 1}', '{"schema": 1, "values": {"a": "b"}}'):
        (filled.state / "numbers.json").write_text(damage, encoding="utf-8")
        assert states(filled, *pairs) == expected
    shutil.rmtree(filled.state)
    assert states(filled, *pairs) == expected


def test_fix_writes_stale_numbers_and_not_another_byte(filled):
    old, new = "**81,9\u00a0%**", "**83,1\u00a0%**"
    text = (
        b"\xef\xbb\xbf---\r\nn: 012 # kept\r\n---\r\n"
        + f"| A | {bound(f'v2@best {HARD} .1%', old)} |\r\n".encode()
        + f"| B | {bound(f'v2@best {HARD} .1%', '80.0 %')} |\n".encode()
        + b"e\xcc\x81 \xff\xfe `81.9 %` 81.9 %\r"
        + f"and {bound('v2 params.total ,', '')} no end".encode()
    )
    path = write(filled, text)
    fixed = ProseNumbers(filled).fix()
    assert fixed.written == [NOTE]
    wanted = text.replace(old.encode(), new.encode())
    wanted = wanted.replace(b"params.total ,--><", b"params.total ,-->256,006<")
    assert path.read_bytes() == wanted
    assert ProseNumbers(filled).fix().written == []
    assert [one.state for one in check(filled)] == ["fresh", "hand-edited", "fresh"]


def test_a_number_that_grows_moves_none_behind_it(filled):
    text = "Of {} and {} and {}.\n"
    bindings = ["v2 params.total ,", f"v2 {HARD} .1%", "v2 params.total ,"]
    path = write(filled, text.format(*map(bound, bindings, ["", "81.9 %", ""])))
    ProseNumbers(filled).fix()
    wanted = text.format(*map(bound, bindings, ["256,006", "83.1 %", "256,006"]))
    assert path.read_text(encoding="utf-8") == wanted


def test_edited_numbers_are_written_only_on_demand(filled):
    path = write(filled, "# " + bound(f"v2 {HARD} .1%", "80 or so"))
    prose = ProseNumbers(filled)
    assert prose.fix().written == []
    assert prose.fix(edited=True).written == [NOTE]
    assert path.read_text(encoding="utf-8") == "# " + bound(f"v2 {HARD} .1%", "83.1%")
    assert [one.state for one in prose.findings] == ["fresh"]


def test_fix_follows_a_note_that_is_saved_meanwhile(filled, monkeypatch):
    path = write(filled, "So " + bound(f"v2 {HARD} .1%", "81.9 %"))
    real, saves = file_write.step, ["A line of mine.\n\n"]

    def save(name):
        real(name)
        if name == "journalled" and saves:
            path.write_text(saves.pop() + path.read_text(encoding="utf-8"), encoding="utf-8")

    monkeypatch.setattr(file_write, "step", save)
    assert ProseNumbers(filled).fix().written == [NOTE]
    expected = "A line of mine.\n\nSo " + bound(f"v2 {HARD} .1%", "83.1 %")
    assert path.read_text(encoding="utf-8") == expected


def test_a_note_that_cannot_be_written_is_told(filled):
    path = write(filled, bound(f"v2 {HARD} .1%", "81.9 %"))
    path.chmod(0o444)
    fixed = ProseNumbers(filled).fix()
    assert fixed.written == []
    assert NOTE in fixed.problem.message


def test_notes_can_be_chosen_in_every_way(filled, monkeypatch):
    write(filled, bound(f"v2 {HARD}", "83.1 %"))
    write(filled, bound(f"v2 {HARD}", "83.1 %"), "Été.md")
    write(filled, "# no note\n", "../README.md")
    monkeypatch.chdir(filled.root)
    vault = filled.vault.name

    def chosen(*names):
        return [note.path for note in ProseNumbers(filled, names).notes]

    assert len(chosen()) == 2
    for name in (NOTE, f"{vault}/{NOTE}", str(filled.vault / NOTE), "Discussion", "05-Results",
                 NOTE.replace("/", "\\"), f"{vault}\\{NOTE}".replace("/", "\\"), "discussion.md",
                 NOTE.removesuffix(".md"), f"{vault}/05-Results/"):  # fmt: skip
        assert chosen(name) == [NOTE], name
    assert chosen("E\u0301te\u0301.md") == ["Été.md"]
    assert len(chosen(vault)) == len(chosen(".")) == 2
    assert ProseNumbers(filled, ["README.md"]).choice.passed_over == ("README.md",)
    with pytest.raises(NotFoundError, match=r"did you mean 'Discussion.md'"):
        chosen("Discusion.md")


def test_conflict_copies_are_no_notes(filled):
    write(filled, bound(f"v2 {HARD}", "80 %"), "Discussion (conflicted copy 2026-01-01).md")
    assert check(filled) == []


def test_the_language_is_that_of_the_note(filled):
    write(filled, f"---\nlang: fr\n---\n{bound(f'v2 {HARD} .1%', '')}\n")
    ProseNumbers(filled).fix()
    assert "83,1\u202f%" in (filled.vault / NOTE).read_text(encoding="utf-8")


def test_bind_wraps_one_number(filled):
    path, text = write(filled, "We reach 83,1\u202f% here.\n"), "83,1\u202f%"
    done = bind(ProseNumbers(filled), NOTE, "83,1 %", f"v2@best {HARD} .1%")
    assert path.read_text(encoding="utf-8") == (
        f"We reach {bound(f'v2@best {HARD} .1%', text)} here.\n"
    )
    assert (done.place.line, done.place.column, done.snippet.text) == (1, 10, text)
    assert [one.state for one in check(filled)] == ["fresh"]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_bind_takes_line_and_column_where_a_number_stands_twice(filled, ending):
    lines = ["83.1 % and", "83.1 % or 83.1 %", "`83.1 %` 183.1 % 83.1 %5"]
    path = write(filled, ending.join(lines))
    with pytest.raises(UsageError, match=r"3 times in .*: 1:1, 2:1, 2:11"):
        bind(ProseNumbers(filled), NOTE, "83.1 %", f"v2 {HARD} .1%")
    with pytest.raises(UsageError, match=r"2 times in .*line 2"):
        bind(ProseNumbers(filled), f"{NOTE}:2", "83.1 %", f"v2 {HARD} .1%")
    with pytest.raises(NotFoundError, match="line 3"):
        bind(ProseNumbers(filled), f"{NOTE}:3", "83.1 %", f"v2 {HARD} .1%")
    bind(ProseNumbers(filled), f"{NOTE}:2:11", "83.1 %", f"v2 {HARD} .1%")
    lines[1] = f"83.1 % or {bound(f'v2 {HARD} .1%', '83.1 %')}"
    assert path.read_bytes() == ending.join(lines).encode()


def test_bind_refuses_another_number_unless_it_may_update(filled):
    path = write(filled, "It is 81.9 %.")
    with pytest.raises(RefusedError, match=r"83\.1 %"):
        bind(ProseNumbers(filled), NOTE, "81.9 %", f"v2 {HARD} .1%")
    assert path.read_text(encoding="utf-8") == "It is 81.9 %."
    done = bind(ProseNumbers(filled), NOTE, "81.9 %", f"v2 {HARD} .1%", update=True)
    assert (done.before, done.snippet.text) == ("81.9 %", "83.1 %")
    assert path.read_text(encoding="utf-8") == f"It is {bound(f'v2 {HARD} .1%', '83.1 %')}."


@pytest.mark.parametrize(
    "text", ["`83.1 %`", "$83.1 %$", "[[83.1 %]]", bound(f"v2 {HARD} .1%", "83.1 %"), "x"]
)
def test_bind_finds_nothing_outside_of_prose(filled, text):
    write(filled, text)
    with pytest.raises(NotFoundError):
        bind(ProseNumbers(filled), NOTE, "83.1 %", f"v2 {HARD} .1%")


def test_quote_gives_what_can_be_pasted(filled):
    assert str(quote(ProseNumbers(filled), f"v2@best {HARD}")) == bound(
        f"v2@best {HARD} .1%", "83.1%"
    )
    latency = str(quote(ProseNumbers(filled), "v2 latency.cpu.median_ms .1f"))
    assert latency == bound("v2 latency.cpu.median_ms .1f", "41.5") + "\u00a0ms"
    for reference in (f"v2@best {HARD}", "1 - v2/v1 params.total", "v2 latency.cpu.median_ms"):
        write(filled, str(quote(ProseNumbers(filled), reference)))
        assert [one.state for one in check(filled)] == ["fresh"]


def test_references_say_the_same_in_full():
    for text in (f"v2 {HARD}", "v2/v1 params.total", f"v2@1-v1@best {HARD}", "v1 params.total ,"):
        one = parse_reference(text)
        again = parse_reference(one.full)
        assert (again.term, again.spec) == (one.term, one.spec)


def suggestions(workspace, text):
    write(workspace, text)
    return [(one.text, one.state, one.references[0]) for one in ProseNumbers(workspace).suggest()]


def test_plain_numbers_that_equal_a_value_are_suggested(filled):
    text = "83.1 %, 83,12 %, **0.831**, 488,664 and 488 664, 489K, 256006; 41.5 ms. | 81.9 % |"
    assert suggestions(filled, text) == [
        ("83.1 %", "current", f"v2@best {HARD} .1%"),
        ("83,12 %", "current", f"v2@best {HARD} .2%"),
        ("0.831", "current", f"v2@best {HARD} .3f"),
        ("488,664", "current", "v1@best params.total ,"),
        ("488 664", "current", "v1@best params.total ,"),
        ("489K", "current", "v1@best params.total .0K"),
        ("256006", "current", "v2@best params.total ,"),
        ("41.5 ms", "current", "v1@best latency.cpu.median_ms .1f"),
        ("81.9 %", "superseded", f"v2@best {HARD} .1%"),
    ]


def test_superseded_numbers_can_be_asked_for_alone(filled):
    write(filled, "81.9 %, 83.1 %, 488,664, 78.3 %")
    assert [one.text for one in ProseNumbers(filled).suggest(current=False)] == ["81.9 %"]


def test_few_numbers_are_suggested_by_mistake(filled):
    text = """\
    # 83.1 A heading, section 4.2.1, version 83.1.2, v0.831
    In 2024, on 2026-01-02 at 12:30, 80 images, 80 %, 90 %, page 831, 83.1.
    1. `83.1 %`, $83.1 \\%$, $$488664$$, [[83.1 %]], [a](83.1%), [@k, 83.1 %], <b title="83.1 %">
    https://example.org/83.1% %%83.1 %% <!-- 83.1 % --> 41.5 s, 83.1 kg, x83.1 %, 1.83.1 %

    <!-- thesis:begin id=x -->

    83.1 %

    <!-- thesis:end id=x -->
    """
    assert suggestions(filled, "\n".join(line[4:] for line in text.splitlines())) == []


@pytest.mark.parametrize(
    "text",
    [
        "−83.1 %", "-83.1 %", "±83.1 %", "83.1 ± 0.4 %", "82.0–83.1 %", "83.1–84.0 %",
        "[82.0 ; 83.1] %", "83.1–84 %", "ap:: 83.1 %", "- ap:: 83.1 %", "[ap:: 83.1 %]",
        "    83.1 %", "p. 488664", "$488,664", "488,664 €", "ISBN 83.1 978-2-488664-00-0",
        "<b title=83.1>",
    ],
)  # fmt: skip
def test_no_part_of_a_signed_number_or_a_range_is_suggested(filled, text):
    assert suggestions(filled, f"{text}\n") == []


def test_a_power_of_ten_is_suggested_whole(filled, make_run):
    make_run(filled, "v2-plus", metrics={"export.onnx.parity": 4.532e-6})
    for text in ("4,53×10⁻⁶", "4.53e-6"):
        assert suggestions(filled, f"It is {text}.\n") == [
            (text, "current", "v2-plus@best export.onnx.parity .2e")
        ]
    assert suggestions(filled, "It is **83.1** % or **83.1 %**.")[0][0] == "83.1 %"


@pytest.mark.parametrize("sign", ["−", "-", "±", "+", "± ", "− "])
def test_bind_takes_no_number_from_behind_its_sign(filled, sign):
    write(filled, f"It is {sign}83.1 % there.")
    with pytest.raises(NotFoundError):
        bind(ProseNumbers(filled), NOTE, "83.1 %", f"v2 {HARD} .1%")


def test_a_range_in_a_binding_is_no_value(filled):
    for text in ("83.1 ± 0.4 %", "83.1–84.0 %", "[83.0 ; 83.2] %", "±83.1 %", "−83.1 %"):
        assert only(filled, f"v2 {HARD} .1%", text).state == "hand-edited"


def test_a_suggested_command_binds(filled):
    write(filled, "We had 81.9 % and 488\u202f664 of them, or 488\u202f664.\n")
    for expected in ("83.1 %", "488\u202f664", "488\u202f664"):
        one = ProseNumbers(filled).suggest()[0]
        _, _, _, *words = one.command.replace(" --update", "").split('"')
        done = bind(ProseNumbers(filled), one.where, one.text, words[-1], update=True)
        assert done.snippet.text == expected
    assert ProseNumbers(filled).suggest() == []
    assert {one.state for one in check(filled)} == {"fresh"}


def test_a_sync_tells_of_stale_numbers_in_one_line(filled):
    def told():
        return [one for one in sync(filled, dry_run=True).warnings if "bound numbers" in one]

    write(filled, "no numbers")
    assert told() == []
    write(filled, f"{bound(f'v2 {HARD}', '83.1 %')} {bound(f'v2 {HARD}', '81.9 %')}")
    assert told() == ["bound numbers in the prose: 1 stale, of 2; see: thesis check numbers"]


def test_memory_is_written_only_when_it_learns(filled):
    write(filled, bound(f"v2 {HARD}", "83.1 %"))
    check(filled)
    file = filled.state / "numbers.json"
    before = file.stat().st_mtime_ns
    check(filled)
    assert file.stat().st_mtime_ns == before
    assert json.loads(file.read_text(encoding="utf-8"))["values"] == {f"v2 {HARD}": [0.8312]}
