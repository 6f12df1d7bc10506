"""One card's print: faces, sizes, inks, and how its labels are written."""

import random
from dataclasses import dataclass, replace
from typing import Literal

from adapters.data.fonts import FAMILIES, Family, mono_file
from adapters.data.hard.page import Colour
from adapters.data.hard.wordings import Half, half_of
from adapters.data.vocabulary import Split

_TTF = "matplotlib/mpl-data/fonts/ttf"
Form = Literal["line", "two lines", "french", "small english"]

# Each half has its own faces; none of the held-out ones is in the plain cards' training set either.
FACES: dict[Half, tuple[Family, ...]] = {
    "learnt": (
        *FAMILIES["train"],
        Family("STIX", f"{_TTF}/STIXGeneral.ttf", f"{_TTF}/STIXGeneralBol.ttf"),
        Family("DejaVu Sans Mono", f"{_TTF}/DejaVuSansMono.ttf", f"{_TTF}/DejaVuSansMono-Bold.ttf"),
    ),
    "held-out": FAMILIES["test"],
}
_INKS: tuple[Colour, ...] = ((20, 20, 26), (34, 30, 60), (12, 40, 34), (50, 24, 24), (40, 40, 40))
_LABEL_INKS: tuple[Colour, ...] = (
    (34, 84, 60),
    (70, 70, 74),
    (44, 60, 110),
    (120, 50, 50),
    (20, 90, 110),
    (30, 30, 30),
)


@dataclass(frozen=True)
class Look:
    """Sizes are in pixels of a card 1,400 pixels long."""

    face: Family
    mono: str
    bold_values: bool
    bold_labels: bool
    value: int
    label: int
    ink: Colour
    label_ink: Colour
    form: Form
    joiner: str
    colon: str
    upper: bool
    small_caps: bool
    spacing: float

    @property
    def value_file(self) -> str:
        return self.face.bold if self.bold_values else self.face.regular

    @property
    def label_file(self) -> str:
        return self.face.bold if self.bold_labels else self.face.regular

    @property
    def drop(self) -> float:
        """How far below its value's top a label starts that shares its line."""
        return (self.value - self.label) * 0.8

    def smaller(self, factor: float) -> "Look":
        """The same print, for a page that would not hold it."""
        return replace(self, value=round(self.value * factor), label=round(self.label * factor))


def sample_look(rng: random.Random, split: Split) -> Look:
    """The split's faces; everything else is free."""
    value = rng.randrange(38, 52)
    upper = rng.random() < 0.65
    return Look(
        face=rng.choice(FACES[half_of(split)]),
        mono=mono_file(split),
        bold_values=rng.random() < 0.65,
        bold_labels=rng.random() < 0.25,
        value=value,
        label=round(value * rng.uniform(0.5, 0.74)),
        ink=rng.choice(_INKS),
        label_ink=rng.choice(_LABEL_INKS),
        form=rng.choices(("line", "two lines", "french", "small english"), (50, 22, 8, 20))[0],
        joiner=rng.choices(("/", " / ", " - ", " | ", " · "), (46, 30, 12, 6, 6))[0],
        colon=rng.choices(("", ":", " :"), (72, 18, 10))[0],
        upper=upper,
        small_caps=upper and rng.random() < 0.12,
        spacing=rng.uniform(0.12, 0.34),
    )
