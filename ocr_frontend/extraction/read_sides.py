"""Both sides of one card, read at once: of two pictures, or of one that shows both."""

import asyncio
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from ocr_frontend.errors import FrontError, Unprocessable
from ocr_frontend.extraction.pipeline import Pipeline
from ocr_frontend.extraction.response_builder import Answered
from ocr_frontend.extraction.two_sided import SIDES, Card, together
from ocr_frontend.ocr.contents import Sent

T = TypeVar("T")


async def read_both(
    pipeline: Pipeline,
    request_id: str,
    images: Mapping[str, bytes | Sent],
    chosen: Mapping[str, str],
    model: str,
) -> Card:
    """Both are decoded before either is read: a damaged verso costs no reading of the recto. Then they are read at
    once, as far as readers and their queue allow.

    Raises what `Pipeline.extract` raises, with the side's name before its sentence.
    """

    async def one(side: str) -> Answered:
        with _named(side):
            return await pipeline.extract(request_id, images[side], chosen[side], model, side=side)

    for side in SIDES:
        with _named(side):
            await pipeline.check(images[side])
    if pipeline.may_wait:
        answers = await at_once({side: one(side) for side in SIDES})
    else:
        answers = {side: await one(side) for side in SIDES}
    return together(request_id, answers)


async def read_one_picture(
    pipeline: Pipeline, request_id: str, image: bytes | Sent, chosen: Mapping[str, str], model: str
) -> Card:
    """Both sides of a card on one picture: it is read once, and each side is answered as a card of its own.

    Raises Unprocessable unless it shows two cards, and what `Pipeline.extract` raises.
    """
    picture = await pipeline.picture(image, model)
    if len(picture.cards) != len(SIDES):
        shown = "one side of a card" if len(picture.cards) == 1 else f"{len(picture.cards)} cards"
        raise Unprocessable(f"The picture shows {shown}; it has to show both sides of one. Or send one picture a side.")
    shown_sides = [card.detection.document.side if card.detection.document else "" for card in picture.cards]
    # In reading order, unless the first of them is the verso alone, or the second the recto.
    turned = shown_sides in (["verso", "recto"], ["verso", ""], ["", "recto"])
    parts = dict(zip(SIDES, reversed(picture.cards) if turned else picture.cards, strict=True))

    async def one(side: str) -> Answered:
        with _named(side):
            return await pipeline.read(request_id, picture, parts[side], chosen[side])

    return together(request_id, await at_once({side: one(side) for side in SIDES}))


async def at_once(work: Mapping[str, Coroutine[Any, Any, T]]) -> dict[str, T]:
    """All results by name. What fails first is raised, and the rest is ended."""
    tasks = {name: asyncio.ensure_future(one) for name, one in work.items()}
    try:
        await asyncio.gather(*tasks.values())
    finally:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
    return {name: task.result() for name, task in tasks.items()}


@contextmanager
def _named(side: str) -> Iterator[None]:
    try:
        yield
    except FrontError as error:
        error.message = f"{side}: {error.message}"
        raise
