"""Several cards on one picture, and mirrored ones, through the service: each is answered or named, none is mixed."""

import io
import json
from typing import Any

from PIL import Image

from ocr_frontend.documents.registry import builtin
from ocr_frontend.ocr.images import Pixels
from ocr_frontend.ocr.textline import TextLine
from tests.integration.front.fakes import FakeModelServer, FakeReader, Front, picture, running
from tests.unit.front.pages import RECTO
from tests.unit.front.test_front_cards import OTHER, VERSO, page, put

VALUES = {
    "MBARGA": {"nom_surname": "MBARGA", "prenom_given_name": "ELISE"},
    "TCHOUPO": {"nom_surname": "TCHOUPO", "prenom_given_name": "JEAN"},
    "ABENA": {"pere_father": "ABENA", "mere_mother": "NGONO"},
}


def answer(body: dict[str, Any]) -> str:
    """What a base model would say of the text that it is shown; two cards at once are nobody's."""
    [values] = [values for name, values in VALUES.items() if name in body["prompt"]]
    side = "verso" if "ABENA" in body["prompt"] else "recto"
    keys = builtin().readable[f"cni-2018-{side}"].keys
    return json.dumps({key: values.get(key) for key in keys})


class Shows(FakeReader):
    """These lines, whatever the picture."""

    def __init__(self, lines: list[TextLine]) -> None:
        super().__init__()
        self.lines = lines


BOTH = Shows(page(put(RECTO, 40, 40), put(VERSO, 40, 500)))


def based() -> FakeModelServer:
    server = FakeModelServer(answer)
    server.answered_by = "base"
    return server


async def extract(front: Front, document: str = "auto", **form: str) -> dict[str, Any]:
    response = await front.extract(picture(), document, model="base", **form)
    return {"status": response.status_code, **response.json()}


async def test_the_card_asked_for_is_answered_and_the_other_is_named() -> None:
    async with running(BOTH, based()) as front:
        for form, shown, left in (
            ({}, "recto", "verso"),
            ({"document": "cni-2018-verso"}, "verso", "recto"),
            ({"card": "2"}, "verso", "recto"),
        ):
            body = await extract(front, **form)
            assert body["document"] == f"cni-2018-{shown}"
            [told] = [warning for warning in body["warnings"] if warning["code"] == "cards_left_out"]
            assert told["params"] == {"cards": 2, "card": 1 + (shown == "verso"), "others": f"cni-2018-{left}"}
            texts = {line["text"] for line in body["ocr"]["lines"]}
            assert texts == set(RECTO if shown == "recto" else VERSO)
        assert (await extract(front, card="3"))["error"]["message"] == "`card`: the picture shows 2 cards."
        assert (await extract(front, card="none"))["status"] == 422


async def test_boxes_stay_those_of_the_picture() -> None:
    async with running(BOTH, based()) as front:
        body = await extract(front, "cni-2018-verso")
        assert body["fields"]["pere_father"]["value"] == "ABENA"
        assert body["fields"]["pere_father"]["box"][0] == [40, 500 + 30 * VERSO.index("ABENA")]


async def test_two_people_on_one_picture_are_never_mixed() -> None:
    two = Shows(page(put(RECTO, 40, 40), put(OTHER, 700, 40)))
    async with running(two, based()) as front:
        first, second = await extract(front), await extract(front, card="2")
        assert [each["data"]["nom_surname"] for each in (first, second)] == ["MBARGA", "TCHOUPO"]
        assert all("cards_left_out" in [w["code"] for w in each["warnings"]] for each in (first, second))
        response = await front.client.post("/v1/cards", files={"image": ("a.jpg", picture())}, data={"model": "base"})
        body = response.json()
        assert body["data"] is None and [w["code"] for w in body["warnings"]][:1] == ["wrong_side"]
        assert {side["data"]["nom_surname"] for side in body["sides"].values()} == {"MBARGA", "TCHOUPO"}


async def test_cards_that_cannot_be_told_apart_are_refused() -> None:
    woven = [put((text,), left, 60 * row + left)[0] for row, text in enumerate(RECTO) for left in (40, 70)]
    async with running(Shows(woven), based()) as front:
        for document in ("auto", "cni-2018-recto"):
            body = await extract(front, document)
            assert body["status"] == 422 and "Photograph them one by one" in body["error"]["message"]
        assert front.server.bodies == []


async def test_one_picture_of_both_sides_is_one_card() -> None:
    below = Shows(page(put(VERSO, 40, 40), put(RECTO, 40, 500)))
    for reader in (BOTH, below):
        async with running(reader, based()) as front:
            before = reader.reads
            files = {"image": ("a.jpg", picture())}
            response = await front.client.post("/v1/cards", files=files, data={"model": "base"})
            body = response.json()
            assert response.status_code == 200, body
            assert body["document"] == "cni-2018"
            assert [each["code"] for each in body["warnings"]] == ["nothing_compared"]
            assert (body["data"]["nom_surname"], body["data"]["pere_father"]) == ("MBARGA", "ABENA")
            assert [body["sides"][side]["document"] for side in ("recto", "verso")] == [
                "cni-2018-recto", "cni-2018-verso",
            ]  # fmt: skip
            assert reader.reads == before + 1, "the picture is read once"


async def test_one_picture_has_to_show_two_cards() -> None:
    three = page(put(RECTO, 40, 40), put(OTHER, 700, 40), put(VERSO, 40, 500))
    for lines, said in ((put(RECTO, 40, 40), "one side of a card"), (three, "3 cards")):
        async with running(Shows(lines), based()) as front:
            files = {"image": ("a.jpg", picture())}
            response = await front.client.post("/v1/cards", files=files, data={"model": "base"})
            assert response.status_code == 422 and said in response.text
            assert front.server.bodies == []


async def test_of_a_side_s_picture_with_both_that_side_is_read() -> None:
    async with running(BOTH, based()) as front:
        files = {"recto": ("a.jpg", picture()), "verso": ("b.jpg", picture())}
        response = await front.client.post("/v1/cards", files=files, data={"model": "base"})
        body = response.json()
        assert response.status_code == 200, body
        assert body["sides"]["verso"]["document"] == "cni-2018-verso" and body["data"]["pere_father"] == "ABENA"


async def test_less_of_a_card_can_be_asked_for() -> None:
    async with running(BOTH, based()) as front:

        async def post(include: str) -> Any:
            return await front.client.post(
                "/v1/cards", params={"include": include}, files={"image": ("a.jpg", picture())}, data={"model": "base"}
            )

        body = (await post("data")).json()
        assert body["data"]["nom_surname"] == "MBARGA"
        assert set(body["sides"]["recto"]) == {"id", "document", "model", "data", "needs_review", "warnings"}
        body = (await post("quality")).json()
        assert "data" not in body and "MBARGA" not in json.dumps(body)
        assert (await post("everything")).status_code == 422


async def test_both_pictures_wait_for_a_reader_at_once() -> None:
    async with running(BOTH, based()) as front:
        pool, waiting = front.app.state.service.pool, []
        usual = pool.read

        async def read(data: Any) -> Any:
            waiting.append("begun")
            try:
                return await usual(data)
            finally:
                waiting.append("ended")

        pool.read = read
        files = {"recto": ("a.jpg", picture()), "verso": ("b.jpg", picture())}
        response = await front.client.post("/v1/cards", files=files, data={"model": "base"})
        assert response.status_code == 200 and waiting[:2] == ["begun", "begun"]
    async with running(BOTH, based(), ocr_queue=0) as front:
        response = await front.client.post("/v1/cards", files=files, data={"model": "base"})
        assert response.status_code == 200, "without a queue one after the other"


class Mirror(FakeReader):
    """Reads what gets redder to the right and greener to the bottom, as the picture does once it is flipped."""

    def read(self, image: Pixels) -> list[TextLine]:
        self.reads += 1
        if image[0, 0, 0] >= image[0, -1, 0] or image[0, 0, 1] >= image[-1, 0, 1]:
            return [TextLine("XQ", 0.6, line.box) for line in put(RECTO, 10, 10)]
        return put(RECTO, 10, 10)


async def test_a_mirrored_picture_is_read_flipped_and_says_so() -> None:
    out, down = io.BytesIO(), Image.linear_gradient("L").resize((600, 500))
    red_on_the_left = Image.linear_gradient("L").rotate(-90).resize((600, 500))
    Image.merge("RGB", (red_on_the_left, down, down)).save(out, "PNG")
    async with running(Mirror(), based()) as front:
        response = await front.extract(out.getvalue(), "auto", model="base")
        body = response.json()
        assert response.status_code == 200, body
        assert "mirrored" in [warning["code"] for warning in body["warnings"]]
        assert body["data"]["nom_surname"] == "MBARGA"
        # The text's own top left corner, on the picture as it was sent.
        assert body["fields"]["nom_surname"]["box"][0] == [600 - 1 - 10, 10 + 30 * RECTO.index("MBARGA")]


async def test_of_given_lines_too_one_card_is_answered_by_where_they_stand() -> None:
    lines = [{"text": each.text, "box": each.box} for each in BOTH.lines]
    async with running(server=based()) as front:
        for form, shown in (({}, "recto"), ({"card": 2}, "verso"), ({"document": "cni-2018-verso"}, "verso")):
            response = await front.client.post("/v1/extract-lines", json={"model": "base", "lines": lines, **form})
            body = response.json()
            assert body["document"] == f"cni-2018-{shown}" and len(body["ocr"]["lines"]) < len(lines)
            assert "cards_left_out" in [warning["code"] for warning in body["warnings"]]
