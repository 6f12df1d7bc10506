"""Numbers of the quantization tables, as the page of each language writes them."""

from dataclasses import dataclass

from benchmarks.publish import french


@dataclass(frozen=True)
class In:
    """`comma`: between two numbers of a cell; `colon`: at the end of a caption. No value is a dash."""

    french: bool = False
    comma: str = ","
    colon: str = ":"

    def percent(self, share: float | None, digits: int = 1) -> str:
        """A share from 0 to 1."""
        if share is None:
            return "-"
        number = f"{100 * share:.{digits}f}"
        return french.quantity(number, "%") if self.french else f"{number} %"

    def both(self, fields: float, cards: float | None) -> str:
        """Shares of fields and of cards, in one cell."""
        return f"{self.percent(fields)}{self.comma} {self.percent(cards, 0)}"

    def number(self, value: float | None, digits: int) -> str:
        """With thousands apart."""
        if value is None:
            return "-"
        number = f"{value:,.{digits}f}"
        return french.number(number) if self.french else number


ENGLISH = In()
IN = {"quantization.md": ENGLISH, "quantization.fr.md": In(True, french.FIXED + ";", french.FIXED + ":")}
