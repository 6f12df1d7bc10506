"""vLLM's entry points. Contract of each: idempotent, quick; a server without our routes never starts."""

import logging
import os
import sys
from typing import Any

from server.vllm.contract import ContractError, require
from server.vllm.interrupt import end_while_starting


def register_general() -> None:
    """`vllm.general_plugins`, in every process: our log lines, and an end where the start is interrupted."""
    _configure_log()
    end_while_starting()


def register_endpoints() -> Any:
    """`vllm.endpoint_plugins`, in the API server: our routes."""
    try:
        _configure_log()
        _require()
        from server.vllm import detokenizer
        from server.vllm.endpoint import CniRoutes

        detokenizer.mend()
    except ContractError as error:
        raise SystemExit(f"[server] cannot start: {error}") from None
    except Exception as error:
        # vLLM would go on without us.
        logging.getLogger("server").exception("our routes cannot be loaded")
        raise SystemExit(1) from error
    return CniRoutes()


def _require() -> None:
    from server.settings import Settings
    from server.vllm.release import version

    require("server", version().partition("+")[0], Settings().any_vllm)


def _configure_log() -> None:
    from server.logs import JsonFormatter, formatter

    log = logging.getLogger("server")
    if not log.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(formatter())
        log.addHandler(handler)
        log.setLevel(os.environ.get("SERVER_OWN_LOG_LEVEL", "INFO"))
        log.propagate = False
        if isinstance(formatter(), JsonFormatter):
            for theirs in logging.getLogger("vllm").handlers:
                theirs.setFormatter(formatter())
