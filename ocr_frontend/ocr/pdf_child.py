"""A PDF in a process of its own: pages counted, or one drawn. Run as a script; it knows nothing of the service.

    python -I pdf_child.py BYTES SECONDS [PAGE PIXELS SIDE] < file

A PDF may ask for any amount of memory and time, and hang inside the library; here both are limited, and what is left of
it ends with the process. Answers one line of JSON, and after a drawn page its RGB bytes.
"""

import json
import resource
import sys

DOTS = 300  # an inch, where the page allows
_POINTS = 72
_PASSWORD = 4  # of PDFium's error codes


def main() -> int:
    """0 with an answer, even where that is an error's name."""
    memory, seconds, *drawn = (int(argument) for argument in sys.argv[1:])
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import pypdfium2

    resource.setrlimit(resource.RLIMIT_AS, (_taken() + memory, _taken() + memory))
    data = sys.stdin.buffer.read()
    try:
        with pypdfium2.PdfDocument(data) as document:
            return _draw(document, *drawn) if drawn else _say({"pages": len(document)})
    except pypdfium2.PdfiumError as error:
        locked = getattr(error, "err_code", None) == _PASSWORD
        return _say({"error": "password" if locked else "damaged"})
    except (MemoryError, ValueError, OSError):
        return _say({"error": "memory"})


def _draw(document: "object", page: int, pixels: int, side: int) -> int:
    pages = len(document)  # type: ignore[arg-type]
    if page > pages:
        return _say({"pages": pages})
    one = document[page - 1]  # type: ignore[index]
    width, height = one.get_size()
    if not (width > 0 and height > 0):
        return _say({"error": "damaged"})
    scale = min(DOTS / _POINTS, (pixels / (width * height)) ** 0.5, side / max(width, height))
    image = one.render(scale=scale, rev_byteorder=True, prefer_bgrx=False, fill_color=(255, 255, 255, 255)).to_pil()
    image = image.convert("RGB")
    _say({"pages": pages, "size": image.size})
    sys.stdout.buffer.write(image.tobytes())
    return 0


def _say(answer: dict[str, object]) -> int:
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
    sys.stdout.buffer.flush()
    return 0


def _taken() -> int:
    with open("/proc/self/statm") as file:  # noqa: PTH123
        return int(file.read().split()[0]) * resource.getpagesize()


if __name__ == "__main__":
    sys.exit(main())
