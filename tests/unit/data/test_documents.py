"""The documents' fields come from the files that the front reads; their forms know every type that stands there."""

from typing import get_args

import pytest

from adapters.data.documents import DIGITS, DOCUMENTS, FieldType, forms_in
from adapters.training.contract import schema
from ocr_frontend.documents.registry import builtin


def test_every_type_of_a_document_is_one_that_we_know() -> None:
    assert {field.type for fields in DOCUMENTS.values() for field in fields} == set(get_args(FieldType))


def test_the_counts_of_digits_are_those_of_the_document_files() -> None:
    counts = {field.type.count for spec in builtin().readable.values() for field in spec.fields
              if field.type.name == "digits"}  # fmt: skip
    assert {f"digits:{count}": count for count in counts} == DIGITS


@pytest.mark.parametrize(("kind", "count"), DIGITS.items())
def test_a_number_has_its_count_of_digits_and_no_more(kind: FieldType, count: int) -> None:
    number = "1234567890123456789"[:count]
    assert forms_in(kind, f"NO {number}.") == [number]
    assert forms_in(kind, f"NO {number[:-1]}O") == [f"{number[:-1]}O"], "as OCR may have read a 0"
    assert forms_in(kind, f"{number}1") == forms_in(kind, number[1:]) == []
    [pattern] = {each["pattern"] for document in DOCUMENTS for key, each in schema(document)["properties"].items()
                 if {field.key: field.type for field in DOCUMENTS[document]}[key] == kind}  # fmt: skip
    assert pattern == rf"^\d{{{count}}}$"
