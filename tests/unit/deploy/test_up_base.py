"""`make up` serves the form that was chosen, says so in one line, and starts in bf16 where int8 cannot be had."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.up import __main__ as up
from deploy.up.base import Base, make_base
from deploy.up.plan import DEFAULT_FORM, Plan, Refusal, read_plan

ORIGINAL, COPY = "/cache/bases/Q", "/cache/bases/int8-1-abc/Q"
AS_IT_IS = {"folder": ORIGINAL, "original": ORIGINAL, "form": "bf16", "why": ""}
ROUNDED = {"folder": COPY, "original": ORIGINAL, "form": "int8", "why": ""}


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    places = tmp_path / "s", tmp_path / "f"
    return Plan(tmp_path, tmp_path / "cache", "/m/Q", "cpu", 1, 2, *places, adapters=tmp_path / "r", form="auto")


def _answers(plan: Plan, **by_form: str) -> Path:
    """In place of the server's Python: what it does when it is asked for each form; the log of what was asked."""
    python = plan.server_env / "bin" / "python"
    python.parent.mkdir(parents=True)
    cases = "\n".join(f'  *"--form {form} "*) {does} ;;' for form, does in by_form.items())
    python.write_text(f'#!/bin/sh\necho "$*" >> {plan.root}/asked\ncase "$* " in\n{cases}\nesac\n')
    python.chmod(0o755)
    return plan.root / "asked"


def _says(made: dict[str, str]) -> str:
    return f"echo '{json.dumps(made)}'"


def _fails(sentence: str) -> str:
    return f"echo working >&2; echo '{sentence}' >&2; exit 2"


def test_what_was_chosen_and_how_to_go_back_is_one_line(plan: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    asked = _answers(plan, auto=_says({**ROUNDED, "why": "the processor has AVX512-VNNI"}))
    assert make_base(plan) == Base(COPY, ORIGINAL)
    assert asked.read_text() == "-m adapters base /m/Q --form auto --json\n"
    out = capsys.readouterr().out
    assert out == "  base in int8: the processor has AVX512-VNNI; BASE_FORM=bf16 goes back\n"


def test_on_a_gpu_nothing_is_rounded_unless_it_is_asked_for(plan: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    gpu = replace(plan, device="gpu")
    _answers(gpu, bf16=_says(AS_IT_IS), int8=_says(ROUNDED))
    assert make_base(gpu) == Base(ORIGINAL, ORIGINAL)
    assert capsys.readouterr().out == "  base in bf16: DEVICE=gpu\n"
    assert make_base(replace(gpu, form="int8")) == Base(COPY, ORIGINAL)
    assert capsys.readouterr().out == "  base in int8: BASE_FORM=int8; BASE_FORM=bf16 goes back\n"


def test_a_base_that_is_quantized_stays_as_it_is(plan: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    _answers(plan, auto=_says({**AS_IT_IS, "form": "int4", "why": "it is quantized already"}))
    assert make_base(plan) == Base(ORIGINAL, ORIGINAL)
    assert capsys.readouterr().out == "  base in int4: it is quantized already\n"


@pytest.mark.parametrize("form", ["auto", "int8"])
@pytest.mark.parametrize(
    ("does", "sentence"),
    [(_fails("int8 of Q needs 9.0 GiB of memory and 1.0 are free: free some."), "int8 of Q needs 9.0 GiB of memory"),
     ("kill -9 $$", "it was ended, code -9")],
)  # fmt: skip
def test_where_int8_cannot_be_made_it_starts_in_bf16_and_says_why(
    plan: Plan, form: str, does: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _answers(plan, **{form: does, "bf16": _says(AS_IT_IS)})
    assert make_base(replace(plan, form=form)) == Base(ORIGINAL, ORIGINAL)
    out = capsys.readouterr().out
    assert out.startswith(f"  base in bf16, as int8 could not be made: {sentence}")
    assert out.count("\n") == 1


def test_a_base_that_cannot_be_had_at_all_is_one_sentence(plan: Plan) -> None:
    _answers(plan, auto=_fails("nowhere."), bf16=_fails("owner/Q cannot be had from the hub."))
    with pytest.raises(Refusal, match=r"^owner/Q cannot be had from the hub\.$"):
        make_base(plan)


def test_the_form_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("BASE_FORM", raising=False)
    monkeypatch.setenv("DEVICE", "cpu")
    assert read_plan(tmp_path).form == DEFAULT_FORM
    monkeypatch.setenv("BASE_FORM", "bf16")
    assert read_plan(tmp_path).form == "bf16"
    monkeypatch.setenv("BASE_FORM", "int3")
    with pytest.raises(Refusal, match=r"^BASE_FORM=int3 is not one of auto, bf16, int8\.$"):
        read_plan(tmp_path)


def test_the_copy_is_served_under_the_originals_name_and_adapters_are_judged_by_the_original(
    plan: Plan, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "Q").mkdir()
    plan = replace(plan, model=str(tmp_path / "Q"))
    monkeypatch.delenv("SERVER_MODEL_NAME", raising=False)
    seen: dict[str, object] = {}

    def check_fit(plan: Plan, command: list[str], environment: dict[str, str]) -> str:
        seen["server"] = command[command.index("--model") + 1 : command.index("--model") + 4]
        return ""

    def adopt(plan: Plan, base: str) -> None:
        seen["adopt"] = base

    def find_served(plan: Plan, base: str, name: str, adopted: str | None) -> None:
        seen["serving"] = base
        raise Refusal("far enough")

    for fake in (check_fit, adopt, find_served):
        monkeypatch.setattr(up, fake.__name__, fake)
    with pytest.raises(Refusal, match="far enough"):
        up._serve(plan, Base(COPY, ORIGINAL))
    assert seen == {"server": [COPY, "--model-name", "Q"], "adopt": ORIGINAL, "serving": ORIGINAL}


def test_an_int8_copy_is_not_taken_for_the_converted_base(tmp_path: Path, plan: Plan) -> None:
    embedded = replace(plan, model="embedded")
    copy = embedded.cache / "cni-lora-server/bases/int8-1-abc/Q"
    copy.mkdir(parents=True)
    (copy / "config.json").touch()
    assert not embedded.base_ready
