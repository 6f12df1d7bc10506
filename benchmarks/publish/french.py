"""Numbers and units as a French page writes them. The standard library alone, so that `deploy` may read it too."""

NARROW, FIXED = "\u202f", "\u00a0"  # between thousands; before a unit
_WRITTEN = str.maketrans({",": NARROW, ".": ","})
_UNITS = {
    "GB": "Go",
    "MB": "Mo",
    "GiB": "Gio",
    "MiB": "Mio",
    "cards a second": "cartes par seconde",
    "requests a second": "requêtes par seconde",
    "minutes": "minutes",
}


def number(english: str) -> str:
    """A number that is written as English does: `1,234.5` is `1 234,5`."""
    return english.translate(_WRITTEN)


def unit(english: str) -> str:
    """A unit's name; one that is not known here stands as it is."""
    return _UNITS.get(english, english)


def quantity(english: str, of: str) -> str:
    """A number with its unit, which no line break parts. `of`: the unit's English name."""
    return f"{number(english)}{FIXED}{unit(of)}"
