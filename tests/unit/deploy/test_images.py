"""Dockerfiles and compose: linted, hardened, and naming only settings, files and secrets that exist."""

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from ocr_frontend.auth.keys import read_keys as read_front_keys
from ocr_frontend.settings import Settings as FrontSettings
from server.auth.keys import read_keys
from server.settings import Settings as ServerSettings
from tests.support.imported import imported
from tests.unit.deploy.names import ROOT

IMAGES, COMPOSE = ROOT / "deploy" / "images", ROOT / "deploy" / "compose"
_DOCKERFILES = sorted(IMAGES.glob("*.Dockerfile"))
_BUILD_TOOLS = ("build-essential", "g++", "cmake", "git", "uv pip", "pip install")


def _compose() -> dict[str, Any]:
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", (COMPOSE / "compose.yaml").read_text())
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def _stages(file: Path) -> dict[str, str]:
    """Name to text of each stage."""
    parts = re.split(r"(?m)^FROM \S+ AS (\w+)\n", file.read_text())
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("file", _DOCKERFILES, ids=lambda file: file.name)
def test_hadolint_finds_nothing(file: Path) -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    command = [str(hadolint), "-c", str(IMAGES / "hadolint.yaml"), str(file)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("file", _DOCKERFILES, ids=lambda file: file.name)
def test_final_stage_is_slim_and_not_root(file: Path) -> None:
    final = _stages(file)["runtime"]
    assert "HEALTHCHECK" in final
    assert re.findall(r"(?m)^USER (.+)$", final)[-1] == "10001:10001"
    assert not [tool for tool in _BUILD_TOOLS if tool in final]
    assert "-slim-" in file.read_text()


def test_the_routers_image_is_its_lock_and_its_command() -> None:
    text = (IMAGES / "router.Dockerfile").read_text()
    assert "-r requirements/router.lock" in text
    assert 'ENTRYPOINT ["vllm-router"]' in _stages(IMAGES / "router.Dockerfile")["runtime"]
    locked = re.search(r"(?m)^vllm-router==(\S+)", (ROOT / "requirements/router.lock").read_text())
    assert locked is not None
    component = yaml.safe_load((ROOT / "deploy/kubernetes/components/router/kustomization.yaml").read_text())
    assert component["images"] == [{"name": "cni-router", "newTag": locked[1]}]


def test_gpu_stage_adds_only_tritons_compiler() -> None:
    gpu = _stages(IMAGES / "server.Dockerfile")["gpu"]
    assert "gcc libc6-dev" in gpu
    assert re.findall(r"(?m)^USER (.+)$", gpu)[-1] == "10001:10001"


@pytest.mark.parametrize(("cuda", "says"), [("'12.8'", ""), ("None", "the target gpu takes --build-arg DEVICE=gpu")])
def test_gpu_stage_refuses_the_cpus_build_of_pytorch(cuda: str, says: str, tmp_path: Path) -> None:
    [check] = re.findall(r'(?m)^RUN python -c "(.+)"$', _stages(IMAGES / "server.Dockerfile")["gpu"])
    (tmp_path / "torch.py").write_text(f"class version:\n    cuda = {cuda}\n")
    result = subprocess.run([sys.executable, "-c", check], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == (1 if says else 0) and says in result.stderr, result.stderr


@pytest.mark.parametrize("file", _DOCKERFILES, ids=lambda file: file.name)
def test_everything_copied_exists_and_is_sent(file: Path) -> None:
    ignored = file.with_name(file.name + ".dockerignore").read_text().splitlines()
    sent = {line[1:] for line in ignored if line.startswith("!")}
    for line in re.findall(r"(?m)^COPY (?!--from)(.+)$", file.read_text()):
        for source in [part for part in line.split()[:-1] if not part.startswith("--")]:
            path = source.rstrip("/")
            assert (ROOT / path).exists(), source
            assert any(path == kept or path.startswith(kept + "/") for kept in sent), source


# What runs in an image: its command, vLLM's entry points, what the runbooks and the build itself call.
_RUN = {
    "front.Dockerfile": ("ocr_frontend.__main__", "ocr_frontend.api.service"),
    "server.Dockerfile": ("server.__main__", "server.plugins", "adapters.__main__"),
}


@pytest.mark.parametrize(("file", "modules"), _RUN.items())
def test_an_image_holds_all_of_ours_that_runs_in_it(file: str, modules: tuple[str, ...]) -> None:
    copied = [
        part for line in re.findall(r"(?m)^COPY (?!--)(.+)$", (IMAGES / file).read_text()) for part in line.split()[:-1]
    ]
    here = {path.relative_to(ROOT) for source in copied for path in ROOT.glob(f"{source.rstrip('/')}/**/*.py")}
    here |= {Path(source) for source in copied if source.endswith(".py")}
    missing = {f"{path} (for {module})" for module in modules for path in imported(ROOT, module) - here}
    assert not missing, "\n".join(sorted(missing))


def test_names_of_settings_are_real() -> None:
    texts = [file.read_text() for file in (*_DOCKERFILES, COMPOSE / "compose.yaml", IMAGES / "front-entry.sh")]
    for prefix, fields in (("SERVER", ServerSettings.model_fields), ("OCR_FRONT", FrontSettings.model_fields)):
        named = {name for text in texts for name in re.findall(rf"(?<![A-Z_]){prefix}_([A-Z_]+)\b", text)}
        assert named
        assert {name.lower() for name in named} <= set(fields)


def test_compose_is_what_the_specification_says() -> None:
    PyCompose.from_yaml(yaml.safe_dump(_compose())).validate()


def test_every_setting_reaches_its_service_from_one_file_and_none_is_overridden() -> None:
    """`environment` goes before `env_file`: what stands there takes the file's value, its own default without one."""
    services = yaml.safe_load((COMPOSE / "compose.yaml").read_text())["services"]
    for name in ("server-cpu", "server-gpu", "adopt", "front"):
        assert services[name]["env_file"] == [{"path": ".env", "required": False}], name
        assert services[name]["environment"], name
        for setting, value in services[name]["environment"].items():
            assert value.startswith(f"${{{setting}:-"), f"{name}: {setting} would stay {value}"
    assert ".env" in (COMPOSE / ".gitignore").read_text().split(), "it may hold keys"
    for file in _DOCKERFILES:
        assert "!deploy/compose" not in file.with_name(file.name + ".dockerignore").read_text()


def test_every_service_is_hardened_and_in_a_profile() -> None:
    for name, service in _compose()["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert set(service["profiles"]) <= {"cpu", "gpu", "adopt"}, name
        assert "@sha256" in service["image"] or ":" in service["image"] or "build" in service, name
        for port in service.get("ports", ()):
            assert str(port).startswith("127.0.0.1:"), name


def test_every_service_has_limits() -> None:
    for name, service in _compose()["services"].items():
        assert {"mem_limit", "cpus"} <= set(service), name


def test_every_mounted_file_exists() -> None:
    for service in _compose()["services"].values():
        for volume in service.get("volumes", ()):
            source = str(volume).split(":")[0]
            if source.startswith("."):
                assert (COMPOSE / source).exists(), source
        if "build" in service:
            assert (COMPOSE / service["build"]["context"] / service["build"]["dockerfile"]).is_file()


def test_secrets_are_files_that_the_script_makes(tmp_path: Path) -> None:
    script = tmp_path / "secrets.sh"
    script.write_text((COMPOSE / "secrets.sh").read_text())
    for _ in range(2):  # the second run replaces nothing
        subprocess.run(["sh", str(script)], check=True, capture_output=True)
    made = {file.name: file.read_text().strip() for file in (tmp_path / "secrets").iterdir()}
    assert {Path(secret["file"]).name for secret in _compose()["secrets"].values()} <= set(made)
    ring = read_keys(tmp_path / "secrets" / "server_keys")
    scopes = {"server_key": "inference", "router_key": "feedback", "metrics_key": "metrics", "admin_key": "admin"}
    for file, scope in scopes.items():
        found = ring.find(f"Bearer {made[file]}")
        assert found is not None
        assert found.scopes == {scope}
    client = read_front_keys(tmp_path / "secrets" / "front_keys").find(f"Bearer {made['front_key']}")
    assert client is not None and client.scopes == {"inference"} and made["front_key"] not in made["front_keys"]
    assert len(base64.b64decode(made["jobs_key"])) == 32


def test_front_follows_a_file_of_hashed_keys(tmp_path: Path) -> None:
    (tmp_path / "front_keys").write_text('{"keys": []}\n')
    show = "import os; print([os.environ.get('OCR_FRONT_' + n) for n in ('KEYS', 'KEYS_FILE')])"
    result = subprocess.run(
        ["sh", str(IMAGES / "front-entry.sh"), sys.executable, "-c", show],
        env={**os.environ, "SECRETS_DIR": str(tmp_path)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert result.stdout.strip() == str([None, str(tmp_path / "front_keys")])


def test_front_takes_its_keys_from_files(tmp_path: Path) -> None:
    (tmp_path / "front_keys").write_text("a,b\n")
    (tmp_path / "server_key").write_text("c\n")
    show = "import json, os; print(json.dumps([os.environ[n] for n in ('OCR_FRONT_KEYS', 'OCR_FRONT_SERVER_KEY')]))"
    result = subprocess.run(
        ["sh", str(IMAGES / "front-entry.sh"), sys.executable, "-c", show],
        env={**os.environ, "SECRETS_DIR": str(tmp_path)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(result.stdout) == ["a,b", "c"]


def test_alertmanagers_receivers_exist_and_hold_no_address() -> None:
    text = (ROOT / "deploy/alertmanager/alertmanager.yml").read_text()
    loaded = yaml.safe_load(text)
    receivers = {receiver["name"] for receiver in loaded["receivers"]}
    assert {loaded["route"]["receiver"], *(route["receiver"] for route in loaded["route"]["routes"])} <= receivers
    assert "http" not in text
    apart = [loaded["route"]["group_by"], *(rule["equal"] for rule in loaded["inhibit_rules"])]
    assert all("namespace" in labels for labels in apart), "one installation hides nothing of another"
    silencing = [rule for rule in loaded["inhibit_rules"] if rule["target_matchers"] == ['alertname="Watchdog"']]
    named = re.search(r'NotificationsFailing.*receiver_name=~"([\w|]+)"', str(silencing))
    assert named and set(named[1].split("|")) == receivers - {"watchdog"}, "its own silence is heard as it is"
    assert "--enable-feature=receiver-name-in-metrics" in _compose()["services"]["alertmanager"]["command"]
    secrets = {Path(path).name for path in re.findall(r"url_file: (\S+)", text)}
    assert secrets <= set(_compose()["services"]["alertmanager"]["secrets"])
