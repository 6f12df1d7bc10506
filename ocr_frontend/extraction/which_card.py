"""Which card of a picture with several is answered, and what is said of the others: never mixed, never dropped."""

from collections.abc import Sequence
from dataclasses import dataclass

from ocr_frontend.documents.cards import Card
from ocr_frontend.documents.spec import DocumentSpec
from ocr_frontend.errors import UnknownPicture, Unprocessable
from ocr_frontend.extraction.warnings import Warning_

_UNKNOWN = "?"


@dataclass(frozen=True, slots=True)
class Wanted:
    """document: by its file, None where the picture decides; side: the one that a card without a name should be;
    number: of a picture with several cards, from 1 in reading order."""

    document: DocumentSpec | None = None
    side: str = ""
    number: int | None = None


def chosen_card(cards: Sequence[Card], wanted: Wanted) -> tuple[Card, DocumentSpec, tuple[Warning_, ...]]:
    """The card, the document that it is read as, and warnings about the cards left out.

    Raises Unprocessable for a number that no card has, UnknownPicture where it is none of the documents, or where
    several cards cannot be told apart.
    """
    index = _index(cards, wanted)
    card = cards[index]
    if card.detection.several:
        raise UnknownPicture(
            "The picture shows several cards that cannot be told apart. Photograph them one by one, or further apart."
        )
    document = wanted.document or recognised(card)
    if len(cards) == 1:
        return card, document, ()
    others = ", ".join(_name(other) for place, other in enumerate(cards) if place != index)
    told = Warning_("cards_left_out", None, {"cards": len(cards), "card": index + 1, "others": others})
    return card, document, (told,)


def recognised(card: Card) -> DocumentSpec:
    """Raises UnknownPicture, with the reason."""
    if card.detection.document is None:
        raise UnknownPicture(f"The picture is not recognised. {card.detection.reason} Name the document if it is one.")
    return card.detection.document


def _index(cards: Sequence[Card], wanted: Wanted) -> int:
    """The one asked for, else the first that is what was asked for, else the first that is known at all."""
    if wanted.number is not None:
        if not 1 <= wanted.number <= len(cards):
            raise Unprocessable(f"`card`: the picture shows {len(cards)} card{'s' if len(cards) > 1 else ''}.")
        return wanted.number - 1
    found = [card.detection.document for card in cards]
    tests = (
        lambda spec: wanted.document is not None and spec.name == wanted.document.name,
        lambda spec: bool(wanted.side) and spec.side == wanted.side,
        lambda spec: True,
    )
    for test in tests:
        for place, spec in enumerate(found):
            if spec is not None and test(spec):
                return place
    return 0


def _name(card: Card) -> str:
    return card.detection.document.name if card.detection.document is not None else _UNKNOWN
