"""The web page at `/`: files of this folder, served with a content security policy that allows nothing foreign."""

from functools import cache
from importlib.resources import files

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@cache
def page() -> str:
    """The page's HTML."""
    return files(__package__).joinpath("index.html").read_text("utf-8")
