"""`/v1/jobs`: many images in one call, results by polling."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response

from ocr_frontend.api.middleware import new_id
from ocr_frontend.api.openapi import ERRORS, JOB_FORM
from ocr_frontend.api.routes.dependencies import Caller, Front, allow
from ocr_frontend.api.service import Service
from ocr_frontend.api.serving import serving
from ocr_frontend.api.uploads import receive
from ocr_frontend.auth.keys import Key
from ocr_frontend.documents.registry import AUTO, find_document
from ocr_frontend.errors import BadRequest, NotFound
from ocr_frontend.jobs.bodies import JobAnswer, JobResult
from ocr_frontend.jobs.store import Job

router = APIRouter(prefix="/v1/jobs", responses=ERRORS)


@router.post("", status_code=202, openapi_extra=JOB_FORM)
async def submit(request: Request, response: Response, service: Front, key: Caller) -> JobAnswer:
    """Take the images; `Location` is where the results will be."""
    settings, jobs = service.settings, service.jobs
    jobs.require_room()
    async with serving(request, service, key) as served:
        form = await receive(
            request, ("image",), settings.max_bytes, settings.upload_seconds,
            fields=("document", "model"), hold=served.hold,
            most=jobs.bounds.images, total=min(jobs.bounds.waiting, settings.max_bytes * jobs.bounds.images),
        )  # fmt: skip
        images = form.files["image"]
        if not images:
            raise BadRequest("The form has no file in the part `image`.")
        name = form.fields.get("document") or AUTO
        document = find_document(name)
        model = form.fields.get("model") or settings.model
        await service.catalog.find(model)
        await allow(service, key, model)
    # Not the request's id, which a client may choose.
    job = jobs.submit(new_id(), key, images, document, name, model)
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return _answer(service, job)


@router.get("/{job_id}")
async def progress(job_id: str, service: Front, key: Caller) -> JobAnswer:
    """How far it is, and the results so far."""
    return _answer(service, _find(service, key, job_id))


@router.delete("/{job_id}", status_code=204)
async def delete(job_id: str, service: Front, key: Caller) -> None:
    """Stop it and forget its images and results."""
    service.jobs.delete(_find(service, key, job_id).id)


def _find(service: Service, key: Key, job_id: str) -> Job:
    job = service.store.find(job_id)
    if job is None or job.owner != key.id:
        raise NotFound("There is no job of that id; it may have expired.")
    return job


def _answer(service: Service, job: Job) -> JobAnswer:
    results = [JobResult.model_validate(body) for body in service.store.results(job.id).values()]
    return JobAnswer(
        id=job.id,
        state=service.jobs.state(job, len(results)),
        document=job.document,
        model=job.model,
        total=job.total,
        done=len(results),
        failed=sum(result.error is not None for result in results),
        expires_at=datetime.fromtimestamp(job.expires, UTC),
        results=results,
    )
