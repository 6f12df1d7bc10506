"""A value that the model wrote and that stands nowhere on the page is no reading: it is given up, and told.

What stands nearly there (other spelling, other blanks, over several lines) is left to `resolve`, which says so.
"""

from rapidfuzz import fuzz

from ocr_frontend.documents.page import LabelledPage
from ocr_frontend.documents.spec import FieldSpec
from ocr_frontend.extraction.candidate import Candidate, Elements, field_by_field
from ocr_frontend.extraction.grounding import key_of, lines_that_say, nearly
from ocr_frontend.llm.answers import line_numbers

_SPREAD = 85.0  # percent of a text's letters that some run of the page's text must have
_FEWEST = 4  # letters; fewer are in every text


@field_by_field
def not_in_text(spec: FieldSpec, elements: Elements, page: LabelledPage) -> Candidate | None:
    """Null instead of a written value that no line says; the model's value stays as an alternative."""
    element = elements.get(spec.key)
    if not isinstance(element, str | float | int) or line_numbers(element) or not str(element).strip():
        return None
    found = spec.type.find(str(element))
    if found is None or _stands(str(element), found.value, spec, page):
        return None
    return Candidate(None, "not_in_text")


def _stands(text: str, value: object, spec: FieldSpec, page: LabelledPage) -> bool:
    if lines_that_say(text, value, spec, page):
        return True
    if not spec.type.free:
        return False
    if nearly(text, spec, page) is not None:
        return True
    wanted, whole = key_of(text), " ".join(key_of(line.text) for line in page.lines)
    # Of a shorter page `partial_ratio` would look for the page in the value.
    return _FEWEST <= len(wanted) <= len(whole) and fuzz.partial_ratio(wanted, whole) >= _SPREAD
