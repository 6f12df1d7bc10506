"""What ships gets into a named registry: by the command, by the image's entry, and past every manifest."""

import json
import os
import subprocess
import sys
from pathlib import Path

import yaml

from adapters.registry.digest import content_digest, revision_name
from adapters.registry.home import LIST_FILE, SHIPPED
from adapters.registry.store import Registry
from tests.unit.deploy.names import ROOT

IMAGES = ROOT / "deploy" / "images"


def _seed(root: Path, count: int) -> list[subprocess.Popen[str]]:
    """The command on a named folder, `count` of them at once, at their end."""
    command = [sys.executable, "-m", "adapters", "registry", "--registry", str(root), "seed"]
    pipe = subprocess.PIPE
    running = [subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) for _ in range(count)]
    return [one for one in running if one.wait(60) is not None]


def test_several_seed_one_named_folder_at_once(tmp_path: Path) -> None:
    """As the pods of a fleet do on the volume that they share."""
    root = tmp_path / "volume"
    root.mkdir()
    ended = _seed(root, 3)
    told = [json.loads(one.communicate()[0]) for one in ended]
    assert [one.returncode for one in ended] == [0, 0, 0] and all(not each["waiting"] for each in told)
    assert sorted(name for each in told for name in each["put"]) == sorted(SHIPPED), "each by one of them"
    assert sorted(json.loads((root / LIST_FILE).read_text())) == sorted(SHIPPED)
    for name in SHIPPED:
        assert revision_name(content_digest(root / name.replace("@", "/"))) == name.partition("@")[2]
    Registry(root).retire("receipt")
    [again] = _seed(root, 1)
    assert json.loads(again.communicate()[0])["put"] == [] and not (root / "receipt").exists()


def _server_entry(registry: Path) -> subprocess.CompletedProcess[str]:
    """The server's entry with a command that says what it was started with."""
    environment = {"SERVER_ADAPTERS_DIR": str(registry), "PYTHONPATH": str(ROOT)}
    environment["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    command = ["sh", str(IMAGES / "server-entry.sh"), "echo", "started"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True)


def test_the_server_starts_with_what_ships_in_its_registry(tmp_path: Path) -> None:
    (tmp_path / "volume").mkdir()
    started = _server_entry(tmp_path / "volume")
    assert started.stdout == "started\n" and all(f'"{name}"' in started.stderr for name in SHIPPED)
    assert {name for name in SHIPPED if (tmp_path / "volume" / name.replace("@", "/")).is_dir()} == set(SHIPPED)


def test_a_registry_that_takes_nothing_keeps_no_server_from_starting(tmp_path: Path) -> None:
    (tmp_path / "volume").touch()
    started = _server_entry(tmp_path / "volume")
    assert started.stdout == "started\n" and "cannot be used" in started.stderr and "goes on" in started.stderr


def test_no_manifest_goes_past_an_images_entry() -> None:
    """It puts what ships into the registry, and reads the front's secrets."""
    for name in ("server", "front"):
        assert f'ENTRYPOINT ["{name}-entry"]' in (IMAGES / f"{name}.Dockerfile").read_text()
        pod = yaml.safe_load_all((ROOT / f"deploy/kubernetes/base/{name}.yaml").read_text())
        [deployment] = [document for document in pod if document["kind"] == "Deployment"]
        for container in deployment["spec"]["template"]["spec"]["containers"]:
            assert "command" not in container
    services = yaml.safe_load((ROOT / "deploy/compose/compose.yaml").read_text())["services"]
    assert not [
        name for name in ("server-cpu", "server-gpu", "front") if {"entrypoint", "command"} & set(services[name])
    ]
