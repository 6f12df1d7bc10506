"""A laid-out hard card: runs of text at exact places, strips and rules between them."""

from dataclasses import dataclass, field

from PIL import ImageFont

from adapters.data.card_layout import Box, Role
from adapters.data.fonts import load

Colour = tuple[int, int, int]
BREAK = "\n"  # within a value, where its next line begins


@dataclass(frozen=True)
class Mark:
    """One run of text; `x`, `y` is the top left corner of its em box in pixels."""

    text: str
    x: float
    y: float
    size: int
    file: str
    role: Role
    colour: Colour
    field: str | None = None

    @property
    def font(self) -> ImageFont.FreeTypeFont:
        return load(self.file, self.size)

    @property
    def width(self) -> float:
        return self.font.getlength(self.text)


@dataclass
class Page:
    """What is drawn, in this order: strips, rules, portrait, marks. Sizes in pixels."""

    size: tuple[int, int]
    marks: list[Mark] = field(default_factory=list)
    strips: list[tuple[Box, Colour]] = field(default_factory=list)
    rules: list[Box] = field(default_factory=list)
    portrait: Box | None = None


def wrapped(text: str, file: str, size: int, width: float, most: int = 2) -> list[str]:
    """The text on as few lines as hold it, `most` at most: the last takes the rest. Where it is broken, it stays so."""
    if BREAK in text:
        return text.split(BREAK)
    font = load(file, size)
    lines: list[str] = []
    for word in text.split(" "):
        if lines and (len(lines) == most or font.getlength(f"{lines[-1]} {word}") <= width):
            lines[-1] = f"{lines[-1]} {word}"
        else:
            lines.append(word)
    return lines
