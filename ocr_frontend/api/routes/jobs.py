"""`/v1/jobs`: many files in one call, results by polling or after a call back."""

import asyncio
import re

from fastapi import APIRouter, Request, Response
from starlette.background import BackgroundTask

from ocr_frontend.api.job_answers import answered, digest_of, summary
from ocr_frontend.api.job_request import requested
from ocr_frontend.api.middleware import new_id
from ocr_frontend.api.openapi import ERRORS, JOB_FORM
from ocr_frontend.api.routes.dependencies import Caller, Front, allow
from ocr_frontend.api.service import Service
from ocr_frontend.api.serving import serving
from ocr_frontend.api.uploads import receive
from ocr_frontend.auth.keys import Key
from ocr_frontend.errors import BadRequest, NotFound
from ocr_frontend.jobs.bodies import JobAnswer, JobList
from ocr_frontend.jobs.service import Jobs
from ocr_frontend.jobs.tables import Job

router = APIRouter(prefix="/v1/jobs", responses=ERRORS)
_IDEMPOTENCY = re.compile(r"[!-~]{1,200}")
_PAGE = 100  # results of one answer, unless the caller says otherwise
_MOST = 1000
FIELDS = ("document", "model", "include", "pages", "retention", "store", "callback_url")


def _jobs(service: Service) -> Jobs:
    if service.jobs is None:
        raise NotFound(
            "Jobs are off here: several copies of this service run, and OCR_FRONT_JOBS_DATABASE names no store."
        )
    return service.jobs


@router.post("", status_code=202, openapi_extra=JOB_FORM, response_model=JobAnswer)
async def submit(request: Request, service: Front, key: Caller) -> Response:
    """Take the files; `Location` is where the results will be."""
    settings, jobs = service.settings, _jobs(service)
    limits = jobs.store.limits
    async with serving(request, service, key, reads=False) as served:
        form = await receive(
            request, ("image",), settings.max_bytes, settings.upload_seconds, fields=FIELDS, hold=served.hold,
            most=limits.images, total=min(limits.key_waiting, settings.max_bytes * limits.images),
        )  # fmt: skip
        files = form.files["image"]
        if not files:
            raise BadRequest("The form has no file in the part `image`.")
        # Not the request's id, which a client may choose.
        job, pages = await requested(new_id(), key, form, settings)
        await service.pipeline.require(job.document, job.model)
        await allow(service, key, job.model)
        digest = await asyncio.to_thread(digest_of, form)
        job = await jobs.store.add(job, files, pages, _idempotency(request), digest)
    request.state.job_id = job.id
    jobs.runner.wake()
    body = await answered(jobs.store, job, 0, _PAGE)
    return Response(body.text, 202, {"Location": f"/v1/jobs/{job.id}"}, "application/json")


@router.get("")
async def listed(service: Front, key: Caller, before: str | None = None, limit: int = _PAGE) -> JobList:
    """The key's own jobs, the newest first, without their results."""
    store, limit = _jobs(service).store, max(1, min(limit, _MOST))
    jobs = await store.listed(key.owner, before, limit)
    rows = [summary(job, await store.progress(job.id)) for job in jobs]
    return JobList(jobs=rows, next=jobs[-1].id if len(jobs) == limit else None)


@router.get("/{job_id}", response_model=JobAnswer)
async def progress(request: Request, job_id: str, service: Front, key: Caller, limit: int = _PAGE) -> Response:
    """How far it is, and the results from `?from=` on."""
    jobs, first = _jobs(service), request.query_params.get("from", "0")
    if not first.isdecimal() or len(first) > 9:
        raise BadRequest("`from` is a number: the `next` of the answer before.")
    job = await _find(jobs, key, job_id)
    body = await answered(jobs.store, job, int(first), max(1, min(limit, _MOST)))
    fetched = BackgroundTask(jobs.store.delete, job.id) if job.once and body.last else None
    return Response(body.text, media_type="application/json", background=fetched)


@router.delete("/{job_id}", status_code=204)
async def delete(job_id: str, service: Front, key: Caller) -> None:
    """Stop it and forget its images and results."""
    jobs = _jobs(service)
    job = await _find(jobs, key, job_id)
    await jobs.store.delete(job.id)
    jobs.runner.stop(job.id)


async def _find(jobs: Jobs, key: Key, job_id: str) -> Job:
    job = await jobs.store.find(job_id, key.owner)
    if job is None:
        raise NotFound("There is no job of that id; it may have expired.")
    return job


def _idempotency(request: Request) -> str | None:
    given = request.headers.get("idempotency-key")
    if given is not None and not _IDEMPOTENCY.fullmatch(given):
        raise BadRequest("`Idempotency-Key` is 1 to 200 visible ASCII characters.")
    return given
