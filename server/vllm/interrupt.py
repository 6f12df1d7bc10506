"""SIGTERM and SIGINT while the server starts.

vLLM's handler raises KeyboardInterrupt until uvicorn has handlers of its own. Where that meets the wait for the
engine's process, `vllm.utils.network_utils.zmq_socket_ctx` swallows it, the handshake is over for good, and the two
processes wait for each other for minutes (0.32.0, at every signal in those seconds). SystemExit goes through.
"""

import signal
import sys
from types import FrameType
from typing import Any

from server.vllm.release import API_SERVER


def end_while_starting() -> None:
    """In the API server's process alone: handlers that end it, set after vLLM's own. What has been started is ended on
    the way out."""
    main = sys.modules.get("__main__")
    if getattr(getattr(main, "__spec__", None), "name", None) != API_SERVER:
        return
    theirs = vars(main)["run_server_worker"]
    if theirs.__module__ == __name__:
        return

    async def run_server_worker(*given: Any, **named: Any) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _end)
        await theirs(*given, **named)

    vars(main)["run_server_worker"] = run_server_worker


def _end(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)
