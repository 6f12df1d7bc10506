"""Marked values through every path: they are in the answer to the one who asked, and nowhere else."""

import json
import logging

import httpx
import pytest

from tests.integration.front.fakes import RECTO_TEXT, FakeModelServer, FakeReader, picture, running

MARK = "QXZJVMARK"
TEXTS = (*RECTO_TEXT[:3], f"{MARK}NAME", *RECTO_TEXT[4:12], f"F {MARK}", *RECTO_TEXT[13:])
OBJECT = json.dumps({"nom_surname": f"{MARK}ANSWER", "sex": MARK, "taille": MARK, "date_of_birth": f"{MARK} 99.99.99"})


@pytest.mark.parametrize(
    "answer",
    [
        "[2,4,6,8,11,12,14]",
        f'["{MARK}ANSWER",4,6,8,11,12,"{MARK}"]',
        f'["{MARK}',
        OBJECT,
        400,
        404,
        500,
        httpx.ReadTimeout(f"{MARK}"),
        httpx.ConnectError(f"{MARK}"),
        RuntimeError(f"{MARK}"),
    ],
)
@pytest.mark.parametrize("model", ["cni", "base"])
async def test_marked_values_stay_inside(
    answer: str | int | Exception, model: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    async with running(FakeReader(*TEXTS), FakeModelServer(answer)) as front:
        for image in (picture(), picture()[:500], MARK.encode()):
            files = {"image": (f"{MARK}.jpg", image, "image/jpeg")}
            form = {"document": "cni-2018-recto", "model": model, "other": MARK}
            response = await front.client.post("/v1/extract", files=files, data=form)
            if response.status_code != 200:
                assert MARK not in response.text
            assert MARK not in str(response.headers)
        for form in ({"document": MARK}, {"document": "cni-2018-recto", "model": MARK}):
            files = {"image": ("a.jpg", picture())}
            assert MARK not in (await front.client.post("/v1/extract", files=files, data=form)).text
        assert MARK not in (await front.client.get("/metrics")).text
    assert MARK not in caplog.text
    out = capfd.readouterr()
    assert MARK not in out.out + out.err
