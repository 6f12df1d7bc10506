"""Traces of cards with OpenTelemetry, off by default, and the request id that goes with each call to the model server.

One trace a card: `card` holds decode, ocr, prompt, llm and validate; the model server's own span joins below llm. A
span has a name, times and counts. Nothing that was read or answered goes into it, and no exception's message.
"""

import string
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

import httpx

try:
    from opentelemetry import propagate, trace
except ImportError:  # the extra `otel` is not installed: no traces
    trace = propagate = None  # type: ignore[assignment]

REQUEST_ID = "X-Request-Id"
_NAME = "ocr_frontend"
_MOST = 128  # characters of a request id from outside
_ALLOWED = frozenset(string.ascii_letters + string.digits + "-_.")
_request_id: ContextVar[str] = ContextVar("request_id", default="")


class TelemetryError(Exception):
    """One line for the person who starts the service."""


def start(endpoint: str) -> Callable[[], None]:
    """Send traces to `endpoint`, an OTLP collector's HTTP address (…/v1/traces). Gives what ends it.

    Raises TelemetryError where the packages are not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise TelemetryError(
            "OCR_FRONT_OTLP_ENDPOINT is set, but OpenTelemetry is not installed: pip install 'cni-lora-server[otel]'."
        ) from None
    provider = TracerProvider(resource=Resource.create({"service.name": "cni-front"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    trace.set_tracer_provider(provider)
    return provider.shutdown


@contextmanager
def card(request_id: str) -> Iterator[None]:
    """One card: the trace's root, and the id that calls to the model server carry inside."""
    token = _request_id.set(request_id)
    try:
        with span("card", request_id=request_id):
            yield
    finally:
        _request_id.reset(token)


@contextmanager
def span(name: str, **attributes: str | int) -> Iterator[None]:
    """One stage. An error is noted by its type alone: its message may hold anything."""
    if trace is None:
        yield
        return
    tracer = trace.get_tracer(_NAME)
    with tracer.start_as_current_span(
        name, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield
        except BaseException as error:
            current.set_attribute("error.type", type(error).__name__)
            current.set_status(trace.StatusCode.ERROR)
            raise


def past(**seconds: float) -> None:
    """Stages that were measured elsewhere, one after another, the last of them just ended."""
    if trace is None:
        return
    tracer = trace.get_tracer(_NAME)
    began = time.time_ns() - round(sum(seconds.values()) * 1e9)
    for name, length in seconds.items():
        ended = began + round(length * 1e9)
        tracer.start_span(name, start_time=began).end(end_time=ended)
        began = ended


async def add_headers(request: httpx.Request) -> None:
    """An httpx hook: the model server learns the request's id and the span that it works for."""
    if current := _request_id.get():
        request.headers[REQUEST_ID] = current
    if propagate is not None:
        carrier: dict[str, str] = {}
        propagate.inject(carrier)
        request.headers.update(carrier)


def given_id(headers: Mapping[str, str]) -> str | None:
    """The caller's request id, if it is one: short, and of characters that can do nothing in a log."""
    given = headers.get(REQUEST_ID, "")
    return given if 0 < len(given) <= _MOST and _ALLOWED.issuperset(given) else None
