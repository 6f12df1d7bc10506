"""From a form to a job: what was asked for, checked before anything is kept."""

import math

from ocr_frontend.api.pages import chosen_pages, contents_of
from ocr_frontend.api.uploads import Upload
from ocr_frontend.auth.keys import LOCAL, Key
from ocr_frontend.bodies.include import left_out
from ocr_frontend.documents.registry import AUTO
from ocr_frontend.errors import FrontError, Unprocessable
from ocr_frontend.jobs.callbacks import target
from ocr_frontend.jobs.tables import Job
from ocr_frontend.ocr.contents import Contents
from ocr_frontend.settings import Settings


async def requested(job_id: str, key: Key, form: Upload, settings: Settings) -> tuple[Job, list[tuple[int, int]]]:
    """The job, and (file, page) of each of its pictures. Raises Unprocessable and UnknownDocument."""
    fields = form.fields
    name = fields.get("document") or AUTO
    include = fields.get("include")
    left_out(include)
    callback = fields.get("callback_url") or None
    if callback is not None:
        if key is LOCAL:
            raise Unprocessable("`callback_url` takes a service with keys: the call is signed with one.")
        await target(callback, private=settings.callback_private)
    job = Job(
        id=job_id,
        owner=key.owner,
        document=name,
        model=fields.get("model") or settings.model,
        include=include,
        total=0,
        created=0.0,
        finished=None,
        expires=None,
        retention=_retention(fields.get("retention"), settings.jobs_seconds),
        once=int(_store(fields.get("store")) is False),
        callback=callback,
    )
    return job, await _pages(form, settings)


async def _pages(form: Upload, settings: Settings) -> list[tuple[int, int]]:
    """Raises Unprocessable where all files together have more pages than a job may have pictures."""
    limits, pages = settings.limits(), []
    for number, data in enumerate(form.files["image"]):
        try:
            contents = await contents_of(data, limits)
        except FrontError:  # its own result says so, and the other files are read
            contents = Contents()
        pages += [(number, page) for page in chosen_pages(form.fields.get("pages"), contents)]
    if len(pages) > settings.jobs_images:
        raise Unprocessable(
            f"The files have {len(pages)} pages; a job may have {settings.jobs_images}. Choose `pages`."
        )
    return pages


def _retention(text: str | None, most: float) -> float:
    if text is None:
        return most
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 1 <= seconds <= most:
        raise Unprocessable(f"`retention` is a number of seconds from 1 to {most:g}.")
    return seconds


def _store(text: str | None) -> bool:
    if text not in (None, "true", "false"):
        raise Unprocessable("`store` is `true` or `false`: with `false` results go when they were fetched.")
    return text != "false"
