"""The catalogue's phrases, and numbers and dates, as Markdown in one language."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from experiments.conditions import TIMED
from experiments.disturbances import marks_text
from experiments.metrics import OVERLAP, kind
from experiments.number_formats import BY_UNIT, number_format
from experiments.wording import catalogue, packaged
from experiments.wording.numbers import THIN, format_number
from vault_sync.rendering.markdown import Safe, escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.conditions import Conditions
    from experiments.metrics import Metric

_BEFORE_FRENCH_SIGN = re.compile(rf"[ \u00a0{THIN}]?([;!?])(?=\s|$)|[ \u00a0]([:%»])")


class Words:
    """Phrases, numbers and dates as one language writes them, escaped for Markdown."""

    def __init__(self, language: str) -> None:
        self.language = language

    def say(self, key: str, /, **values: object) -> Safe:
        """Return phrase KEY (`status.sealed`) with VALUES filled in, escaped.

        Raises:
            PhraseError: the catalogue has no such phrase, or it needs another value.
        """
        words = {name: self._word(value) for name, value in values.items()}
        return Safe(catalogue.fill(key, self.language, words))

    def name(self, group: str, key: str) -> Safe:
        """Return what KEY of GROUP is called; a name that only the user knows is itself."""
        return self.find(group, key) or escape(key)

    def find(self, group: str, key: str) -> Safe | None:
        """Return the phrase KEY of GROUP; None where there is none, as for a name of the user's."""
        phrase = catalogue.find(group, key, self.language)
        return None if phrase is None else Safe(phrase)

    def keys(self, group: str) -> list[str]:
        """Return the keys of GROUP, in the order of its file."""
        return catalogue.names(group, self.language)

    def protocol(self, conditions: Conditions) -> Safe:
        """Say how pictures were looked at, with the other settings in brackets."""
        extras = [key for key, value in conditions.settings if value is True]
        others = [f"{key}={value}" for key, value in conditions.settings if value is not True]
        whole = "+".join([conditions.protocol, *extras])
        if catalogue.find("protocol", whole, self.language) is not None:
            name = self.name("protocol", whole)
        else:
            parts = [self.name("protocol", conditions.protocol)]
            name = Safe(", ".join([*parts, *(self.name("looks", extra) for extra in extras)]))
        return Safe(f"{name} ({escape(', '.join(others))})") if others else name

    def number(self, value: float, spec: str) -> Safe:
        """Write a number; SPEC is that of `experiments.wording.numbers`."""
        return Safe(format_number(value, spec, self.language))

    def value(self, metric: Metric) -> Safe:
        """Write the value of a metric with its unit and its marks."""
        text = self.amount(metric.value, metric.name, metric.unit)
        return Safe(f"{text}{self.marks(metric.marks)}")

    def marks(self, marks: tuple[str, ...]) -> Safe:
        """Write the MARKS of a value in brackets behind it; nothing where it has none."""
        words = marks_text(marks, self.language)
        return Safe(f" ({escape(words)})") if words else Safe("")

    def amount(self, value: float, name: str, unit: str = "", *, sign: str = "") -> Safe:
        """Write a value of the metric NAME with its unit; SIGN `+` for a difference."""
        unit = unit or kind(name).unit
        text = self.number(value, sign + number_format(name, unit, value=value))
        bare = unit and unit not in BY_UNIT
        return Safe(f"{text}\u00a0{self.name('unit', unit)}") if bare else text

    def change(self, value: float, name: str, unit: str = "") -> Safe:
        """Write by how much a metric changed; shares such as AP in points."""
        if (unit or kind(name).unit) == "fraction":
            return self.say("points", n=self.number(100 * value, "+.1f"))
        return self.amount(value, name, unit, sign="+")

    def title(self, metric: Metric) -> Safe:
        """Return what a table calls a metric."""
        return escape(metric.kind.title(self.language))

    def sentence(self, text: str) -> Safe:
        """Take a sentence that another part worded; French punctuation gets its spaces."""
        if self.language == "fr":
            text = _BEFORE_FRENCH_SIGN.sub(rf"{THIN}\1\2", text)
        return escape(text)

    def recorded(self, text: str) -> Safe:
        """Take a text of a record; in this language where the program itself put it there."""
        return escape(packaged.translate(text, self.language))

    def duration(self, seconds: float) -> Safe:
        """Write a length of time, coarser as it grows."""
        whole = round(seconds)
        if whole < 60:
            return self.say("duration.seconds", seconds=self.number(seconds, ".1f"))
        minutes, rest = divmod(whole, 60)
        if minutes < 60:
            return self.say("duration.minutes", minutes=minutes, seconds=rest)
        return self.say("duration.hours", hours=minutes // 60, minutes=minutes % 60)

    def date(self, moment: str) -> Safe:
        """Write the day of an ISO 8601 moment."""
        match = re.match(r"(\d{4})-(\d{2})-(\d{2})", moment)
        if match is None:
            return escape(moment)
        year, month, day = match.groups()
        return self.say("date", year=year, month=month, day=day)

    def listing(self, items: Sequence[object]) -> Safe:
        """Write ITEMS in a row, as a sentence lists them: `a, b and c`."""
        words = [self._word(item) for item in items]
        if len(words) < 2:
            return Safe("".join(words))
        return self.say("listing", first=Safe(", ".join(words[:-1])), last=Safe(words[-1]))

    @property
    def colon(self) -> str:
        """The colon with the spaces around it."""
        return catalogue.phrase("colon", self.language)

    @property
    def semicolon(self) -> str:
        """The semicolon with the spaces around it."""
        return catalogue.phrase("semicolon", self.language)

    @property
    def between(self) -> str:
        """What stands between numbers in a row: no comma where that is the decimal mark."""
        return catalogue.phrase("between", self.language)

    def claim(self, metric: Metric) -> Safe:
        """Say in a sentence what data a measurement speaks of, and what it is not."""
        return self._about("claim", metric)

    def short(self, metric: Metric) -> Safe:
        """Say the same in a few words, for a table cell."""
        return self._about("short", metric)

    def conditions(self, metric: Metric) -> Safe:
        """Say on what data or in what setting a value was measured."""
        if metric.dataset:
            return self.short(metric)
        setting, on = self.setting(metric), metric.conditions
        if not metric.name.startswith(TIMED) or on.device in ("", "cpu"):
            return setting
        return self.say("measured_on", setting=setting, machine=on.shown())

    def setting(self, metric: Metric) -> Safe:
        """Say in what setting a value that no data take part in was measured."""
        on = metric.conditions
        parts = [self.protocol(on)] if on.protocol else []
        sizes = ", ".join(f"{width}×{height}" for width, height in on.sizes)
        if sizes:
            parts.append(self.say("batch", size=sizes, n=on.batch) if on.batch else Safe(sizes))
        if on.threads:
            parts.append(self.say("one_thread" if on.threads == 1 else "threads", n=on.threads))
        return Safe(", ".join(parts)) if parts else self.say("none")

    def _about(self, form: str, metric: Metric) -> Safe:
        data = metric.dataset if metric.dataset in ("synthetic", "widerface") else "other"
        part = "" if metric.complete else "_partial"
        about = self.say(
            f"{form}.{data}{part}",
            dataset=self.name("dataset", metric.dataset),
            split=metric.split,
            n=metric.n,
            protocol=self.protocol(metric.conditions),
        )
        if OVERLAP in metric.marks:
            about = self.say(f"{form}.overlap", about=about)
        if metric.evidence != "imported":
            return about
        return self.say(f"{form}.imported", about=about, maker=metric.maker)

    def _word(self, value: object) -> str:
        if isinstance(value, int):
            return self.number(value, ",")
        return value if isinstance(value, Safe) else escape(str(value))
