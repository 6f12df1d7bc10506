"""An adapter that learned on another form of the base is served, and the log says so, once."""

import logging
from pathlib import Path
from typing import Any

import pytest

from tests.support.tiny_models import manifest_for, write_adapter


@pytest.mark.parametrize(("form", "warned"), [("nf4", 1), ("bf16", 0)])
async def test_another_form_of_the_base_is_told(
    form: str, warned: int, root: Path, base_folder: Path, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The server's own handler and caplog's may both be in place: asked at the one place that every record passes once.
    records: list[logging.LogRecord] = []
    monkeypatch.setattr(logging.getLogger("server.plane"), "handle", records.append)
    write_adapter(root / "reader", manifest=manifest_for(base_folder, "reader", trained_on={"form": form}))
    async with start() as server:
        for _ in range(2):
            answer = await server.ask("reader")
            assert answer.status_code == 200, answer.text
    told = [record.getMessage() for record in records if "was trained on the base in" in record.getMessage()]
    assert len(told) == warned
    assert all("in nf4, this server has it in bf16" in line for line in told)
