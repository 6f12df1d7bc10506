"""Records keep the formats that existing users rely on, and the zone's check digits hold."""

import random
import re

import pytest

from adapters.data.documents import DOCUMENT_NAMES, DOCUMENTS, DocumentName, fields_of
from adapters.data.mrz import check_digit, mrz_name, td1
from adapters.data.people import sample_record

FORMATS = {
    "date": r"\d{2}\.\d{2}\.\d{4}",
    "sex": "[MF]",
    "height": r"[12]\.\d{2}",
    "digits:6": r"\d{6}",
    "digits:9": r"\d{9}",
    "digits:17": r"20\d{15}",
    "nic": r"[A-Z]{2}\d{8}",
    "text": r"\S.*",
}


def test_known_icao_specimen() -> None:
    """The specimen of ICAO 9303 part 5, appendix A: document D23145890, composite 6."""
    assert check_digit("D23145890") == "7"
    assert check_digit("740812") == "2"
    assert check_digit("120415") == "9"
    upper, middle = "I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6"
    assert check_digit(upper[5:30] + middle[0:7] + middle[8:15] + middle[18:29]) == "6"
    ours = td1(
        card="D23145890",
        nic=None,
        birth="12.08.1974",
        sex="F",
        expiry="15.04.2012",
        surname="ERIKSSON",
        given="ANNA MARIA",
    )
    assert [line.replace("CMR", "UTO") for line in ours] == [upper, middle, "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"]


def test_zone_names_lose_accents_and_apostrophes() -> None:
    assert mrz_name("D'ÉLOÏSE NGO-MBARGA") == "DELOISE<NGO<MBARGA"


@pytest.mark.parametrize("document", DOCUMENT_NAMES)
def test_values_have_their_format(document: DocumentName) -> None:
    rng = random.Random(11)
    types = fields_of(document)
    for _ in range(300):
        record = sample_record(rng, document, "train")
        assert list(record.values) == [field.key for field in DOCUMENTS[document]]
        assert any(record.values.values())
        for key, value in record.values.items():
            assert value is None or re.fullmatch(FORMATS[types[key]], value), (key, value)
            assert (value is None) == (key not in record.printed)


def test_fields_are_missing_now_and_then() -> None:
    rng = random.Random(2)
    values = [v for _ in range(500) for v in sample_record(rng, "cni-2018-recto", "train").values.values()]
    assert 0.02 < values.count(None) / len(values) < 0.07


def test_dates_follow_each_other() -> None:
    rng = random.Random(5)
    for _ in range(200):
        values = sample_record(rng, "cni-2018-verso", "valid").values
        issue, expiry, unique = (values[k] for k in ("date_of_issue", "date_of_expiration", "identifiant_unique"))
        if issue and expiry:
            assert int(expiry[-4:]) == int(issue[-4:]) + 10
        if issue and unique:
            assert unique.startswith(issue[-4:])


def test_zone_has_three_lines_of_thirty_and_no_hidden_number() -> None:
    rng = random.Random(9)
    for _ in range(200):
        record = sample_record(rng, "cni-2025-verso", "train")
        lines = [record.extras[f"mrz{i}"] for i in (1, 2, 3)]
        assert {len(line) for line in lines} == {30}
        nic = record.values["identifiant_unique"]
        assert lines[0][15:25] == (nic or "<" * 10)
        assert lines[0][14] == check_digit(lines[0][5:14])
