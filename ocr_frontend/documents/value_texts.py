"""What a line says for a field: its text without labels; of a line that holds several labels each one's own part."""

from collections.abc import Callable, Mapping, Sequence

from ocr_frontend.documents.labels import Reading
from ocr_frontend.documents.types import ValueType
from ocr_frontend.documents.watermarks import without_rest
from ocr_frontend.ocr.textline import TextLine

_WORDS, _SHORTEST = 3, 6  # of a line that may be nothing but values; characters of one
_BETWEEN = " /:.-–,;)|"

Read = Callable[[str], Reading]


class ValueTexts:
    """Of one page. readings and names: of each line, as the document's labels are read in it; typed: the fields with a
    form of their own; static: the document's static words."""

    def __init__(
        self,
        lines: Sequence[TextLine],
        readings: Sequence[Reading],
        names: Sequence[frozenset[str]],
        typed: Mapping[str, ValueType],
        static: tuple[str, ...],
        read: Read,
    ) -> None:
        self._lines, self._readings, self._names, self._typed, self._static = lines, readings, names, typed, static
        self._of = dict[tuple[int, str], str]()  # what was asked for: rules ask often
        self._parts = {
            n: parts
            for n, several in enumerate(names)
            if len(several) > 1 and (parts := values_by_label(read, lines[n].text))
        }

    def of(self, index: int, key: str) -> str:
        """Without the field's own label before or behind it, another's behind it, or a watermark's rest at its end."""
        text = self._of.get((index, key))
        if text is None:
            text = self._of[index, key] = without_rest(self._unlabelled(index, key), self._static)
        return text

    def has_rest(self, index: int, key: str) -> bool:
        """Whether a watermark's rest was taken from what the line says for the field."""
        return self.of(index, key) != self._unlabelled(index, key)

    def shared(self, index: int) -> frozenset[str]:
        """The fields that have their values in a line of several: behind their labels, before another's label, or each
        word of its form."""
        names = self._names[index]
        if not names:
            return self._of_words(self._lines[index].text.split())
        typed = {key for key in names & self._typed.keys() if self._typed[key].holds(self.of(index, key))}
        if len(names) > 1:
            return frozenset(typed | self._parts.get(index, {}).keys())
        reading = self._readings[index]
        before = {key for key, kind in self._typed.items() if reading.rest and kind.holds(reading.head)} - names
        return frozenset(typed | before if typed and before else ())

    def _of_words(self, words: Sequence[str]) -> frozenset[str]:
        """`25.10.2025 JC86211022`: no word is of the form of another one, and none so short as a height's unit."""
        if not 2 <= len(words) <= _WORDS or min(map(len, words)) < _SHORTEST:
            return frozenset()
        each = [frozenset(key for key, kind in self._typed.items() if kind.holds(word)) for word in words]
        apart = all(each) and sum(map(len, each)) == len(frozenset().union(*each))
        return frozenset().union(*each) if apart else frozenset()

    def _unlabelled(self, index: int, key: str) -> str:
        reading, own = self._readings[index], self._parts.get(index, {}).get(key)
        if own is not None and (key not in self._typed or self._typed[key].holds(own)):
            return own
        if reading.rest and key in self._names[index]:
            return reading.rest
        if reading.head and (key not in self._typed or self._typed[key].holds(reading.head)):
            return reading.head
        return self._lines[index].text


def values_by_label(read: Read, text: str) -> dict[str, str]:
    """By label's name what stands between it and the next label (`Date of birth 20-08-1962 SEXE / SEX M`); empty where
    the line is no such line."""
    found: dict[str, str] = {}
    values = 0
    while text:
        reading = read(text)
        inner = read(reading.rest) if reading.rest else reading
        value = inner.head or ("" if inner.hits else reading.rest)
        if not reading.rest or not value:
            break  # labels without a value between them
        leading = read(text.removesuffix(reading.rest)).labels or reading.labels - inner.labels
        found |= dict.fromkeys(leading, value)
        values += 1
        text = reading.rest[len(value) :].lstrip(_BETWEEN)
    return found if values > 1 else {}
