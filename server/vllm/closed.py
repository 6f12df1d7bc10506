"""An ASGI middleware named on vLLM's command line: only what our gate let through reaches vLLM's application.

vLLM that does not load our plugin (another release, a wrong VLLM_PLUGINS) would be open with all of its routes and
ask for no key. It still reads its command line, so this stands there: without the gate's mark every route is closed.
"""

import json

from starlette.types import ASGIApp, Receive, Scope, Send

PASSED = "cni_passed"
"""The key in an ASGI scope that the gate sets; a caller has no way to."""
_BODY = json.dumps(
    {
        "error": {
            "message": "This server was started without its gate; it answers nothing.",
            "type": "service_unavailable_error",
            "param": None,
            "code": "closed",
        }
    }
).encode()


class Closed:
    """Answers 503 to every request that did not come through `server.gate`, and closes its websockets."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lifespan events pass."""
        if scope["type"] == "lifespan" or scope.get(PASSED):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            headers = [(b"content-type", b"application/json"), (b"content-length", str(len(_BODY)).encode())]
            await send({"type": "http.response.start", "status": 503, "headers": headers})
            await send({"type": "http.response.body", "body": b"" if scope.get("method") == "HEAD" else _BODY})
