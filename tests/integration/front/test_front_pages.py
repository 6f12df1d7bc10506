"""Several pages through the service: each is answered or named as left out."""

import io

import httpx
from PIL import Image

from tests.integration.front.fakes import FakeModelServer, picture, running
from tests.integration.front.test_front_jobs import finished, submit


def tiff(pages: int) -> bytes:
    out, page = io.BytesIO(), Image.new("RGB", (120, 80))
    page.save(out, "TIFF", save_all=True, append_images=[page] * (pages - 1))
    return out.getvalue()


def a_pdf() -> bytes:
    out, page = io.BytesIO(), Image.new("RGB", (120, 80), "white")
    page.save(out, "PDF", save_all=True, append_images=[page])
    return out.getvalue()


async def test_one_page_is_read_and_the_others_are_named() -> None:
    async with running() as front:
        body = (await front.extract(tiff(2))).json()
        assert ("pages_left_out", {"pages": 2, "page": 1}) in [(w["code"], w["params"]) for w in body["warnings"]]
        body = (await front.extract(a_pdf(), pages="2")).json()
        assert any("page 2 was read" in warning["message"] for warning in body["warnings"])
        beyond = await front.extract(tiff(2), pages="3")
        assert beyond.status_code == 422 and "2 pages" in beyond.text
        assert not any("page" in warning["code"] for warning in (await front.extract(picture())).json()["warnings"])
        files = {"file": ("a.tif", tiff(2))}
        older = await front.client.post("/upload", files=files, data={"version": "2018", "side": "recto"})
        assert older.status_code == 200 and any("2 pages" in warning["message"] for warning in older.json()["warnings"])


async def test_a_job_reads_every_page_or_those_that_are_chosen() -> None:
    async with running(jobs_images=4) as front:
        job = (await submit(front, tiff(2), picture(), b"none")).json()
        assert job["total"] == 4
        body = await finished(front, job["id"])
        assert [(one["number"], one["page"], one["error"] is None) for one in body["results"]] == [
            (0, 1, True), (0, 2, True), (1, 1, True), (2, 1, False),
        ]  # fmt: skip
        chosen = (await submit(front, tiff(3), pages="2-3")).json()
        assert [one["page"] for one in (await finished(front, chosen["id"]))["results"]] == [2, 3]
        many = await submit(front, tiff(5))
        assert many.status_code == 422 and "5 pages" in many.text


async def test_both_sides_in_one_file() -> None:
    async with running(server=FakeModelServer("{}")) as front:
        front.server.answered_by = "base"
        data = {"version": "2018", "model": "base"}

        async def post(**files: bytes) -> httpx.Response:
            sent = {name: (f"{name}.tif", content) for name, content in files.items()}
            return await front.client.post("/v1/cards", files=sent, data=data)

        one, two = await post(image=tiff(2)), await post(recto=tiff(1), verso=tiff(1))
        assert one.status_code == two.status_code == 200, one.text
        assert set(one.json()["sides"]) == {"recto", "verso"}
        wrong = await post(image=tiff(3))
        assert wrong.status_code == 422 and "3 pages" in wrong.text
        assert (await post(image=tiff(2), recto=picture())).status_code == 400
        assert (await post(recto=picture())).status_code == 400
        left = await post(recto=tiff(2), verso=picture())
        assert "recto: The file has 2 pages" in left.text
