"""From a chosen element to a value: a line number becomes what that line says, a written value is looked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ocr_frontend.documents.page import LabelledPage
from ocr_frontend.documents.spec import FieldSpec
from ocr_frontend.documents.types import Found, Value, fold
from ocr_frontend.extraction.candidate import Candidate
from ocr_frontend.extraction.grounding import lines_that_say, nearly, prefer
from ocr_frontend.extraction.warnings import Warning_
from ocr_frontend.llm.answers import Element, line_numbers
from ocr_frontend.ocr.geometry import around
from ocr_frontend.ocr.textline import Box


@dataclass(frozen=True, slots=True)
class Resolved:
    """A field's value and where it comes from.

    lines: of the prompt, that it was read from; score: the least of theirs, None where it was written out.
    source: `ocr` (the model named what was read), `model` (it wrote the value otherwise than the text), `mrz`, or
    `rule:NAME`.
    alternatives: other values that were proposed, with their source.
    """

    value: Value | None = None
    lines: tuple[int, ...] = ()
    score: float | None = None
    box: Box | None = None
    source: str = "ocr"
    warnings: tuple[Warning_, ...] = ()
    alternatives: tuple[tuple[Value, str], ...] = field(default=())

    @property
    def codes(self) -> frozenset[str]:
        """Of the warnings."""
        return frozenset(warning.code for warning in self.warnings)


def resolve_all(candidates: Mapping[str, Sequence[Candidate]], page: LabelledPage) -> dict[str, Resolved]:
    """Each field's last candidate as a value; the others that say something else stay beside it."""
    chosen = {key: several[-1].element for key, several in candidates.items()}
    resolved = {}
    for spec in page.spec.fields:
        several = candidates[spec.key]
        best = resolve(several[-1].element, spec, page, chosen)
        others = [(resolve(each.element, spec, page, chosen).value, each.source) for each in several[:-1]]
        warnings = tuple(Warning_(each.source, spec.key) for each in several if each.source != "model")
        resolved[spec.key] = Resolved(
            best.value,
            best.lines,
            best.score,
            best.box,
            best.source if several[-1].source == "model" else f"rule:{several[-1].source}",
            (*best.warnings, *warnings),
            (*best.alternatives, *((v, source) for v, source in others if v is not None and v != best.value)),
        )
    return resolved


def resolve(element: Element, spec: FieldSpec, page: LabelledPage, chosen: Mapping[str, Element]) -> Resolved:
    """An element as a value. chosen: the elements of all fields, by which those of one line share its values."""
    if element is None or element == "":
        return Resolved()
    numbers = line_numbers(element)
    if numbers:
        return _by_lines(numbers, spec, page, chosen)
    return _by_value(str(element), spec, page)


def _by_lines(numbers: tuple[int, ...], spec: FieldSpec, page: LabelledPage, chosen: Mapping[str, Element]) -> Resolved:
    """What the lines say, joined by blanks, as sure as the least sure of them."""
    if not all(0 <= number < len(page.lines) for number in numbers):
        return Resolved(warnings=(Warning_("no_such_line", spec.key),))
    box = around([page.lines[number].box for number in numbers]) if len(numbers) > 1 else page.lines[numbers[0]].box
    text = fold(" ".join(page.text_of(number, spec.key) for number in numbers))
    found, several = _one_of(text, numbers, spec, page, chosen)
    if found is None:
        return Resolved(lines=numbers, box=box, warnings=(Warning_("no_value", spec.key),))
    score = min(page.lines[number].confidence for number in numbers)
    rest = spec.type.free and any(page.has_rest(number, spec.key) for number in numbers)
    more = {"several_values": several, "watermark_left_out": rest}
    told = (Warning_(code, spec.key) for code, holds in more.items() if holds)
    return Resolved(found.value, numbers, score, box, warnings=(*_warnings(found, spec), *told))


def _one_of(
    text: str, numbers: tuple[int, ...], spec: FieldSpec, page: LabelledPage, chosen: Mapping[str, Element]
) -> tuple[Found | None, bool]:
    """The field's value in the text, and whether the text holds more of that type than fields ask for.

    Fields of one type that name the same line share its values in the order of their labels: two dates of one row.
    """
    finds = [] if spec.type.free else list(spec.type.finds(text))
    different = list(dict.fromkeys(found.value for found in finds))
    if len(different) < 2:
        return spec.type.find(text), False
    sharing = [
        each.key
        for each in page.spec.fields
        if each.type == spec.type and line_numbers(chosen.get(each.key)) == numbers
    ]
    order = page.in_order_of_labels(sharing)
    place = order.index(spec.key) if spec.key in order else 0
    wanted = different[min(place, len(different) - 1)]
    return next(found for found in finds if found.value == wanted), len(sharing) != len(different)


def _by_value(text: str, spec: FieldSpec, page: LabelledPage) -> Resolved:
    """A value that the model wrote out: where it stands, its box."""
    found = spec.type.find(text)
    if found is None:
        return Resolved(warnings=(Warning_("no_value", spec.key),))
    warnings = _warnings(found, spec)
    indexes = lines_that_say(text, found.value, spec, page)
    if indexes:
        index = prefer(indexes, spec, page)
        return Resolved(found.value, (index,), page.lines[index].confidence, page.lines[index].box, warnings=warnings)
    near = nearly(text, spec, page) if spec.type.free else None
    if near is None:
        return Resolved(found.value, source="model", warnings=(*warnings, Warning_("not_in_text", spec.key)))
    told = Warning_("spelling_differs", spec.key)
    other = ((page.text_of(near, spec.key), "ocr"),)
    return Resolved(found.value, (near,), None, page.lines[near].box, "model", (*warnings, told), other)


def _warnings(found: Found, spec: FieldSpec) -> tuple[Warning_, ...]:
    if not found.exact:
        return (Warning_("unexpected_form", spec.key),)
    return (Warning_("characters_corrected", spec.key),) if found.repaired else ()
