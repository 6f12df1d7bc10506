"""Who takes which lines for which field, before the trees are asked."""

from collections.abc import Mapping
from dataclasses import dataclass

from ocr_frontend.extraction.reranker.line_sets import Lines


@dataclass(frozen=True, slots=True)
class Opinions:
    """Who takes which lines for which field. model: what the model named; odds: its log-odds; written: fields that it
    wrote out; rules: what the rules made of it; changes: how many of them had a say; labels: `match_labels`."""

    model: Mapping[str, Lines]
    odds: Mapping[str, float]
    written: frozenset[str]
    rules: Mapping[str, Lines]
    changes: Mapping[str, int]
    labels: Mapping[str, Lines]


def taken_by_others(key: str, opinion: Mapping[str, Lines]) -> set[int]:
    """The lines that an opinion gives to other fields."""
    return {n for other, theirs in opinion.items() if other != key for n in theirs}
