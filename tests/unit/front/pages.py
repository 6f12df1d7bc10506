"""Pages made of lines, one under the other or where a test puts them."""

from collections.abc import Mapping, Sequence

from ocr_frontend.documents.page import LabelledPage
from ocr_frontend.documents.registry import builtin
from ocr_frontend.documents.spec import DocumentSpec
from ocr_frontend.extraction.grounding import ground
from ocr_frontend.extraction.resolve import Resolved, resolve_all
from ocr_frontend.extraction.rules import candidates
from ocr_frontend.llm.answers import Element
from ocr_frontend.ocr.textline import TextLine


def spec(name: str) -> DocumentSpec:
    """A built-in document."""
    found = builtin().find(name)
    assert found is not None
    return found


def line(text: str, row: float = 0, left: int = 10, score: float = 0.99, height: int = 20) -> TextLine:
    """One line; rows are 30 pixels apart, a character is 10 wide."""
    top, right = round(30 * row), left + max(10, 10 * len(text))
    return TextLine(text, score, ((left, top), (right, top), (right, top + height), (left, top + height)))


def lines(*texts: str) -> list[TextLine]:
    """One under the other."""
    return [line(text, row) for row, text in enumerate(texts)]


def page(name: str, given: Sequence[TextLine | str]) -> LabelledPage:
    """As the document sees it."""
    made = [each if isinstance(each, TextLine) else line(each, row) for row, each in enumerate(given)]
    return LabelledPage(spec(name), made)


RECTO = (
    "NOM/SURNAME", "MBARGA", "PRENOMS/GIVEN NAMES", "ELISE", "DATE DE NAISSANCE/DATE OF BIRTH", "01.02.1990",
    "LIEU DE NAISSANCE/PLACE OF BIRTH", "YAOUNDE", "SEXE/SEX", "F", "TAILLE/HEIGHT", "1,66", "PROFESSION/OCCUPATION",
    "MENUISIER",
)  # fmt: skip
RECTO_ANSWER = {
    "nom_surname": 1, "prenom_given_name": 3, "date_of_birth": 5, "lieu_of_birth": 7, "sex": 9, "taille": 11,
    "profession": 13,
}  # fmt: skip


def resolved(name: str, given: Sequence[TextLine | str], answer: Mapping[str, Element]) -> dict[str, Resolved]:
    """What becomes of a model's answer on such a page."""
    shown = page(name, given)
    return resolve_all(candidates(ground(answer, shown), shown), shown)
