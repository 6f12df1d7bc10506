"""The live page at `/dashboard`: files of this folder, under a content security policy that allows nothing foreign."""

from functools import cache
from types import MappingProxyType

from ocr_frontend.web import files_of

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}


@cache
def parts() -> MappingProxyType[str, tuple[str, str]]:
    """The page and what it loads, by file name: text and media type. A name is looked up, never joined to a path."""
    return files_of(__package__, _TYPES)
