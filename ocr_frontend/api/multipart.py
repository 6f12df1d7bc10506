"""A multipart form, taken apart while it arrives: files by part, fields by name, nothing unknown."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from ocr_frontend.errors import BadRequest, FrontError, ImageTooLarge, Unprocessable

_MOST_FIELDS = 32
_MOST_FIELD_BYTES = 4096


def boundary_of(content_type: str) -> bytes | None:
    """None where it is no multipart form. A charset is not looked at: RFC 7578 gives it no meaning."""
    kind, options = parse_options_header(content_type)
    return options.get(b"boundary") if kind == b"multipart/form-data" else None


class FormReader:
    """`write` chunks, then `end`. parts: of the files, each with how many it may hold; fields: that the route takes."""

    def __init__(self, boundary: bytes, parts: Mapping[str, int], fields: Collection[str], max_bytes: int) -> None:
        self._parts, self._known, self._max_bytes = parts, fields, max_bytes
        self.files: dict[str, list[bytes]] = {part: [] for part in parts}
        self.fields: dict[str, str] = {}
        self._header = [b"", b""]
        self._disposition = b""
        self._name, self._is_file, self._size = "", False, 0
        self._chunks: list[bytes] = []
        self._ended = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": lambda data, start, end: self._head(0, data[start:end]),
                    "on_header_value": lambda data, start, end: self._head(1, data[start:end]),
                    "on_header_end": self._header_end,
                    "on_headers_finished": self._headers_finished,
                    "on_part_data": self._data,
                    "on_part_end": self._part_end,
                    "on_end": self._end,
                },
            )
        except FormParserError:
            raise BadRequest("The form's boundary cannot be used.") from None

    def write(self, chunk: bytes) -> None:
        """Raises BadRequest, ImageTooLarge, Unprocessable."""
        try:
            self._parser.write(chunk)
        except FormParserError:
            raise BadRequest("The form cannot be read.") from None

    def end(self) -> None:
        """Raises BadRequest where the form did not end."""
        if not self._ended:
            raise BadRequest("The form cannot be read: it is cut off.")

    def _begin(self) -> None:
        self._disposition, self._chunks, self._size = b"", [], 0

    def _head(self, part: int, data: bytes) -> None:
        self._header[part] += data

    def _header_end(self) -> None:
        if self._header[0].lower() == b"content-disposition":
            self._disposition = self._header[1]
        self._header = [b"", b""]

    def _headers_finished(self) -> None:
        kind, options = parse_options_header(self._disposition.decode("latin-1"))
        if kind != b"form-data" or b"name" not in options:
            raise BadRequest("A part of the form has no name.")
        self._name = options[b"name"].decode("utf-8", "replace")
        # A client may send `filename*` alone; its text is of no interest here.
        self._is_file = b"filename" in options or b"filename*" in self._disposition.lower()
        if self._is_file:
            self._check_file()
        else:
            self._check_field()

    def _check_file(self) -> None:
        names = " and ".join(f"`{part}`" for part in self._parts)
        if self._name not in self._parts:
            raise BadRequest(f"The form has a file in a part that this route does not take; put it in {names}.")
        if len(self.files[self._name]) >= self._parts[self._name]:
            raise BadRequest(f"The form has more than {self._parts[self._name]} files in the part `{self._name}`.")

    def _check_field(self) -> None:
        if self._name in self._parts:
            raise BadRequest(f"The part `{self._name}` should hold a file and holds text.")
        if self._name not in self._known:
            raise _unknown(self._name, self._known)
        if self._name in self.fields:
            raise Unprocessable(f"The form has the field `{self._name}` more than once.")
        if len(self.fields) >= _MOST_FIELDS:
            raise BadRequest(f"The form has more than {_MOST_FIELDS} fields.")

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._size += end - start
        if self._is_file and self._size > self._max_bytes:
            raise too_large(self._max_bytes)
        if not self._is_file and self._size > _MOST_FIELD_BYTES:
            raise BadRequest(f"The field `{self._name}` has more than {_MOST_FIELD_BYTES} bytes.")
        self._chunks.append(data[start:end])

    def _part_end(self) -> None:
        whole = b"".join(self._chunks)
        self._chunks = []
        if self._is_file:
            self.files[self._name].append(whole)
            return
        try:
            self.fields[self._name] = whole.decode("utf-8")
        except UnicodeDecodeError:
            raise BadRequest(f"The field `{self._name}` is not UTF-8.") from None

    def _end(self) -> None:
        self._ended = True


def _unknown(name: str, known: Collection[str]) -> FrontError:
    """The name itself stays out of the answer: it may be anything."""
    near = get_close_matches(name.lower(), known, 1)
    meant = f" Is `{near[0]}` meant?" if near else ""
    takes = ", ".join(f"`{field}`" for field in sorted(known))
    return Unprocessable(f"The form has a field that this route does not take; it takes {takes or 'none'}.{meant}")


def too_large(max_bytes: int) -> ImageTooLarge:
    """Of one file, or of all."""
    return ImageTooLarge(f"The upload has more than {max_bytes} bytes.")
