"""`POST /v1/extract` and its neighbours, in process, over a fake OCR and a fake model server."""

import asyncio
import json
import re

import pytest

from ocr_frontend.documents.registry import builtin
from ocr_frontend.ocr.textline import TextLine
from tests.integration.front.fakes import (
    CONTRACT,
    RECTO_FIELDS,
    RECTO_TEXT,
    VERSO_TEXT,
    FakeModelServer,
    FakeReader,
    picture,
    running,
)

DATA = {
    "nom_surname": "NGO MBARGA",
    "prenom_given_name": "Élise {text}",
    "date_of_birth": "01.02.1990",
    "lieu_of_birth": "NGAOUNDÉRÉ",
    "sex": "F",
    "taille": 1.66,
    "profession": "ÉLÈVE",
}


async def test_a_card_comes_back_as_the_contract_says() -> None:
    async with running() as front:
        response = await front.extract(picture(), model="cni")
    body = response.json()
    assert response.status_code == 200, body
    assert list(body) == [
        "id", "document", "model", "data", "fields", "ocr", "timings_ms", "usage", "mrz", "quality", "needs_review",
        "warnings",
    ]  # fmt: skip
    assert body["data"] == DATA and list(body["data"]) == list(RECTO_FIELDS)
    assert body["model"] == "cni@1f3c9a2b4d5e" and body["document"] == "cni-2018-recto"
    assert body["id"] == response.headers["x-request-id"] and len(body["id"]) == 26
    # Line 2 of the prompt is line 3 of the OCR: the blank one has no number.
    assert body["fields"]["nom_surname"] == {
        "value": "NGO MBARGA", "confidence": None, "source": "ocr", "box": [[0, 30], [90, 30], [90, 39], [0, 39]],
        "lines": [3], "normalized": None, "warnings": [], "alternatives": [], "status": "read", "needs_review": False,
        "evidence": {},
    }  # fmt: skip
    assert body["fields"]["date_of_birth"]["normalized"] == "1990-02-01" and body["mrz"] is None
    assert body["ocr"]["size"] == [120, 80] and len(body["ocr"]["lines"]) == len(RECTO_TEXT)
    assert set(body["timings_ms"]) == {"decode", "ocr", "llm", "total"}
    assert body["usage"] == {"prompt_tokens": 240, "completion_tokens": 21}
    assert body["warnings"] == []


async def test_the_request_to_the_model_server() -> None:
    async with running() as front:
        await front.extract(picture())
        [sent] = front.server.bodies
    assert sent["model"] == "cni" and sent["temperature"] == 0 and sent["logprobs"] == 0
    assert sent["prompt"].startswith("<|im_start|>user\nread\nREPUBLIQUE DU CAMEROUN 0\nNOM/SURNAME 1\nNGO MBARGA 2\n")
    assert "Élise {text} 4\n" in sent["prompt"]
    assert set(sent["structured_outputs"]) == {"regex"}


async def test_object_answers_are_found_in_the_lines() -> None:
    answer = DATA | {"taille": 1.66, "lieu_of_birth": "YAOUNDE", "profession": None}
    async with running(server=FakeModelServer(json.dumps(answer))) as front:
        front.server.answered_by = "base"
        body = (await front.extract(picture(), model="base")).json()
    # What stands nowhere is given up, the profession was left empty; one line stands free under the label of each.
    assert body["data"] == answer | {"lieu_of_birth": "NGAOUNDÉRÉ", "profession": "ÉLÈVE"}
    assert body["fields"]["taille"]["box"] is not None and body["fields"]["taille"]["confidence"] is None
    found = body["fields"]["lieu_of_birth"]
    assert (found["source"], found["needs_review"]) == ("rule:taken_from_label", True)
    assert found["alternatives"] == [{"value": "YAOUNDE", "source": "model"}]
    assert [warning["code"] for warning in found["warnings"]] == ["not_in_text", "taken_from_label"]
    filled = body["fields"]["profession"]
    assert (filled["source"], filled["needs_review"]) == ("rule:taken_from_label", True)
    assert [warning["code"] for warning in filled["warnings"]] == ["taken_from_label"]


async def test_the_wrong_side_is_answered_with_a_warning() -> None:
    server = FakeModelServer("[null,null,null,null,null,null,null]")
    async with running(FakeReader(*VERSO_TEXT), server) as front:
        body = (await front.extract(picture())).json()
    assert set(body["data"].values()) == {None}
    assert [(warning["code"], warning["params"]) for warning in body["warnings"]] == [
        ("looks_like_other", {"shown": "cni-2018-verso", "asked": "cni-2018-recto"}),
        ("nothing_found", {"asked": "cni-2018-recto"}),
    ]
    assert body["warnings"][0]["message"] == "The picture looks like cni-2018-verso, not cni-2018-recto."
    assert body["needs_review"] and not any(field["needs_review"] for field in body["fields"].values())


async def test_a_poor_photo_is_answered_with_an_advice() -> None:
    async with running(min_edges=1.0, min_glare=0.0) as front:
        quality = (await front.extract(picture())).json()["quality"]
    assert quality["ok"] is False and quality["checks"]["glare"]["ok"] is True
    assert quality["checks"]["edges"]["advice"] == {
        "fr": "Montrez la carte entière, bords compris.", "en": "Show the whole card with its edges."
    }  # fmt: skip
    assert quality["checks"]["edges"]["threshold"] == 1.0


async def test_the_zone_of_the_2025_verso() -> None:
    fields = [spec.name for spec in builtin().readable["cni-2025-verso"].fields]
    texts = (
        "NUMERO CNI / NIC NUMBER", "DH37800203", "I<CMR9888897944DH37800202<<<<<4505145M3504174CMR<<<<<<<<<<<6",
        "MINJO<<FATOUMATA<<<<<<<<<<<<<<",
    )  # fmt: skip
    answer = json.dumps([1 if name == "identifiant_unique" else None for name in fields])
    async with running(FakeReader(*texts), FakeModelServer(answer)) as front:
        prompt = {"documents": {"cni-2025-verso": {"prefix": "read\n", "fields": fields}}}
        front.server.cards[2]["prompt"] = front.server.cards[1]["prompt"] = CONTRACT | prompt
        body = (await front.extract(picture(), "auto")).json()
    field = body["fields"]["identifiant_unique"]
    assert (field["value"], field["source"]) == ("DH37800202", "mrz")
    assert [warning["code"] for warning in field["warnings"]] == ["mrz_used"]
    assert field["alternatives"] == [{"value": "DH37800203", "source": "ocr"}]
    assert body["data"]["identifiant_unique"] == "DH37800202" and body["document"] == "cni-2025-verso"
    assert body["mrz"] == {
        "format": "TD1", "holds": True, "document_code": "I", "issuing_state": "CMR", "document_number": "988889794",
        "optional_data": "DH37800202", "birth_date": "1945-05-14", "expiry_date": "2035-04-17", "sex": "M",
        "nationality": "CMR", "surname": "MINJO", "given_names": "FATOUMATA", "names_truncated": False, "lines": [2, 3],
    }  # fmt: skip


async def test_the_document_is_found_on_the_picture() -> None:
    async with running() as front:
        files = {"image": ("photo.jpg", picture(), "image/jpeg")}
        body = (await front.client.post("/v1/extract", files=files)).json()
    assert (body["document"], body["data"], body["warnings"]) == ("cni-2018-recto", DATA, [])


async def test_something_else_than_a_card() -> None:
    server = FakeModelServer("[null,null,null,null,null,null,null]")
    async with running(FakeReader("TOTAL 5200 FCFA", "MERCI"), server) as front:
        refused = await front.extract(picture(), "auto")
        assert front.server.bodies == []
        body = (await front.extract(picture())).json()
    assert refused.status_code == 422 and refused.json()["error"]["code"] == "document_not_recognised"
    assert "No labels of a known document" in refused.json()["error"]["message"]
    assert body["warnings"][0]["message"].startswith("The picture does not look like cni-2018-recto.")
    assert body["needs_review"] and not any(field["needs_review"] for field in body["fields"].values())


class FarAway(FakeReader):
    """Lines in the middle of a large picture, so high."""

    def __init__(self, *texts: str, height: int) -> None:
        super().__init__()
        self.lines = [
            TextLine(text, 0.95, ((400, top), (700, top), (700, top + height), (400, top + height)))
            for top, text in zip(range(300, 1000, 60), texts, strict=False)
        ]


@pytest.mark.parametrize(
    ("height", "said"), [(8, "Name the document if it is one. Move closer. / Rapprochez-vous."), (30, "if it is one.")]
)
async def test_a_picture_that_is_not_recognised_is_told_how_to_be(height: int, said: str) -> None:
    async with running(FarAway("TOTAL 5200 FCFA", "MERCI", height=height), min_sharpness=0, min_glare=0) as front:
        refused = await front.extract(picture(size=(1600, 1200)), "auto")
    assert refused.status_code == 422 and refused.json()["error"]["message"].endswith(said)


async def test_a_model_that_was_not_trained_for_what_is_found() -> None:
    async with running(FakeReader(*VERSO_TEXT)) as front:
        refused = await front.extract(picture(), "auto")
    assert refused.status_code == 422 and refused.json()["error"]["code"] == "unknown_document"


async def test_lines_beyond_the_limit_are_reported() -> None:
    server = FakeModelServer("[null,null,null,null,null,null,2]")
    async with running(server=server, max_lines=3) as front:
        body = (await front.extract(picture())).json()
        assert front.server.bodies[0]["prompt"].count("\n") == CONTRACT["suffix"].count("\n") + 2 + 3
    assert ("lines_not_used", {"dropped": 12, "used": 3}) in [(w["code"], w["params"]) for w in body["warnings"]]


async def test_a_switch_between_list_and_request_is_asked_again_in_the_new_words() -> None:
    other = CONTRACT | {"answer": "object", "line": "{text}\n"}
    async with running(server=FakeModelServer(RECTO_ANSWER_OF_OLD, json.dumps(DATA))) as front:
        front.server.cards.append({"id": "cni@777777777777", "parent": "base", "prompt": other})
        front.server.answered_by = "cni@777777777777"
        body = (await front.extract(picture())).json()
        first, second = front.server.bodies
    assert first["model"] == "cni" and "NGO MBARGA 2\n" in first["prompt"]
    assert second["model"] == "cni@777777777777" and "NGO MBARGA\n" in second["prompt"]
    assert body["data"] == DATA and body["model"] == "cni@777777777777"


RECTO_ANSWER_OF_OLD = "[1,1,1,1,1,1,1]"


async def test_upload_for_existing_clients() -> None:
    async with running() as front:
        files = {"file": ("a.png", picture("PNG"), "image/png")}
        form = {"model": "cni", "version": "2018", "side": "recto"}
        response = await front.client.post("/upload", files=files, data=form)
    assert response.status_code == 200
    assert response.json() == {
        "success": True,
        "raw_text": "\n".join(RECTO_TEXT),
        "extracted_data": DATA,
        "warnings": [],
    }


async def test_upload_says_when_the_picture_shows_the_other_side() -> None:
    async with running(FakeReader(*VERSO_TEXT), FakeModelServer("[null,null,null,null,null,null,null]")) as front:
        files = {"file": ("a.png", picture("PNG"), "image/png")}
        body = (await front.client.post("/upload", files=files, data={"side": "recto"})).json()
        asked = {"code": "looks_like_other", "params": {"shown": "cni-2018-verso", "asked": "cni-2018-recto"}}
        assert body["success"] is True
        assert asked in [{"code": told["code"], "params": told["params"]} for told in body["warnings"]]


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"version": "1999"}, "Unknown version; known are auto, 2018, 2025."),
        ({"side": "front"}, "Unknown side; known are recto, verso."),
        ({"version": "2025", "side": "verso"}, "This model was not trained for cni-2025-verso."),
    ],
)
async def test_upload_of_what_is_not_known(form: dict[str, str], says: str) -> None:
    async with running() as front:
        files = {"file": ("a.png", picture("PNG"), "image/png")}
        refused = await front.client.post("/upload", files=files, data=form)
    assert refused.status_code == 422 and refused.json()["error"] | {"request_id": ""} == {
        "code": "unknown_document", "message": says, "request_id": "",
    }  # fmt: skip


async def test_models_and_documents() -> None:
    async with running(models_seconds=60) as front:
        models = (await front.client.get("/models")).json()
        await front.client.get("/models")
        documents = (await front.client.get("/v1/documents")).json()["documents"]
        assert front.server.lists == 1
    assert models["models"][:2] == [
        {"id": "base", "name": "base", "has_adapter": False},
        {"id": "cni", "name": "cni", "has_adapter": True},
    ]
    assert [document["name"] for document in documents] == [
        "cni-2018-recto", "cni-2018-verso", "cni-2025-recto", "cni-2025-verso",
    ]  # fmt: skip
    assert list(documents[0]["schema"]["properties"]) == list(RECTO_FIELDS)
    assert documents[0]["schema"]["required"] == list(RECTO_FIELDS)


async def test_a_new_model_is_found_at_once() -> None:
    async with running(models_seconds=3600) as front:
        await front.client.get("/models")
        front.server.cards.append({"id": "new", "parent": "base", "prompt": CONTRACT})
        assert (await front.extract(picture(), model="new")).status_code == 200


async def test_health_ready_page_and_description() -> None:
    async with running() as front:
        assert (await front.client.get("/health")).json() == {"status": "ok"}
        assert (await front.client.get("/ready")).status_code == 200
        page = await front.client.get("/")
        assert "web/app.js" in page.text and "default-src 'none'" in page.headers["content-security-policy"]
        for name in re.findall(r'(?:src|href)="(web/[^"]+)"', page.text):
            part = await front.client.get(f"/{name}")
            assert part.status_code == 200 and part.headers["content-security-policy"]
        assert (await front.client.get("/web/index.html")).status_code == 404
        assert (await front.client.get("/web/..%2fsettings.py")).status_code == 404
        paths = (await front.client.get("/openapi.json")).json()["paths"]
        assert "multipart/form-data" in paths["/v1/extract"]["post"]["requestBody"]["content"]


async def test_metrics_count_by_route_template_and_code() -> None:
    async with running() as front:
        await front.extract(picture())
        await front.extract(b"text")
        await front.client.get("/no/such/route")
        text = (await front.client.get("/metrics")).text
    assert 'ocr_front_requests_total{route="/v1/extract",status="2xx"} 1.0' in text
    assert 'ocr_front_requests_total{route="other",status="4xx"} 1.0' in text
    assert 'ocr_front_errors_total{code="not_an_image"} 1.0' in text
    for stage in ("queue", "decode", "ocr", "llm", "validate", "total"):
        assert f'ocr_front_stage_duration_seconds_count{{stage="{stage}"}} 1.0' in text
    memory = next(line for line in text.splitlines() if line.startswith("ocr_front_resident_memory_bytes"))
    assert float(memory.split()[1]) > 1e7


@pytest.mark.parametrize("given", [None, "Bearer wrong", "Basic right", "right"])
async def test_keys(given: str | None) -> None:
    async with running(keys="right,other") as front:
        headers = {} if given is None else {"Authorization": given}
        refused = await front.client.get("/models", headers=headers)
        assert refused.status_code == 401 and refused.json()["error"]["code"] == "unauthorized"
        assert (await front.client.get("/models", headers={"Authorization": "Bearer other"})).status_code == 200
        assert (await front.client.get("/health")).status_code == 200


async def test_two_cards_at_once_share_one_reader() -> None:
    async with running() as front:
        answers = await asyncio.gather(*(front.extract(picture()) for _ in range(5)))
    assert [answer.status_code for answer in answers] == [200] * 5


@pytest.mark.parametrize("model", ["cni", "base"])
async def test_an_answer_that_runs_on_counts_as_far_as_it_is_whole(model: str) -> None:
    text = '[2,4,"01.02.1990,,,' if model == "cni" else '{"nom_surname":"NGO MBARGA","prenom_given_name":"A A A A A'
    async with running(server=FakeModelServer(text)) as front:
        front.server.finish_reason, front.server.answered_by = "length", model
        response = await front.extract(picture(), model=model)
        await asyncio.sleep(0)
        body = response.json()
        assert response.status_code == 200, body
        assert [told["outcome"] for told in front.server.feedback] == ["invalid_json"]
    assert body["data"]["nom_surname"] == "NGO MBARGA" and body["needs_review"]
    cut = [key for key, each in body["fields"].items() if "answer_cut" in {w["code"] for w in each["warnings"]}]
    assert cut == list(RECTO_FIELDS)[2 if model == "cni" else 1 :]
    assert all(body["fields"][key]["needs_review"] for key in cut)


async def test_an_answer_without_a_whole_element_is_nulls_to_look_at() -> None:
    async with running(server=FakeModelServer('["A A A A A A A')) as front:
        front.server.finish_reason = "length"
        response = await front.extract(picture())
        await asyncio.sleep(0)
        assert [told["outcome"] for told in front.server.feedback] == ["invalid_json"]
    fields = response.json()["fields"].values()
    assert response.status_code == 200 and all(each["needs_review"] for each in fields)
    assert all("answer_cut" in {warning["code"] for warning in each["warnings"]} for each in fields)
    assert "A A A" not in response.text


async def test_an_answer_that_was_cut_before_it_began_is_none() -> None:
    async with running(server=FakeModelServer("<think>The card")) as front:
        front.server.finish_reason = "length"
        response = await front.extract(picture())
    assert (response.status_code, response.json()["error"]["code"]) == (502, "invalid_answer")
