"""The rows of `quant_table`: quality of one engine's answers, and its speed against bf16's in alternating rounds."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from benchmarks.quantization.cards import Question, right_fields
from benchmarks.quantization.engine import SLOTS, Outcome, QuantEngine

STREAMS = (1, 8, SLOTS)
# Requests of one timing, by how many run at once: long enough to time, short enough for many rounds.
_ASKED = {1: 4, 8: 8, SLOTS: 32}
Timings = dict[int, Outcome]


def answer_cards(engine: QuantEngine, asked: Sequence[Question], tokenizer: Any) -> list[list[bool]]:
    """For each card its fields, right or not."""
    outcome = engine.answer([question.tokens for question in asked], SLOTS, longest=200)
    texts = (tokenizer.decode(tokens, skip_special_tokens=True) for tokens in outcome.answers)
    return [right_fields(question.card, text) for question, text in zip(asked, texts, strict=True)]


def quality(asked: Sequence[Question], right: list[list[bool]], reference: list[list[bool]]) -> dict[str, Any]:
    """Shares of fields right, of the reference's right fields kept, and of whole cards right: all, and by document."""
    row: dict[str, Any] = {"documents": {}}
    for document in ("all", *sorted({question.card.document for question in asked})):
        pairs = [
            pair
            for question, mine, theirs in zip(asked, right, reference, strict=True)
            if document in {"all", question.card.document}
            for pair in zip(mine, theirs, strict=True)
        ]
        share = {
            "fields": len(pairs),
            "right": _share([mine for mine, _ in pairs]),
            "kept": _share([mine for mine, theirs in pairs if theirs]),
        }
        share["cards_right"] = _share(
            [
                all(fields)
                for question, fields in zip(asked, right, strict=True)
                if document in {"all", question.card.document}
            ]
        )
        row |= share if document == "all" else {}
        if document != "all":
            row["documents"][document] = share
    return row


def _time_round(engine: QuantEngine, prompts: Sequence[list[int]], longest: int) -> Timings:
    """One timing at each number of streams."""
    return {
        streams: engine.answer([prompts[i % len(prompts)] for i in range(_ASKED[streams])], streams, longest)
        for streams in STREAMS
    }


def timed(
    rounds: int, engine: QuantEngine, reference: QuantEngine, prompts: Sequence[list[int]], longest: int
) -> dict[str, Any]:
    """Rounds of both engines in turn, the first of a round being the second of the next."""
    mine: list[Timings] = []
    theirs: list[Timings] = []
    pair = [(mine, engine), (theirs, reference)]
    for _, one in pair:
        one.answer(prompts[:2], 2, longest)  # warms up
    for number in range(rounds):
        for samples, one in pair if number % 2 else pair[::-1]:
            samples.append(_time_round(one, prompts, longest))
    return _speed(mine, theirs)


def _speed(rounds: Sequence[Timings], reference: Sequence[Timings]) -> dict[str, Any]:
    """Medians over the rounds, and each round's ratio to the reference of the same round."""
    row: dict[str, Any] = {
        "ms_per_token": round(1000 * statistics.median(r[1].step for r in rounds), 2),
        "faster_1": _ratio([(theirs[1].step, mine[1].step) for mine, theirs in zip(rounds, reference, strict=True)]),
    }
    for streams in STREAMS[1:]:
        row[f"cards_per_s_{streams}"] = round(statistics.median(_rate(r[streams]) for r in rounds), 2)
        row[f"faster_{streams}"] = _ratio(
            [(_rate(mine[streams]), _rate(theirs[streams])) for mine, theirs in zip(rounds, reference, strict=True)]
        )
    row["resident_mib"] = round(max(outcome.resident for r in rounds for outcome in r.values()) / 2**20)
    return row


def _rate(outcome: Outcome) -> float:
    return len(outcome.answers) / outcome.seconds


def _ratio(pairs: Sequence[tuple[float, float]]) -> float:
    return round(statistics.median(one / other for one, other in pairs), 3)


def _share(flags: Sequence[bool]) -> float:
    return round(sum(flags) / len(flags), 4) if flags else 1.0
