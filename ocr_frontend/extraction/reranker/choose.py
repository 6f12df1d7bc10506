"""All fields together: for each the set of lines that is likeliest, and no line for two fields but with good reason."""

import heapq
from collections.abc import Mapping, Sequence
from functools import cached_property
from operator import itemgetter

import numpy as np

from ocr_frontend.documents.page import LabelledPage
from ocr_frontend.documents.spec import FieldSpec
from ocr_frontend.documents.types import Value
from ocr_frontend.extraction.candidate import Candidate, numbers_of
from ocr_frontend.extraction.reranker.features import of_sets, row
from ocr_frontend.extraction.reranker.label_matching import match_labels
from ocr_frontend.extraction.reranker.line_ends import Features
from ocr_frontend.extraction.reranker.line_sets import Lines, line_sets
from ocr_frontend.extraction.reranker.opinions import Opinions
from ocr_frontend.extraction.reranker.order import Order
from ocr_frontend.extraction.reranker.surroundings import Surroundings
from ocr_frontend.extraction.reranker.trees import Trees
from ocr_frontend.extraction.resolve import resolve
from ocr_frontend.llm.answers import Element, line_numbers

_FEWEST, _PART = 3, 0.25  # fields whose place is known, and their part of all: a page of fewer is no form
_RULES = 0.5  # log-odds by which another set has to be better than what stands
_IMPOSSIBLE = 4.0  # log-odds that a day or number costs which the document's checks rule out: a clock may be wrong
_TWICE = 4.0  # log-odds that a line costs which another field has, too
_KEPT, _WAYS = 12, 200  # sets of a field that are looked at, and ways to choose that are kept from field to field


class Choices:
    """Every set of lines that a page's fields may have, found when it is asked for.

    found: by field what the model said and what the rules made of it; odds: log-odds of what the model said;
    elements: what the rules left.
    """

    def __init__(self, found: Mapping[str, Sequence[Candidate]], odds: Mapping[str, float], page: LabelledPage) -> None:
        self.page, self.odds = page, odds
        self._found = {key: tuple(several) for key, several in found.items()}
        self._said = {key: several[0].element for key, several in self._found.items()}
        self.elements = {key: several[-1].element for key, several in self._found.items()}
        self._around = Surroundings(page)

    @cached_property
    def opinions(self) -> Opinions:
        """Who takes which lines."""
        model = {key: numbers_of(element, self.page) for key, element in self._said.items()}
        return Opinions(
            model,
            self.odds,
            frozenset(key for key, element in self._said.items() if isinstance(element, str | float)),
            {key: numbers_of(element, self.page) for key, element in self.elements.items()},
            {key: len(several) - 1 for key, several in self._found.items()},
            match_labels(self._around, model, self.odds),
        )

    @cached_property
    def order(self) -> Order:
        """Of the fields whose place is known."""
        return Order(self._around, self.opinions)

    @cached_property
    def sets(self) -> dict[str, list[Lines]]:
        """Of each field."""
        model, rules, labels = self.opinions.model, self.opinions.rules, self.opinions.labels
        return {
            spec.key: line_sets(self._around, spec, (model[spec.key], rules[spec.key], labels.get(spec.key, ())))
            for spec in self.page.spec.fields
        }

    @cached_property
    def features(self) -> dict[str, list[Features]]:
        """Of each set of each field, in their order."""
        around, opinions, order = self._around, self.opinions, self.order
        return {spec.key: of_sets(around, spec, self.sets[spec.key], opinions, order) for spec in self.page.spec.fields}


def value_of(lines: Lines, spec: FieldSpec, given: Choices) -> Value | None:
    """What a field would say with these lines."""
    element = _element(lines)
    return resolve(element, spec, given.page, given.elements | {spec.key: element}).value


def reranked(
    found: Mapping[str, Sequence[Candidate]], given: Choices, trees: Trees
) -> tuple[dict[str, Candidate], dict[str, float]]:
    """By field another choice of lines, and the log-odds of what is chosen, of every field that has lines or none.

    Nothing on a page of which little is known: of receipts, which mostly have no labels, the trees lost 7 of 100
    values."""
    if len(given.order.known) < max(_FEWEST, _PART * len(given.page.spec.fields)):
        return {}, {}
    features = [each for several in given.features.values() for each in several]
    scores = trees.log_odds(np.array([row(each, trees.names) for each in features], dtype=np.float64))
    scores -= _IMPOSSIBLE * np.array([each.get("impossible", 0.0) for each in features])
    scored, at = dict[str, dict[Lines, float]](), 0
    for key, sets in given.sets.items():
        scored[key] = dict(zip(sets, scores[at : at + len(sets)].tolist(), strict=True))
        at += len(sets)
    held = {key for key, several in found.items() if _held(several)}
    kept = {key: given.opinions.rules[key] for key in given.sets}
    shared = frozenset(n for n in range(len(given.page.lines)) if len(given.page.shared(n)) > 1)
    chosen = _together(scored, kept, held, shared)
    changed = {
        key: Candidate(_element(lines), "reranked")
        for key, lines in chosen.items()
        if key not in held and set(lines) != set(kept[key])
    }
    return changed, {key: scored[key][lines] for key, lines in chosen.items() if key not in held}


def _element(lines: Lines) -> Element:
    return lines if len(lines) > 1 else lines[0] if lines else None


def _held(several: Sequence[Candidate]) -> bool:
    """Whether what stands is no set of lines: a text that the model wrote."""
    element = several[-1].element
    return element is not None and not line_numbers(element)


def _together(
    scored: Mapping[str, Mapping[Lines, float]], kept: Mapping[str, Lines], held: set[str], shared: frozenset[int]
) -> dict[str, Lines]:
    """The best way to choose for all fields, searched with a beam; shared: lines that hold several labels' values."""
    ways: list[tuple[float, tuple[Lines, ...], frozenset[int]]] = [(0.0, (), frozenset())]
    for key, sets in scored.items():
        if key in held:
            options: list[tuple[float, Lines]] = [(0.0, kept[key])]
        else:
            better = ((score + (_RULES if lines == kept[key] else 0.0), lines) for lines, score in sets.items())
            best = sorted(better, reverse=True)
            options = best[:_KEPT] + [each for each in best[_KEPT:] if not each[1]]
        own = [frozenset(lines) - shared for _, lines in options]
        longer = (
            (total + score - (0.0 if used.isdisjoint(own[at]) else _TWICE * len(used & own[at])), at, way, used)
            for total, way, used in ways
            for at, (score, _) in enumerate(options)
        )
        best_ways = heapq.nlargest(_WAYS, longer, key=itemgetter(0))
        ways = [(total, (*way, options[at][1]), used | own[at]) for total, at, way, used in best_ways]
    return dict(zip(scored, ways[0][1], strict=True))
