"""The registry folder: the one that was named, else the user's own, made ready by the adapters' own command."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

from deploy.up.plan import Plan, Refusal


def with_registry(plan: Plan) -> Plan:
    """The plan with its registry folder, once the server's environment is there. Raises Refusal."""
    if plan.adapters is not None:
        return plan
    path = os.pathsep.join([str(plan.server_env / "bin"), os.environ["PATH"]])
    done = subprocess.run(
        [str(plan.server_env / "bin/python"), "-m", "adapters", "registry", "where"],
        cwd=plan.root, capture_output=True, text=True, check=False, env={**os.environ, "PATH": path},
    )  # fmt: skip
    told = done.stderr.strip().splitlines()
    if done.returncode:
        raise Refusal(told[-1] if told else "the registry folder cannot be found")
    for line in told:
        print(f"  {line}", flush=True)
    return replace(plan, adapters=Path(done.stdout.strip()))
