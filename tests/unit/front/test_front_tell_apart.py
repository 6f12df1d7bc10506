"""Cards, receipts and neither, told apart by their lines where the receipt's file is known beside the cards'."""

from pathlib import Path

import pytest
import yaml

from adapters.data.documents import DOCUMENT_NAMES
from benchmarks.cards.tell_apart import cards, laid_out
from ocr_frontend.documents.classify import Classifier
from ocr_frontend.documents.registry import builtin
from ocr_frontend.documents.spec import parse_spec
from ocr_frontend.ocr.textline import TextLine
from tests.support.receipts import receipts

RECEIPT = parse_spec(yaml.safe_load(Path("adapters/recipes/receipt/document.yaml").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier(builtin().with_these([RECEIPT]))


def test_no_card_is_a_receipt(classifier: Classifier) -> None:
    right = 0
    for expected, lines in cards(60):
        found = classifier.detect(lines).document
        assert found is None or found.name in DOCUMENT_NAMES
        right += found is not None and found.name == expected
    assert right >= 58


def test_no_receipt_is_a_card(classifier: Classifier) -> None:
    for receipt in receipts(40, seed=3):
        lines = [
            TextLine(text, 0.9, ((x, y), (x + 99, y), (x + 99, y + 18), (x, y + 18))) for x, y, text in receipt.rows
        ]
        found = classifier.detect(lines).document
        assert found is not None
        assert found.name == "receipt"


@pytest.mark.parametrize("text", ["MENU\nSoup\nFish\nFruit", "Dear Sir,\nthank you for your letter.\nYours", "12\n13"])
def test_other_pages_are_neither(classifier: Classifier, text: str) -> None:
    assert classifier.detect(laid_out(text.split("\n"))).document is None
