"""Cards through a front that is none: what counts as an empty answer, and what ends the evaluation."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.errors import EvaluationError
from adapters.evaluation.command import fewer
from adapters.evaluation.patience import Patience
from adapters.evaluation.run import Truth, _extract, _judge, said_alone
from adapters.evaluation.summary import summarise

VALUES = {"numero_de_carte": "123456789", "nom_surname": "A", "prenom_given_name": "B", "date_of_birth": None,
          "sex": "M", "date_of_expiration": None}  # fmt: skip


def _truth(folder: Path, condition: str = "hard") -> Truth:
    image = folder / "00000.jpg"
    image.write_bytes(b"picture")
    return Truth(image, "cni-2025-recto", condition, VALUES)


async def _answered(folder: Path, status: int, body: dict[str, object]) -> dict[str, object]:
    transport = httpx.MockTransport(lambda request: httpx.Response(status, json=body))
    async with httpx.AsyncClient(base_url="http://front", transport=transport) as client:
        return await _extract(client, "cni", _truth(folder), "auto", Patience(busy=0, losses=()))


@pytest.mark.parametrize(
    ("status", "code", "invalid"),
    [(422, "no_text_found", False), (422, "document_not_recognised", False), (502, "invalid_answer", True)],
)
async def test_a_refused_card_counts_as_one_without_values(
    tmp_path: Path, status: int, code: str, invalid: bool
) -> None:
    reply = await _answered(tmp_path, status, {"error": {"code": code}})
    card = _judge(_truth(tmp_path), "cni", reply, ["123456789", "A", "B"])
    row = summarise([card])
    assert (card.refused, card.invalid, card.right) == (True, invalid, False)
    assert row["refused"] == 1.0
    assert row["fields_exact"] == pytest.approx(2 / 6)  # the two that the card does not show


@pytest.mark.parametrize(("status", "code"), [(422, "unknown_model"), (503, "model_server_away"), (500, "")])
async def test_a_mistake_of_the_evaluation_ends_it(tmp_path: Path, status: int, code: str) -> None:
    with pytest.raises(EvaluationError, match=f"{status} {code}"):
        await _answered(tmp_path, status, {"error": {"code": code}})


def test_fewer_cards_are_the_first_of_each_document_and_condition(tmp_path: Path) -> None:
    truths = [_truth(tmp_path, condition) for condition in ("clean", "hard", "clean", "hard", "clean")]
    assert fewer(truths, 1) == truths[:2]
    assert fewer(truths, 2) == truths[:4]


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ({"value": "A", "source": "ocr"}, "A"),
        ({"value": "A", "source": "model", "alternatives": [{"value": "B", "source": "ocr"}]}, "A"),
        ({"value": "A", "source": "rule:joined", "alternatives": [{"value": "A B", "source": "model"}]}, "A B"),
        ({"value": "A", "source": "rule:under_label", "alternatives": []}, None),
        ({"value": "A", "source": "mrz", "warnings": []}, "A"),
        ({"value": "A", "source": "mrz", "warnings": [{"code": "mrz_used"}], "alternatives": []}, None),
        (
            {
                "value": "A",
                "source": "mrz",
                "warnings": [{"code": "mrz_used"}],
                "alternatives": [{"value": "C", "source": "rule:joined"}, {"value": "B", "source": "model"}],
            },
            "B",
        ),
        ({}, None),
    ],
)
def test_what_the_model_said_is_told_from_what_rules_made_of_it(field: dict[str, Any], said: str | None) -> None:
    assert said_alone(field) == said
