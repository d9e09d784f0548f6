r"""Numbers and units of siunitx: `\SI{3}{\metre\per\second}`, `\num{1e-3}`, `\qty{3}{m}`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vault_sync.export.maths.tokens import TexReader, is_blank, is_word, split

if TYPE_CHECKING:
    from collections.abc import Callable

_PAIR = re.compile(r"(\S+)=(\S+)")
_UNITS = dict(
    _PAIR.findall("""
    metre=m meter=m gram=g second=s ampere=A kelvin=K mole=mol candela=cd hertz=Hz newton=N
    pascal=Pa joule=J watt=W coulomb=C volt=V farad=F ohm=Ω siemens=S weber=Wb tesla=T henry=H
    lumen=lm lux=lx becquerel=Bq gray=Gy sievert=Sv litre=L liter=L tonne=t minute=min hour=h
    day=d electronvolt=eV decibel=dB bit=bit byte=B percent=\\% celsius=°C degreeCelsius=°C
    degree=° arcminute=′ arcsecond=″ dalton=Da bar=bar radian=rad steradian=sr kilogram=kg
    """)
)
_PREFIXES = dict(
    _PAIR.findall("""
    yocto=y zepto=z atto=a femto=f pico=p nano=n micro=µ milli=m centi=c deci=d deca=da
    hecto=h kilo=k mega=M giga=G tera=T peta=P exa=E zetta=Z yotta=Y kibi=Ki mebi=Mi gibi=Gi
    """)
)
_NUMBER = re.compile(
    r"\s*(?P<sign>[+-]|\\pm)?\s*(?P<digits>[\d.,]*)"
    r"(?:\s*(?:\+-|\\pm|±)\s*(?P<error>[\d.,]+)|\((?P<last>\d+)\))?(?:[eEdD](?P<power>[+-]?\d+))?\s*"
)


def _quantity(reader: TexReader) -> str | None:
    reader.bracketed()
    number, unit = reader.group(), reader.group()
    if number is None or unit is None:
        return None
    written = _unit(unit)
    gap = "" if written.startswith(("°", "′", "″")) and not written.startswith("°C") else "\\,"
    return f"{_number(number)}{gap}\\mathrm{{{written}}}"


def _range(reader: TexReader) -> str | None:
    reader.bracketed()
    first, last, unit = reader.group(), reader.group(), reader.group()
    if first is None or last is None or unit is None:
        return None
    return f"{_number(first)}\\text{{–}}{_number(last)}\\,\\mathrm{{{_unit(unit)}}}"


def _lone_unit(reader: TexReader) -> str | None:
    reader.bracketed()
    unit = reader.group()
    return None if unit is None else f"\\mathrm{{{_unit(unit)}}}"


def _lone_number(reader: TexReader) -> str | None:
    reader.bracketed()
    number = reader.group()
    return None if number is None else _number(number)


def _angle(reader: TexReader) -> str | None:
    reader.bracketed()
    parts = reader.group()
    if parts is None:
        return None
    signs = ("^{\\circ}", "'", "''")
    written = zip(parts.split(";"), signs, strict=False)
    return "".join(f"{_number(part)}{sign}" for part, sign in written if part.strip())


def _number(text: str) -> str:
    """Write a number: thin spaces between thousands, powers of ten; what is none stays."""
    match = _NUMBER.fullmatch(text)
    if match is None or not (match["digits"] or match["power"]):
        return text
    written = (match["sign"] or "") + _grouped(match["digits"])
    if match["error"]:
        written = f"({written} \\pm {_grouped(match['error'])})"
    if match["last"]:
        written += f"({match['last']})"
    if match["power"]:
        power = f"10^{{{int(match['power'])}}}"
        written = (
            f"{written} \\times {power}" if match["digits"] else f"{match['sign'] or ''}{power}"
        )
    return written


def _grouped(digits: str) -> str:
    whole, mark, rest = re.fullmatch(r"(\d*)([.,]?)(.*)", digits).groups()  # type: ignore[union-attr]
    if len(whole) > 4:
        whole = re.sub(r"(?<=\d)(?=(?:\d{3})+\Z)", r"\\,", whole)
    return f"{whole}{'{,}' if mark == ',' else mark}{rest}"


def _unit(text: str) -> str:
    """Write a unit; `.` and `~` in it, and macros that follow each other, is a product."""
    parts: list[str] = []
    prefix, divided, power = "", False, ""
    tokens = split(text)
    reader = TexReader(tokens)
    while reader.place < len(tokens):
        token = tokens[reader.place]
        reader.place += 1
        name = token[1:]
        if not is_word(token):
            _append_letters(parts, token)
        elif name in _PREFIXES:
            prefix = _PREFIXES[name]
        elif name == "per":
            divided = True
        elif name in ("square", "cubic"):
            power = {"square": "2", "cubic": "3"}[name]
        elif name in ("squared", "cubed", "tothe"):
            raised = {"squared": "2", "cubed": "3"}.get(name) or reader.argument() or ""
            if parts:
                parts[-1] = _raised(parts[-1], raised)
        else:
            parts.append(_raised(prefix + _UNITS.get(name, name), _power(power, divided)))
            prefix, divided, power = "", False, ""
    return "\\,".join(part for part in parts if part)


def _append_letters(parts: list[str], token: str) -> None:
    """Add a letter of a unit that is written out, such as `m.s^{-1}`."""
    if token in (".", "~") or is_blank(token):
        parts.append("")
    elif parts:
        parts[-1] += token
    else:
        parts.append(token)


def _power(power: str, divided: bool) -> str:
    return f"-{power or '1'}" if divided else power


def _raised(unit: str, power: str) -> str:
    base, mark, old = unit.partition("^{")
    sign = "-" if mark and old.startswith("-") else ""
    return f"{base}^{{{sign}{power.lstrip('-') if sign else power}}}" if power else unit


RULES: dict[str, Callable[[TexReader], str | None]] = {
    "\\SI": _quantity,
    "\\SIrange": _range,
    "\\qtyrange": _range,
    "\\si": _lone_unit,
    "\\unit": _lone_unit,
    "\\num": _lone_number,
    "\\ang": _angle,
}
r"""Command -> its rule; `\qty` is physics' as well, and is told by its arguments."""
