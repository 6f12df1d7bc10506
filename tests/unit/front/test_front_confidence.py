"""Evidence and the weights that turn it into a confidence."""

import json
from pathlib import Path

import pytest

from ocr_frontend.documents.registry import DOCUMENTS
from ocr_frontend.extraction.confidence import SHIPPED, Calibration, CalibrationError, Weights, load_calibration
from ocr_frontend.extraction.evidence import NAMES, VERSION, gather
from ocr_frontend.extraction.neighbours import Neighbours
from ocr_frontend.extraction.resolve import Resolved
from ocr_frontend.ocr.textline import TextLine

RECTO = DOCUMENTS["cni-2018-recto"]
TEXTS = ("NOM/SURNAME", "MBARGA", "PRENOMS/GIVEN NAMES", "ELISE", "PROFESSION/OCCUPATION", "ELEVE")


def page() -> list[TextLine]:
    return [
        TextLine(t, 0.99, ((9, 30 * i), (99, 30 * i), (99, 30 * i + 20), (9, 30 * i + 20))) for i, t in enumerate(TEXTS)
    ]


def found(elements: dict[str, int | None], logprobs: dict[str, float] | None = None) -> dict[str, dict[str, float]]:
    lines = page()
    fields = {spec.name: Resolved() for spec in RECTO.fields}
    for name, index in elements.items():
        if index is not None:
            fields[name] = Resolved(lines[index].text, index, 0.99, lines[index].box)
    used = {spec.name: elements.get(spec.name) for spec in RECTO.fields}
    return gather(RECTO, fields, used, used, logprobs or {}, lines)


def test_the_label_above_speaks_for_its_own_field_and_against_another() -> None:
    right, wrong = found({"nom_surname": 1}), found({"nom_surname": 3})
    assert right["nom_surname"]["own_label"] == 1 and "other_label" not in right["nom_surname"]
    assert wrong["nom_surname"]["other_label"] == 1 and "own_label" not in wrong["nom_surname"]


def test_a_value_that_nobody_claims_under_its_label_speaks_against_null() -> None:
    assert found({"nom_surname": 1})["profession"]["orphan"] == 1
    assert "orphan" not in found({"profession": 5})["taille"]


def test_two_fields_from_one_line_and_an_unsure_model_are_seen() -> None:
    seen = found({"nom_surname": 3, "prenom_given_name": 3}, {"nom_surname": -0.7, "prenom_given_name": 0.0})
    assert seen["nom_surname"]["shared"] == seen["prenom_given_name"]["shared"] == 1
    assert abs(seen["nom_surname"].get("model", 0)) < 0.1
    assert seen["prenom_given_name"]["model"] == 8


def test_every_number_has_a_name_that_weights_may_have() -> None:
    assert {name for field in found({"nom_surname": 1}).values() for name in field} <= set(NAMES)


def test_neighbours_are_found_on_a_tilted_picture_too() -> None:
    tilted = [
        TextLine(line.text, 0.99, tuple((x - y // 4, y + x // 4) for x, y in line.box))  # type: ignore[arg-type]
        for line in page()
    ]
    assert Neighbours(tilted).above(5) == {"occupation"}


def test_a_model_without_weights_has_no_confidence() -> None:
    calibration = Calibration({"cni@1": Weights(intercept=0.0, weights={"model": 1.0})})
    assert calibration.confidence("cni@2", {"model": 8.0}) is None
    assert calibration.confidence("cni@1", {"model": 0.0}) == 0.5
    assert calibration.confidence("cni@1", {"model": 8.0, "unheard of": 9.0}) == pytest.approx(0.9997, abs=1e-4)
    assert 0 <= (calibration.confidence("cni@1", {"model": -1e9}) or 0) < 1e-6


def test_weights_of_older_evidence_are_left_out_and_a_broken_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.json"
    body = {"evidence": VERSION - 1, "models": {"cni@1": {"intercept": 1, "weights": {}}}}
    path.write_text(json.dumps(body))
    assert load_calibration(path).confidence("cni@1", {}) is None
    path.write_text(json.dumps(body | {"evidence": VERSION}))
    assert load_calibration(path).confidence("cni@1", {}) == pytest.approx(0.7311, abs=1e-4)
    path.write_text("{")
    with pytest.raises(CalibrationError, match="adapters calibrate"):
        load_calibration(path)


def test_the_shipped_weights_can_be_read_and_name_evidence_that_exists() -> None:
    load_calibration(SHIPPED)
    body = json.loads(SHIPPED.read_text())
    assert body["evidence"] == VERSION
    assert all(set(model["weights"]) <= set(NAMES) for model in body["models"].values())
