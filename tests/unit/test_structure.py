"""Imports only go down (docs/explanation/structure.md), and heavy ones stand in leaf functions."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.imported import names

ROOT = Path(__file__).resolve().parents[2]
OURS = {"adapters", "server", "ocr_frontend", "benchmarks", "deploy"}
# What each package may import of ours. `adapters` sees what a document is; `server` sees the registry side of
# `adapters`; all ask one file how much of the machine there is; both services read one keys file; `deploy` shares with
# `benchmarks` how a French page writes numbers; `benchmarks.publish.settings` writes the page of everybody's settings.
ALLOWED = {
    "adapters": {"adapters", "ocr_frontend.documents"},
    "server": {"server", "adapters.registry", "adapters.adopt", "adapters.cgroup"},
    "ocr_frontend": {"ocr_frontend", "server.auth.keys", "adapters.cgroup"},
    "benchmarks": {
        *("benchmarks", "adapters", "ocr_frontend.documents", "ocr_frontend.ocr.textline"),
        *("ocr_frontend.settings", "server.settings", "server.cpu_lora.settings"),
        *("deploy.up.plan", "deploy.up.usage", "deploy.cluster.plan", "deploy.monitor.plan"),
    },
    "deploy": {"deploy", "benchmarks.publish.french", "adapters.cgroup"},
}


@pytest.mark.parametrize("package", sorted(OURS))
def test_imports_only_go_down(package: str) -> None:
    wrong = []
    for path in (ROOT / package).rglob("*.py"):
        for name in names(path):
            if name.split(".")[0] in OURS and not any(
                name == allowed or name.startswith(f"{allowed}.") for allowed in ALLOWED[package]
            ):
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong, "\n".join(wrong)


# The rooms of the front from the bottom up; those of one row do not know each other.
ROOMS = (
    ("errors",), ("auth", "observability", "bodies", "web"), ("ocr",), ("documents",), ("llm",), ("extraction",),
    ("settings",), ("jobs",), ("api",), ("cli",),
)  # fmt: skip


def test_a_room_of_the_front_imports_only_from_those_below_it() -> None:
    floor = {room: row for row, rooms in enumerate(ROOMS) for room in rooms}
    wrong = []
    for path in (ROOT / "ocr_frontend").rglob("*.py"):
        room = path.relative_to(ROOT / "ocr_frontend").parts[0].removesuffix(".py")
        if room.startswith("__"):
            continue
        for name in names(path):
            parts = name.split(".")
            if parts[0] == "ocr_frontend" and len(parts) > 1 and parts[1] != room and floor[parts[1]] >= floor[room]:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "module", ["adapters.__main__", "server.__main__", "ocr_frontend.__main__", "deploy.up.__main__"]
)
def test_no_command_imports_a_heavy_library_before_it_is_needed(module: str) -> None:
    code = f"import sys, {module}; print([m for m in ('torch', 'vllm', 'paddle', 'transformers') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


# vLLM is touched in one room, with a contract (server/vllm/contract.py), and by what replaces parts of its engine.
TOUCH_VLLM = {"server/vllm", "server/cpu_lora", "server/drafts"}


def test_vllm_is_touched_in_its_own_rooms_alone() -> None:
    outside = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "server").rglob("*.py")
        if str(path.parent.relative_to(ROOT)) not in TOUCH_VLLM
        and any(name.split(".")[0] == "vllm" for name in names(path))
    ]
    assert outside == []
