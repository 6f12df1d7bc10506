"""From a form to a job: what was asked for, checked before anything is kept."""

import math

from ocr_frontend.api.include import left_out
from ocr_frontend.api.uploads import Upload
from ocr_frontend.auth.keys import LOCAL, Key
from ocr_frontend.documents.registry import AUTO, find_document
from ocr_frontend.errors import Unprocessable
from ocr_frontend.jobs.callbacks import target
from ocr_frontend.jobs.tables import Job
from ocr_frontend.settings import Settings


async def requested(job_id: str, key: Key, form: Upload, settings: Settings) -> tuple[Job, list[tuple[int, int]]]:
    """The job, and (file, page) of each of its pictures. Raises Unprocessable and UnknownDocument."""
    fields = form.fields
    name = fields.get("document") or AUTO
    find_document(name)
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
    return job, [(number, 1) for number in range(len(form.files["image"]))]


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
