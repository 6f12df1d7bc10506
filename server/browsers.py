"""Who may speak to a server without keys: programs of this machine, and no web page that happens to be open on it.

A page of any site can send a POST without a preflight to 127.0.0.1, and by a name that it rebinds it can read, too.
"""

from starlette.datastructures import Headers

from server.errors import Forbidden
from server.settings import is_loopback


def check_local(headers: Headers) -> None:
    """Raise Forbidden for what a browser sends for another site, and for a name that is not this machine's."""
    host = headers.get("host")  # a browser always sends it
    if host is not None and not is_loopback(_host(host)):
        raise Forbidden("Without keys this server answers to its own address alone: use http://127.0.0.1.")
    if headers.get("origin") is not None or headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
        raise Forbidden("Without keys this server answers no web page: configure keys (SERVER_KEYS_FILE).")


def _host(value: str) -> str:
    """A Host header without its port."""
    if value.startswith("["):
        return value[1:].partition("]")[0]
    return value.partition(":")[0]
