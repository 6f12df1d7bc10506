"""vLLM's entry points. Contract of each: idempotent, quick; a server without our routes never starts."""

import logging
import os
import sys
from typing import Any

_FORMAT = "[server] %(message)s"


def register_general() -> None:
    """`vllm.general_plugins`, in every process: our log lines."""
    _configure_log()


def register_endpoints() -> Any:
    """`vllm.endpoint_plugins`, in the API server: our routes."""
    _configure_log()
    try:
        from server.endpoint import CniRoutes
    except Exception as error:
        # vLLM would go on without us: with all of its routes open, and no keys.
        logging.getLogger("server").exception("our routes cannot be loaded")
        raise SystemExit(1) from error
    return CniRoutes()


def _configure_log() -> None:
    log = logging.getLogger("server")
    if not log.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter(_FORMAT))
        log.addHandler(handler)
        log.setLevel(os.environ.get("SERVER_OWN_LOG_LEVEL", "INFO"))
        log.propagate = False
