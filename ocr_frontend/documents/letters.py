"""Texts as letters: what is left when OCR has dropped blanks, accents and signs."""

import unicodedata

_AS_LETTERS = str.maketrans("0158|", "OISBI")


def letters(text: str) -> str:
    """The letters of a text, upper case, accents gone, and digits that OCR takes for letters back to these."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_AS_LETTERS)).upper()
    return "".join(character for character in decomposed if "A" <= character <= "Z")


def tokens(text: str) -> list[tuple[str, int, int]]:
    """The words of a text as letters, each with where it begins and ends; words without letters are left out.

    A sign ends a word as a blank does: `NOM/SURNAME` is two words. A word that is mostly digits is a number.
    """
    found, begin = [], None
    for at, character in enumerate(text + " "):
        if character.isalnum() or character == "|":
            begin = at if begin is None else begin
        elif begin is not None:
            plain = letters(text[begin:at])
            if plain and not numeric(text[begin:at]):
                found.append((plain, begin, at))
            begin = None
    return found


def numeric(word: str) -> bool:
    """Whether at least half of its characters are digits."""
    return 2 * sum(character.isdigit() for character in word) >= len(word)


def has_number(text: str) -> bool:
    """Whether one of its words is mostly digits."""
    return any(numeric(word) for word in text.replace("/", " ").split())


def characters(text: str) -> int:
    """How many letters and digits it has."""
    return sum(map(str.isalnum, text))


def spelt(text: str) -> str:
    """Its words in capitals without accents, whatever stands between letters as one space."""
    plain = unicodedata.normalize("NFD", text.upper())
    kept = (c if c.isalpha() else " " for c in plain if not unicodedata.combining(c))
    return " ".join("".join(kept).split())
