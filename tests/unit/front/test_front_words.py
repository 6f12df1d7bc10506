"""The page says everything in both languages, the service's own sentences too."""

import re
from pathlib import Path

import pytest

from ocr_frontend import errors
from ocr_frontend.errors import FrontError
from ocr_frontend.extraction import checks
from ocr_frontend.extraction.warnings import MESSAGES
from ocr_frontend.web import parts

FRENCH, ENGLISH = (parts()[name][0] for name in ("words.fr.js", "words.en.js"))


def _names(words: str) -> set[str]:
    return set(re.findall(r"[{,\n]\s*\"?([\w-]+)\"?: ", words))


def test_both_languages_have_the_same_sentences() -> None:
    codes = {error.code for error in vars(errors).values() if isinstance(error, type) and issubclass(error, FrontError)}
    assert _names(FRENCH) - codes == _names(ENGLISH) - codes - {"said"}
    used = "".join(text for name, (text, _) in parts().items() if name.endswith(".js") and "words" not in name)
    for name in set(re.findall(r"\bsay\(\"(\w+)\"", used)):
        assert f"{name}:" in FRENCH and f"{name}:" in ENGLISH, name


@pytest.mark.parametrize("code", MESSAGES)
def test_a_warning_has_its_french_with_the_same_parameters(code: str) -> None:
    words = MESSAGES[code]
    assert words.fr and words.fr != words.en
    assert set(re.findall(r"\{(\w+)\}", words.fr)) == set(re.findall(r"\{(\w+)\}", words.en))


def test_no_file_of_the_page_is_long() -> None:
    page = Path(checks.__file__).parents[1] / "web"
    assert {
        file.name for file in page.iterdir() if file.is_file() and len(file.read_text().splitlines()) > 150
    } == set()
