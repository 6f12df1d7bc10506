"""Where the answers come from: OCR in this process and the model server, or a front that runs already."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import httpx

from ocr_frontend.api.middleware import new_id
from ocr_frontend.api.pages import contents_of
from ocr_frontend.api.service import Service, build_service
from ocr_frontend.errors import FrontError, Unavailable
from ocr_frontend.extraction.response_builder import left_out_pages
from ocr_frontend.settings import Settings

_TRIES = 3  # of a front that says when to come back


class Source(Protocol):
    """Answers one photo."""

    async def extract(self, data: bytes, document: str, model: str) -> dict[str, Any]:
        """The body of `/v1/extract`. Raises FrontError."""


@asynccontextmanager
async def open_source(url: str | None, settings: Settings) -> AsyncIterator[Source]:
    """`url` of a front, or None for OCR here. Raises OcrUnavailable."""
    if url is not None:
        key = settings.client_key
        headers = {} if key is None else {"Authorization": f"Bearer {key.get_secret_value()}"}
        seconds = settings.ocr_seconds + settings.llm_seconds
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=seconds, trust_env=False) as http:
            yield _Remote(http)
        return
    # The files of the service are not this command's.
    others = ("jobs_file", "jobs_database", "keys_file", "access_log")
    service = build_service(settings.model_copy(update=dict.fromkeys(others) | {"jobs_embedded": False}), None, None)
    try:
        await service.pool.start(again=False)
        yield _Local(service)
    finally:
        service.pool.close()
        await service.http.aclose()


class _Local:
    def __init__(self, service: Service) -> None:
        self._pipeline, self._limits = service.pipeline, service.settings.limits()

    async def extract(self, data: bytes, document: str, model: str) -> dict[str, Any]:
        """See Source."""
        contents = await contents_of(data, self._limits)
        answer = (await self._pipeline.extract(new_id(), data, document, model)).body
        return answer.model_copy(update={"warnings": (*answer.warnings, *left_out_pages(contents, 1))}).model_dump(
            mode="json"
        )


class _Remote:
    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def extract(self, data: bytes, document: str, model: str) -> dict[str, Any]:
        """See Source. A front that is busy is asked again when it says."""
        for left in reversed(range(_TRIES)):
            response = await self._post(data, document, model)
            later = response.headers.get("retry-after", "")
            if not (left and later.isdigit()):
                break
            await asyncio.sleep(int(later))
        body = _body(response)
        if response.is_success:
            return body
        raise FrontError(str(body.get("error", {}).get("message", f"The front answered {response.status_code}.")))

    async def _post(self, data: bytes, document: str, model: str) -> httpx.Response:
        form = {"document": document, "model": model}
        try:
            return await self._http.post("/v1/extract", files={"image": ("image", data)}, data=form)
        except httpx.HTTPError as error:
            raise Unavailable(f"The front does not answer ({type(error).__name__}).") from None
        except httpx.InvalidURL:
            raise Unavailable("The front's address is not one; it begins with http:// or https://.") from None


def _body(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        body = None
    return body if isinstance(body, dict) else {}
