"""The web page at `/`: files of this folder, served with a content security policy that allows nothing foreign."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


@cache
def page() -> str:
    """The page's HTML."""
    return files(__package__).joinpath("index.html").read_text("utf-8")


@cache
def parts() -> MappingProxyType[str, tuple[str, str]]:
    """What the page loads, by file name: text and media type. A name is looked up here, never joined to a path."""
    return files_of(__package__, _TYPES)


def files_of(package: str, types: Mapping[str, str]) -> MappingProxyType[str, tuple[str, str]]:
    """A package's files of these endings, by name: text and media type."""
    found = {}
    for file in files(package).iterdir():
        media = types.get("." + file.name.rpartition(".")[2])
        if media is not None:
            found[file.name] = (file.read_text("utf-8"), media)
    return MappingProxyType(found)
