"""Corrections: off unless set, of one's own answers alone, exported as training reads them, gone after their time."""

import json
from pathlib import Path

from adapters.training.recorded_samples import recorded
from tests.integration.front.fakes import picture, running
from tests.integration.front.test_front_keys import bearer, keys_file

RIGHT = {"fields": {"nom_surname": "NGO MBARGA EPSE ABENA", "lieu_of_birth": "F", "profession": None}}


async def test_off_unless_set() -> None:
    async with running() as front:
        answer = (await front.extract(picture())).json()
        refused = await front.client.put(f"/v1/results/{answer['id']}", json=RIGHT)
        assert refused.status_code == 404 and "OCR_FRONT_CORRECTIONS" in refused.text


async def test_what_is_put_right_becomes_a_sample(tmp_path: Path) -> None:
    async with running(corrections=True) as front:
        assert (await front.client.get("/ready")).json()["answers"] == "kept"  # the page says so
        answer = (await front.extract(picture())).json()
        address = f"/v1/results/{answer['id']}"
        body = (await front.client.put(address, json=RIGHT)).json()
        assert body["data"]["nom_surname"] == "NGO MBARGA EPSE ABENA" and body["data"]["sex"] == "F"
        [first, *_] = body["corrections"]
        assert (first["field"], first["old"], first["by"]) == ("nom_surname", "NGO MBARGA", "local") and first["at"]
        again = (await front.client.put(address, json=RIGHT)).json()
        assert again["corrections"] == body["corrections"], "the same again is no correction"
        for wrong in ({"fields": {"photo": "x"}}, {"fields": {"sex": ["F"]}}, {"fields": {"sex": "x" * 300}}):
            assert (await front.client.put(address, json=wrong)).status_code == 422
        for wrong in ({}, [], {"fields": 1}, {"fields": {}, "x": 1}):
            assert (await front.client.put(address, json=wrong)).status_code == 400
        assert (await front.client.put(address, content=b"[" * 60_000)).status_code == 400
        await front.extract(picture())  # not corrected: no sample
        rows = (await front.client.get("/v1/corrections")).text.splitlines()
        assert len(rows) == 1 and json.loads(rows[0])["corrections"] == body["corrections"]
        file = tmp_path / "corrections.jsonl"
        file.write_text(rows[0] + "\n")
        [sample] = recorded(file, ["cni-2018-recto"])
        assert sample.targets[0] == "NGO MBARGA EPSE ABENA" and sample.lines[sample.targets[3]] == "F"  # type: ignore[index]
        assert sample.targets[-1] is None and sample.lines[sample.targets[1]] == answer["data"]["prenom_given_name"]  # type: ignore[index]
        assert (await front.client.delete(address)).status_code == 204
        assert (await front.client.get("/v1/corrections")).text == ""
        assert (await front.client.put(address, json=RIGHT)).status_code == 404


async def test_nobody_else_s_and_only_for_a_while(tmp_path: Path) -> None:
    names = [("one", ["inference"]), ("other", ["inference"]), ("admin", ["admin"])]
    file = keys_file(tmp_path, *({"id": name, "scopes": scopes} for name, scopes in names))
    async with running(keys_file=file, corrections=True) as front:
        files, data = {"image": ("a.jpg", picture())}, {"document": "cni-2018-recto"}
        answer = await front.client.post("/v1/extract", files=files, data=data, headers=bearer("one"))
        address = f"/v1/results/{answer.json()['id']}"
        assert (await front.client.put(address, json=RIGHT, headers=bearer("other"))).status_code == 404
        assert (await front.client.put(address, json=RIGHT, headers=bearer("one"))).status_code == 200
        assert (await front.client.get("/v1/corrections", headers=bearer("one"))).status_code == 403
        assert (await front.client.get("/v1/corrections")).status_code == 401
        assert "EPSE" in (await front.client.get("/v1/corrections", headers=bearer("admin"))).text
        jobs = front.app.state.service.jobs
        later = jobs.store._clock() + 1e8
        jobs.store._clock = lambda: later
        await jobs.retention.sweep()
        assert (await front.client.get("/v1/corrections", headers=bearer("admin"))).text == ""
        for table in ("answers", "corrections"):
            rows = await jobs.store._database.run(lambda execute, name=table: execute(f"SELECT * FROM cni_{name}"))  # type: ignore[misc]
            assert rows == []


async def test_an_answer_that_expired_before_the_sweep_hides_no_other() -> None:
    async with running(corrections=True) as front:
        first, second = [(await front.extract(picture())).json()["id"] for _ in range(2)]
        for name in (first, second):
            assert (await front.client.put(f"/v1/results/{name}", json=RIGHT)).status_code == 200
        database = front.app.state.service.jobs.store._database
        await database.run(lambda execute: execute("UPDATE cni_answers SET expires = 1 WHERE id = ?", (first,)))
        exported = await front.client.get("/v1/corrections")
    assert exported.status_code == 200
    assert [json.loads(row)["id"] for row in exported.text.splitlines()] == [second]
