"""What the machine-readable zone says of a card's fields: where it holds, it outranks OCR and model."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ocr_frontend.documents.machine_readable import Expected, MachineReadable, find_machine_readable
from ocr_frontend.documents.spec import DocumentSpec
from ocr_frontend.documents.types import Found, ValueType
from ocr_frontend.extraction.resolve import Resolved
from ocr_frontend.extraction.warnings import Warning_
from ocr_frontend.ocr.textline import TextLine

_CHECKED = frozenset({"document_number", "optional_data", "birth_date", "expiry_date"})  # parts that check digits cover


def read_mrz(spec: DocumentSpec, lines: Sequence[TextLine]) -> MachineReadable | None:
    """The zone that the document says it has, None where it has none or none was found."""
    machine = spec.machine_readable
    if machine is None:
        return None
    return find_machine_readable(lines, Expected(formats=(machine.format,), states=machine.states, **machine.shapes))


def in_words_of(kind: ValueType, said: object) -> Found | None:
    """A part of a zone as a field of the type writes it; None where the type has no whole form for it."""
    found = kind.of_day(said) if isinstance(said, datetime.date) else kind.find(str(said))
    return found if found is not None and found.exact else None


def with_mrz(
    spec: DocumentSpec, fields: Mapping[str, Resolved], mrz: MachineReadable | None, lines: Sequence[TextLine]
) -> dict[str, Resolved]:
    """The fields; where the zone holds, what its check digits vouch for outranks OCR and model, and fields that are
    empty get what it says without."""
    kept = dict(fields)
    if mrz is None or not mrz.holds or spec.machine_readable is None:
        return kept
    for key, part in spec.machine_readable.fields.items():
        field_spec, said = spec.field(key), getattr(mrz, part, None)
        if said is None or field_spec is None:
            continue
        found = in_words_of(field_spec.type, said)
        if found is None:
            continue
        old, vouched = kept[key], part in _CHECKED
        if not vouched and old.value is not None:
            continue
        if old.value == found.value:
            kept[key] = replace(old, source="mrz")
            continue
        told = (Warning_("mrz_used" if vouched else "mrz_unchecked", key),)
        other = ((old.value, old.source),) if old.value is not None else ()
        line = lines[mrz.lines[0]]
        kept[key] = Resolved(found.value, (), line.confidence, line.box, "mrz", told, (*other, *old.alternatives))
    return kept
