"""The base model, made ready by the adapters' own command in the form that is to be served."""

import json
import os
import subprocess
from dataclasses import dataclass

from deploy.up.plan import Plan, Refusal
from deploy.up.screen import Phase

_GO_BACK = "BASE_FORM=bf16 goes back"


@dataclass(frozen=True)
class Base:
    """`folder` is served; adapters are checked against `original`, which is the same or what it was made from."""

    folder: str
    original: str


def make_base(plan: Plan) -> Base:
    """Make it ready and say in which form. Eight bits that cannot be had are no reason not to start. Raises Refusal."""
    asked = "bf16" if plan.form == "auto" and plan.device == "gpu" else plan.form
    failed = ""
    with Phase(
        "embedded base model" if plan.embedded else f"base model {plan.model}", expected=0 if plan.base_ready else 45
    ):
        done = _prepare(plan, asked)
        if done.returncode and asked != "bf16":
            failed = _last(done) or f"it was ended, code {done.returncode}"
            done = _prepare(plan, "bf16")
    if done.returncode:
        raise Refusal(_last(done) or "the base model cannot be made ready")
    made: dict[str, str] = json.loads(done.stdout)
    print(f"  {told(plan, made, failed)}", flush=True)
    return Base(made["folder"], made["original"])


def told(plan: Plan, made: dict[str, str], failed: str) -> str:
    """What was chosen, why, and how to go back. `made`: what the command says; `failed`: why int8 did not."""
    if failed:
        return f"base in {made['form']}, as int8 could not be made: {failed}"
    why = made["why"] or ("DEVICE=gpu" if plan.form == "auto" else f"BASE_FORM={plan.form}")
    return f"base in {made['form']}: {why}" + (f"; {_GO_BACK}" if made["folder"] != made["original"] else "")


def _prepare(plan: Plan, form: str) -> "subprocess.CompletedProcess[str]":
    command = [str(plan.server_env / "bin/python"), "-m", "adapters", "base", plan.model, "--form", form, "--json"]
    path = os.pathsep.join([str(plan.server_env / "bin"), os.environ["PATH"]])
    return subprocess.run(
        command, cwd=plan.root, capture_output=True, text=True, check=False, env={**os.environ, "PATH": path}
    )


def _last(done: "subprocess.CompletedProcess[str]") -> str:
    return (done.stderr.strip().splitlines() or [""])[-1]
