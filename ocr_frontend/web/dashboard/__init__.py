"""The live page at `/dashboard`: files of this folder, under a content security policy that allows nothing foreign."""

from functools import cache
from importlib.resources import files
from types import MappingProxyType

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
    found = {}
    for file in files(__package__).iterdir():
        media = _TYPES.get("." + file.name.rpartition(".")[2])
        if media is not None:
            found[file.name] = (file.read_text("utf-8"), media)
    return MappingProxyType(found)
