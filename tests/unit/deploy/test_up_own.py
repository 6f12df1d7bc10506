"""`make up MODEL= ADAPTER=`: what is chosen and said around the services, without starting any."""

import shlex
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deploy.up import memory, own, preflight
from deploy.up.__main__ import curl, model_name
from deploy.up.own import Served, choose, server_rank
from deploy.up.plan import Plan, Refusal, check_settings, read_plan
from deploy.up.registry import with_registry

BASE = "Qwen3-0.6B"


def _able(*documents: str, rank: int = 16) -> dict[str, Any]:
    return {"documents": list(documents), "rank": rank, "refused": None}


REFUSED = {"documents": [], "rank": 0, "refused": "The adapter is for another base."}


@pytest.fixture(autouse=True)
def _without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MODEL", "SERVER_MODEL", "SERVER_MODEL_NAME", "SERVER_ADAPTERS_DIR", "OCR_FRONT_MODEL", "ADAPTER"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    ports = []
    for _ in range(2):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            ports.append(probe.getsockname()[1])
    places = tmp_path / "s", tmp_path / "f"
    return Plan(tmp_path, tmp_path / "c", "embedded", "cpu", *ports, *places, adapters=tmp_path / "registry")


def test_the_only_adapter_that_can_serve_is_the_default() -> None:
    served = choose({"cni": REFUSED, "checkpoint-938": _able()}, BASE, None, None)
    assert (served.default, served.others) == ("checkpoint-938", (BASE,))
    assert served.refused == {"cni": "The adapter is for another base."}


def test_of_several_the_adopted_one_else_the_shipped_one_and_the_rest_is_named() -> None:
    found = {"cni": _able("cni-2018-recto"), "a": _able(), "b": _able("invoice")}
    assert choose(found, BASE, "b", None).default == "b"
    assert choose(found, BASE, "b", None).document == "invoice", "the printed line asks for what it was trained on"
    assert choose(found, BASE, None, None).default == "cni"
    assert choose({"b": _able(), "a": _able()}, BASE, None, None).default == "a"
    assert choose(found, BASE, None, None).others == ("a", "b", BASE)
    assert choose(found, BASE, "b", "a").default == "a", "what the caller set stays"


def test_without_an_adapter_the_base_answers() -> None:
    served = choose({"cni": REFUSED}, BASE, None, None)
    assert (served.default, served.document, served.others) == (BASE, "cni-2018-recto", ())


def test_an_adapter_that_cannot_serve_is_said_before_the_start() -> None:
    with pytest.raises(Refusal, match=r"ADAPTER=x cannot serve on Qwen3-0\.6B: The adapter is for another base\."):
        choose({"x": REFUSED}, BASE, "x", None)


def test_the_server_takes_the_rank_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SERVER_MAX_LORA_RANK", raising=False)
    assert server_rank(Served("a", rank=16)) == {}
    assert server_rank(Served("a", rank=17)) == {"SERVER_MAX_LORA_RANK": "32"}
    monkeypatch.setenv("SERVER_MAX_LORA_RANK", "128")
    assert server_rank(Served("a", rank=17)) == {}


@pytest.mark.parametrize(("ours", "servers", "model"), [("/a", "", "/a"), ("", "/a", "/a"), ("/a", "/a", "/a")])
def test_the_servers_own_variable_names_the_base_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ours: str, servers: str, model: str
) -> None:
    monkeypatch.setenv("MODEL", ours)
    monkeypatch.setenv("SERVER_MODEL", servers)
    assert read_plan(tmp_path).model == model


def test_two_bases_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MODEL", "/a")
    monkeypatch.setenv("SERVER_MODEL", "runs/base-int8")
    with pytest.raises(Refusal, match="MODEL=/a and SERVER_MODEL=runs/base-int8 name two bases"):
        read_plan(tmp_path)


def test_no_setting_is_passed_over_in_silence(monkeypatch: pytest.MonkeyPatch, plan: Plan, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"OCR_FRONT_PORT=9 is not what make up starts.*give FRONT_PORT instead"):
        check_settings({"OCR_FRONT_PORT": "9"}, plan)
    with pytest.raises(Refusal, match="OCR_FRONT_SERVER_URL"):
        check_settings({"OCR_FRONT_SERVER_URL": "http://elsewhere:8000"}, plan)
    check_settings({"OCR_FRONT_PORT": str(plan.front_port), "OCR_FRONT_SERVER_URL": f"{plan.server_url}/"}, plan)
    monkeypatch.setenv("SERVER_ADAPTERS_DIR", str(tmp_path / "mine"))
    assert read_plan(tmp_path).registry == tmp_path / "mine"
    monkeypatch.setenv("SERVER_MODEL_NAME", "mine")
    assert model_name(plan) == "mine"


@pytest.mark.parametrize("given", ["/nowhere/checkpoint-938", "./x", "a/b/c.tar.gz"])
def test_an_adapter_that_is_nowhere_is_one_line(plan: Plan, given: str) -> None:
    with pytest.raises(Refusal, match=f"ADAPTER={given} does not exist"):
        preflight.check_adapter(replace(plan, adapter=given))
    preflight.check_adapter(replace(plan, adapter="owner/name"))
    preflight.check_adapter(replace(plan, adapter="hf://owner/name/more"))


def test_the_printed_line_is_one_command_whatever_the_names(plan: Plan, tmp_path: Path) -> None:
    odd = replace(plan, root=tmp_path / "a clone; with $signs")
    words = shlex.split(curl(odd, Served("x", document="an invoice")))
    assert words[:4] == ["curl", "-s", "-F", f"image=@{odd.root}/docs/sample-2018-recto.jpg"]
    assert words[5] == "document=an invoice"


def test_the_advice_of_the_memory_fit_works_from_a_clone() -> None:
    said = memory.told(
        "[server] cannot start: Q does not fit: serve runs/Q-int8 instead, 0.4 GiB smaller, which "
        "'python -m adapters quantize --base /m/Q --method int8 --out runs/Q-int8' makes."
    )
    assert "'.venv-server/bin/python -m adapters quantize --base /m/Q" in said
    assert said.endswith("Then: make up MODEL=runs/Q-int8")


def test_what_the_front_takes_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SERVER_RESERVE_GIB", raising=False)
    monkeypatch.setenv("OCR_FRONT_OCR_WORKERS", "2")
    assert memory.reserve() == {"SERVER_RESERVE_GIB": "2.25"}
    monkeypatch.delenv("OCR_FRONT_OCR_WORKERS")
    monkeypatch.setattr("deploy.up.memory.usable_cores", lambda: 12)
    assert memory.reserve() == {"SERVER_RESERVE_GIB": "3.25"}
    monkeypatch.setenv("SERVER_RESERVE_GIB", "0")
    assert memory.reserve() == {}


def test_a_name_of_the_registry_is_not_adopted_again(plan: Plan) -> None:
    (plan.registry / "checkpoint-938").mkdir(parents=True)
    assert own.adopt(replace(plan, adapter="checkpoint-938"), "/base") == "checkpoint-938"
    assert own.adopt(plan, "/base") is None
    inside = str(plan.registry / "checkpoint-938")
    assert own.adopt(replace(plan, adapter=inside), "/base") == "checkpoint-938", "it is served from where it lies"


def _python(plan: Plan, script: str) -> None:
    """What stands for the server's Python."""
    (plan.server_env / "bin").mkdir(parents=True)
    (plan.server_env / "bin/python").write_text(f"#!/bin/sh\n{script}\n")
    (plan.server_env / "bin/python").chmod(0o755)


def test_a_registry_that_nobody_named_is_asked_for_and_what_it_says_is_shown(
    plan: Plan, capsys: pytest.CaptureFixture[str]
) -> None:
    unnamed = replace(plan, adapters=None)
    with pytest.raises(Refusal, match="SERVER_ADAPTERS_DIR"):
        _ = unnamed.registry
    _python(plan, 'echo "$*" >&2; echo /data/cni-lora-server/registry')
    assert with_registry(unnamed).registry == Path("/data/cni-lora-server/registry")
    assert capsys.readouterr().out == "  -m adapters registry where\n"
    assert with_registry(plan) is plan, "a named one is used as it is"


def test_a_registry_that_cannot_be_made_is_one_sentence(plan: Plan) -> None:
    _python(plan, 'echo "The registry folder /x cannot be used (why)." >&2; exit 2')
    with pytest.raises(Refusal, match=r"^The registry folder /x cannot be used \(why\)\.$"):
        with_registry(replace(plan, adapters=None))
