"""Forms as browsers, phones and attackers write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_frontend.api.multipart import FormReader, boundary_of
from ocr_frontend.errors import BadRequest, FrontError, ImageTooLarge, Unprocessable

PARTS, FIELDS = {"image": 2}, ("document", "model")


def part(disposition: str, body: bytes, *headers: str) -> bytes:
    head = "\r\n".join((f"Content-Disposition: form-data; {disposition}", *headers))
    return b"--x\r\n" + head.encode() + b"\r\n\r\n" + body + b"\r\n"


def read(*parts: bytes, end: bytes = b"--x--\r\n", chunk: int = 7, max_bytes: int = 1000) -> FormReader:
    form = FormReader(b"x", PARTS, FIELDS, max_bytes)
    data = b"".join(parts) + end
    for start in range(0, len(data), chunk):
        form.write(data[start : start + chunk])
    form.end()
    return form


FILE = part('name="image"; filename="a.jpg"', b"\x00picture\r\n--y")


def test_files_and_fields() -> None:
    form = read(FILE, part('name="document"', "auto é".encode()), FILE)
    assert form.files == {"image": [b"\x00picture\r\n--y"] * 2} and form.fields == {"document": "auto é"}


@pytest.mark.parametrize(
    "disposition",
    ["name=\"image\"; filename*=UTF-8''caf%C3%A9.jpg", 'name=image; filename=""', 'filename="a"; name="image"'],
)
def test_a_file_however_it_is_named(disposition: str) -> None:
    assert read(part(disposition, b"x")).files == {"image": [b"x"]}


@pytest.mark.parametrize(
    "header",
    [
        "multipart/form-data; boundary=x",
        "Multipart/Form-Data; Boundary=x",
        'multipart/form-data; charset=undefined; boundary="x"',
    ],
)
def test_content_types(header: str) -> None:
    assert boundary_of(header) == b"x"


@pytest.mark.parametrize("header", ["", "application/json", "multipart/mixed; boundary=x", "multipart/form-data"])
def test_what_is_no_form(header: str) -> None:
    assert boundary_of(header) is None


def test_a_misspelt_field_is_refused_with_what_is_meant() -> None:
    with pytest.raises(Unprocessable, match="Is `document` meant") as refused:
        read(FILE, part('name="documnet"', b"auto"))
    assert "documnet" not in refused.value.message


def test_a_doubled_field_is_refused() -> None:
    with pytest.raises(Unprocessable, match="`document` more than once"):
        read(part('name="document"', b"a"), part('name="document"', b"a"))


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        ((FILE, FILE, FILE), BadRequest),
        ((part('name="photo"; filename="a"', b"x"),), BadRequest),
        ((part('name="image"', b"text"),), BadRequest),
        ((part('name="model"', b"\xff"),), BadRequest),
        ((part('name="model"', b"x" * 5000),), BadRequest),
        ((b"--x\r\nContent-Type: text/plain\r\n\r\nx\r\n",), BadRequest),
        ((part('name="image"; filename="a"', b"x" * 1001),), ImageTooLarge),
    ],
)
def test_refusals(parts: tuple[bytes, ...], error: type[FrontError]) -> None:
    with pytest.raises(error):
        read(*parts)


def test_a_form_that_is_cut_off() -> None:
    with pytest.raises(BadRequest, match="cut off"):
        read(FILE, end=b"")


@given(st.binary(max_size=300), st.integers(1, 50))
def test_any_bytes_are_refused_or_read(data: bytes, chunk: int) -> None:
    try:
        read(FILE, data, chunk=chunk)
    except FrontError as error:
        assert error.status in (400, 413, 422)


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=2), st.integers(1, 60))
def test_what_was_sent_arrives_in_any_chunks(bodies: list[bytes], chunk: int) -> None:
    bodies = [body.replace(b"--x", b"") for body in bodies]
    assert read(*(part('name="image"; filename="a"', body) for body in bodies), chunk=chunk).files["image"] == bodies
