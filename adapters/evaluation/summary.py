"""Judgements summed up per group: the numbers of the table."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from adapters.evaluation.metrics import Judgement


@dataclass(frozen=True)
class Card:
    """One card's outcome. `stages` are the front's own times; a refused card has every field empty."""

    document: str
    condition: str
    model: str
    fields: tuple[Judgement, ...]
    invalid: bool
    stages: dict[str, float]
    refused: bool = False

    @property
    def right(self) -> bool:
        """Every field exactly right."""
        return all(field.exact for field in self.fields)


def summarise(cards: Sequence[Card]) -> dict[str, float | int]:
    """One row of the table; shares from 0 to 1, times in milliseconds. `cards` must not be empty."""
    fields = [field for card in cards for field in card.fields]
    shown = [field for field in fields if field.shown]
    held = [field for field in shown if field.ceiling]
    answered = sum(1 for field in fields if field.invented or field.exact or field.errors or field.shown)
    return {
        "cards": len(cards),
        "fields_exact": _share(field.exact for field in fields),
        "fields_alone": _share(field.alone for field in fields),
        "cards_alone": _share(all(field.alone for field in card.fields) for card in cards),
        "fields_normalised": _share(field.normalised for field in fields),
        "fields_ceiling": _share(field.ceiling for field in fields),
        "exact_of_read": _share(field.exact for field in held),
        "character_error_rate": sum(field.errors for field in shown) / max(1, sum(field.length for field in shown)),
        "anls": statistics.fmean(field.anls for field in fields),
        "cards_right": _share(card.right for card in cards),
        "cards_right_normalised": _share(all(field.normalised for field in card.fields) for card in cards),
        "cards_ceiling": _share(all(field.ceiling for field in card.fields) for card in cards),
        "invalid_json": _share(card.invalid for card in cards),
        "refused": _share(card.refused for card in cards),
        "invented_values": sum(field.invented for field in fields) / max(1, answered),
        **_times(cards),
    }


def _times(cards: Sequence[Card]) -> dict[str, float]:
    times: dict[str, float] = {}
    for stage in ("ocr", "llm", "total"):
        values = sorted(card.stages[stage] for card in cards if stage in card.stages)
        if values:
            times[f"{stage}_p50_ms"] = round(statistics.median(values), 1)
            times[f"{stage}_p95_ms"] = round(values[min(len(values) - 1, int(0.95 * len(values)))], 1)
    return times


def _share(flags: Iterable[bool]) -> float:
    values = list(flags)
    return sum(values) / len(values) if values else 1.0
