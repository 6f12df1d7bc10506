"""vLLM's own traces, off by default: where to send them, and under which name. One span a request, numbers only.

vLLM reads the caller's `traceparent`, so its span joins the front's trace of the card.
"""

from server.settings import Settings


def trace_options(settings: Settings) -> dict[str, str]:
    """vLLM's command-line options."""
    return {"--otlp-traces-endpoint": settings.otlp_endpoint} if settings.otlp_endpoint else {}


def trace_environment(settings: Settings) -> dict[str, str]:
    """OpenTelemetry's own variables. An address that ends in /v1/traces is HTTP, any other gRPC."""
    if not settings.otlp_endpoint:
        return {}
    over_http = settings.otlp_endpoint.rstrip("/").endswith("/v1/traces")
    return {
        "OTEL_SERVICE_NAME": "cni-server",
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf" if over_http else "grpc",
    }
