"""Tables of Word documents at the end of a page."""

from __future__ import annotations

from vault_sync.export.word_tables import SHORT, keep_rows

CELL = '<w:tc><w:p><w:pPr><w:pStyle w:val="Compact" /></w:pPr></w:p></w:tc>'
HEAD = f'<w:tr><w:trPr><w:tblHeader w:val="true" /></w:trPr>{CELL}</w:tr>'


def rows(count):
    return "<w:tbl>" + HEAD + f"<w:tr>{CELL}</w:tr>" * (count - 1) + "</w:tbl>"


def test_no_row_is_parted():
    text = keep_rows(rows(40))
    assert text.count("<w:cantSplit/>") == 40
    assert '<w:trPr><w:cantSplit/><w:tblHeader w:val="true" />' in text
    assert text.count("<w:trPr>") == text.count("</w:trPr>") == 40


def test_short_tables_stay_together_and_long_ones_flow():
    assert keep_rows(rows(SHORT)).count("<w:keepNext/>") == SHORT - 1
    assert '<w:pStyle w:val="Compact" /><w:keepNext/></w:pPr>' in keep_rows(rows(2))
    assert keep_rows(rows(SHORT + 1)).count("<w:keepNext/>") == 0


def test_the_last_row_lets_the_text_go_on():
    last = keep_rows(rows(3)).rpartition("<w:tr>")[2]
    assert "<w:keepNext/>" not in last


def test_columns_may_grow_to_their_words():
    fixed = rows(2).replace("<w:tbl>", '<w:tbl><w:tblPr><w:tblLayout w:type="fixed" /></w:tblPr>')
    assert '<w:tblLayout w:type="autofit"/>' in keep_rows(fixed)


def test_the_table_around_a_formula_stays_as_it_is():
    formula = f"<w:tbl><w:tr>{CELL}<m:oMathPara></m:oMathPara></w:tr></w:tbl>"
    assert keep_rows(formula + rows(2)).startswith(formula)
