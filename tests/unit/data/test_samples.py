"""Simulated OCR lines: the targets point at what they say, the traps occur, and everything is reproducible."""

import random
import re

import pytest
from rapidfuzz import fuzz

from adapters.data.documents import DOCUMENT_NAMES, DocumentName, fields_of
from adapters.data.lines import reading_order
from adapters.data.samples import Sample, text_sample, text_samples
from adapters.data.vocabulary import plain


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    return list(text_samples(1, 2400, "train", DOCUMENT_NAMES))


def alike(text: str, printed: str) -> float:
    return fuzz.partial_ratio(plain(text).replace(" ", ""), plain(printed).replace(" ", ""))


def test_targets_say_their_values(samples: list[Sample]) -> None:
    for sample in samples:
        assert list(sample.targets) == list(fields_of(sample.record.document))
        for key, target in sample.targets.items():
            printed = sample.record.printed.get(key)
            if target is None:
                continue
            assert printed is not None, key
            text = sample.lines[target].text if isinstance(target, int) else target
            assert alike(text, printed) >= 55 or len(printed) < 5, (text, printed)


def test_literal_targets_stand_in_the_lines(samples: list[Sample]) -> None:
    literals = [(s, t) for s in samples for t in s.targets.values() if isinstance(t, str)]
    assert 0.005 < len(literals) / (len(samples) * 7) < 0.08
    for sample, target in literals:
        everything = " ".join(line.text for line in sample.lines)
        assert all(word in everything for word in target.split(" "))


def test_most_values_are_read_and_few_invented(samples: list[Sample]) -> None:
    shown = [sample.targets[key] is not None for sample in samples for key in sample.record.printed]
    assert sum(shown) / len(shown) > 0.97


@pytest.mark.parametrize(
    ("trap", "pattern"),
    [
        ("a label without its spaces", r"^DATEDE"),
        ("a slash read as I", r"NOMISURNAME"),
        ("a slash lost", r"^(NOMSURNAME|SEXESEX)"),
        ("two labels in one segment", r"SEX.* TAIL"),
        ("half of a bilingual label", r"^SURNAME$"),
        ("a label and its value in one segment", r"^NOM ?/ ?SURNAME [A-Z]{3}"),
        ("fillers of the zone as letters", r"<[KCLS]<"),
        ("two lines of the zone in one", r"<.*CMR<.*[A-Z]{4,}<<|I<CMR.*CMR<"),
        ("a blank segment", r"^$"),
        ("a stray number", r"^\d{1,2}$"),
        ("another script", r"[国口ال]"),
        ("the word SPECIMEN", r"^SPECIMEN$"),
        ("a digit read as a letter", r"^\d*[OISB]\d+\.\d{2}\.\d{4}$|^\d+\.[O0-9I]*[OI][0-9]*\.\d{4}$"),
    ],
)
def test_traps_occur(samples: list[Sample], trap: str, pattern: str) -> None:
    assert any(re.search(pattern, line.text) for sample in samples for line in sample.lines), trap


def test_values_come_before_their_labels_sometimes(samples: list[Sample]) -> None:
    recto = [s for s in samples if s.record.document == "cni-2018-recto"]
    texts = [[line.text for line in s.lines] for s in recto]
    early = [
        s.targets["nom_surname"] < t.index("NOM/SURNAME")
        for s, t in zip(recto, texts, strict=True)
        if "NOM/SURNAME" in t and isinstance(s.targets["nom_surname"], int)
    ]
    assert 0 < sum(early) / len(early) < 0.2


@pytest.mark.parametrize("document", DOCUMENT_NAMES)
def test_same_seed_same_sample(document: DocumentName) -> None:
    assert text_sample(random.Random("a"), document, "test") == text_sample(random.Random("a"), document, "test")


def test_a_sample_does_not_depend_on_the_count() -> None:
    few, many = (list(text_samples(4, n, "valid", DOCUMENT_NAMES)) for n in (5, 9))
    assert many[:5] == few


def test_reading_order_takes_a_row_from_left_to_right() -> None:
    items = [((300.0, 10.0), "b"), ((10.0, 14.0), "a"), ((10.0, 40.0), "c")]
    assert reading_order(items) == ["a", "b", "c"]
