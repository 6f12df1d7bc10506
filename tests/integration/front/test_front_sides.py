"""`POST /v1/cards`: both pictures in one call."""

import json
from typing import Any

from ocr_frontend.documents.registry import DOCUMENTS
from tests.integration.front.fakes import RECTO_TEXT, VERSO_TEXT, FakeModelServer, FakeReader, picture, running

RECTO, VERSO = DOCUMENTS["cni-2018-recto"].keys, DOCUMENTS["cni-2018-verso"].keys


class TwoSides(FakeReader):
    """Recto and verso by turns."""

    def read(self, image: object) -> list[Any]:  # type: ignore[override]
        self.reads += 1
        from tests.integration.front.fakes import text_lines

        return text_lines(*(RECTO_TEXT if self.reads % 2 else VERSO_TEXT))


def answer(body: dict[str, Any]) -> str:
    keys = RECTO if "NGO MBARGA" in body["prompt"] else VERSO
    values = {"nom_surname": "NGO MBARGA", "pere_father": "ABENA"}
    return json.dumps({key: values.get(key) for key in keys})


async def test_both_sides_in_one_call() -> None:
    server = FakeModelServer(answer)
    server.answered_by = "base"
    async with running(TwoSides(), server) as front:
        files = {"recto": ("a.jpg", picture()), "verso": ("b.jpg", picture())}
        response = await front.client.post("/v1/cards", files=files, data={"model": "base", "version": "2018"})
        body = response.json()
        assert response.status_code == 200, body
        assert body["document"] == "cni-2018" and list(body["data"]) == [*RECTO, *VERSO]
        assert body["data"]["nom_surname"] == "NGO MBARGA" and body["data"]["pere_father"] == "ABENA"
        assert [body["sides"][side]["document"] for side in ("recto", "verso")] == ["cni-2018-recto", "cni-2018-verso"]
        missing = await front.client.post("/v1/cards", files={"recto": ("a.jpg", picture())})
        assert missing.status_code == 400 and "`verso`" in missing.text
        broken = await front.client.post(
            "/v1/cards", files=files | {"verso": ("b.jpg", b"none")}, data={"model": "base"}
        )
        assert broken.status_code == 415 and broken.json()["error"]["message"].startswith("verso: ")
        assert (await front.client.post("/v1/cards", files=files, data={"version": "1999"})).status_code == 422
