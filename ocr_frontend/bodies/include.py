"""`include=data,fields`: an answer with less of a person in it. Without it everything is answered."""

from typing import Any

from pydantic import BaseModel

from ocr_frontend.errors import Unprocessable

# What can be left out; id, document, model and warnings always come along.
PARTS = ("data", "fields", "ocr", "mrz", "quality", "timings_ms", "usage")


def left_out(include: str | None) -> frozenset[str]:
    """The parts that were not asked for. Raises Unprocessable for a name that is none."""
    if include is None:
        return frozenset()
    wanted = {name.strip() for name in include.split(",") if name.strip()}
    if not wanted <= set(PARTS):
        raise Unprocessable(f"`include` takes some of {', '.join(PARTS)}, separated by commas.")
    return frozenset(PARTS) - wanted


def shown(answer: BaseModel, without: frozenset[str]) -> dict[str, Any]:
    """The body of an answer without these parts."""
    return answer.model_dump(mode="json", exclude=set(without))


def shown_sides(answer: BaseModel, without: frozenset[str]) -> dict[str, Any]:
    """The body of `POST /v1/cards` without these parts, of the whole and of each side."""
    body = answer.model_dump(mode="json", exclude=set(without))
    body["sides"] = {
        side: {name: part for name, part in one.items() if name not in without} for side, one in body["sides"].items()
    }
    return body
