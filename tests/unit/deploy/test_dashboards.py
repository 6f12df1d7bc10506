"""The boards: code and JSON agree, every panel is complete, every query asks for metrics that exist."""

import json

import pytest

from deploy.dashboards.boards import rendered
from tests.unit.deploy.names import BOARDS, asked, queries, rules, shown


@pytest.mark.parametrize("name", ["adapters.json", "engine.json", "service.json"])
def test_checked_in_json_is_what_the_code_gives(name: str) -> None:
    """After a change of the code: `python -m deploy.dashboards`."""
    assert (BOARDS / name).read_text() == rendered()[name]


def test_no_board_is_left_over() -> None:
    assert {file.name for file in BOARDS.glob("*.json")} == set(rendered())


def _panels() -> list[dict[str, object]]:
    every = [panel for text in rendered().values() for panel in json.loads(text)["panels"]]
    return [panel for panel in every if panel["type"] != "row"]


def test_every_panel_has_a_unit_and_a_sentence() -> None:
    for panel in _panels():
        assert len(str(panel["description"])) > 20, panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]  # type: ignore[index]
        assert panel["targets"], panel["title"]


def test_a_named_runbook_is_an_alert() -> None:
    pages = {
        str(rule["annotations"]["runbook_url"]).split("/")[-1].removesuffix(".md")
        for rule in rules()
        if "alert" in rule
    }
    for panel in _panels():
        _, _, named = str(panel["description"]).partition("runbook ")
        named = named or str(panel["description"]).partition("Runbook ")[2]
        if named:
            assert named.rstrip(".") in pages, panel["title"]


def test_panels_do_not_overlap() -> None:
    for text in rendered().values():
        seen: set[tuple[int, int]] = set()
        for panel in json.loads(text)["panels"]:
            at = panel["gridPos"]
            cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
            assert not cells & seen, panel["title"]
            assert at["x"] + at["w"] <= 24
            seen |= cells


@pytest.mark.parametrize(("where", "query"), list(queries()))
def test_query_asks_for_metrics_that_exist(where: str, query: str) -> None:
    assert asked(query), where
    assert asked(query) <= shown(), where
