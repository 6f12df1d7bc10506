"""`python -m server`: every bad start is one line that names the setting; keys are shown once."""

import socket
from pathlib import Path

import pytest

from server import command
from server.auth.keys import hash_secret, read_keys
from server.command import build_parser
from server.settings import Settings
from tests.support.tiny_models import write_base


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("models") / "tiny-base")


def run(*words: str) -> int:
    arguments = build_parser().parse_args(list(words))
    result: int = arguments.run(arguments)
    return result


def test_explain_prints_each_choice_with_its_reason(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVER_MODEL", str(base))
    assert run("--adapters-dir", str(tmp_path), "--port", "8209", "explain") == 0
    lines = capsys.readouterr().out.splitlines()
    assert any("HF_HUB_OFFLINE = 1  (" in line for line in lines)
    command = next(line for line in lines if "command:" in line)
    assert "--port 8209" in command and "--served-model-name tiny-base" in command
    # The derived size, with one place more for the probe of a new revision.
    assert int(command.split("--max-cpu-loras ")[1].split()[0]) > 8


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["--model", ""], "SERVER_MODEL"),
        (["--model", "{base}", "--adapters-dir", "/nowhere"], "SERVER_ADAPTERS_DIR"),
        (["--model", "{base}", "--port", "0"], "SERVER_PORT"),
        (["--model", "{base}", "--max-lora-rank", "7"], "max_lora_rank 7"),
        (["--model", "{base}", "--host", "0.0.0.0"], "host 0.0.0.0"),
        (["--model", "{base}", "--keys-file", "/nowhere"], "SERVER_KEYS_FILE"),
        (["--model", "{tmp}"], "SERVER_MODEL"),
    ],
)
def test_a_bad_start_is_one_line(
    base: Path, tmp_path: Path, words: list[str], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    filled = [word.format(base=base, tmp=tmp_path) for word in words]
    here = [] if "--adapters-dir" in filled else ["--adapters-dir", str(tmp_path)]
    with pytest.raises(SystemExit) as stopped:
        run(*filled, *here, "explain")
    error = capsys.readouterr().err
    assert stopped.value.code == 2 and name in error and error.count("\n") == 1


def test_a_busy_port_is_named(base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit):
            run("--model", str(base), "--adapters-dir", str(tmp_path), "--port", str(port), "explain")
    assert f"port {port}" in capsys.readouterr().err


def test_a_server_without_a_named_registry_starts_on_its_owners(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[dict[str, str]] = []
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr(command.scratch, "claim", lambda: tmp_path / "scratch")
    monkeypatch.setattr(command.os, "execve", lambda path, words, environment: started.append(environment))
    root, words = tmp_path / "cni-lora-server" / "registry", ("--model", str(base), "--port", "8211")
    assert run(*words, "explain") == 0 and not root.exists(), "explaining starts nothing and makes nothing"
    run(*words)
    assert [each["SERVER_ADAPTERS_DIR"] for each in started] == [str(root)] and (root / "cni").is_dir()
    assert f"registry {root}: the shipped cni@" in capsys.readouterr().out
    (tmp_path / "named").mkdir()
    run(*words, "--adapters-dir", str(tmp_path / "named"))
    assert started[1]["SERVER_ADAPTERS_DIR"] == str(tmp_path / "named")
    assert list((tmp_path / "named").iterdir()) == []


def test_every_setting_is_an_option() -> None:
    options = build_parser().format_help()
    for name in Settings.model_fields:
        assert name == "started" or f"--{name.replace('_', '-')}" in options


def test_a_new_key_is_shown_once_and_opens(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "keys.json"
    words = [
        "keys",
        "add",
        str(path),
        "--id",
        "front",
        "--scope",
        "inference",
        "--adapter",
        "cni",
        "--concurrency",
        "4",
    ]
    assert run(*words) == 0
    secret = capsys.readouterr().out.strip()
    key = read_keys(path).find(f"Bearer {secret}")
    assert key is not None and key.may("inference") and not key.may("admin")
    assert key.may_use("cni") and not key.may_use("other") and key.limits.concurrency == 4
    assert run(*words) == 2
    assert "already" in capsys.readouterr().err


def test_keys_are_listed_revoked_and_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "keys.json"
    secrets = {}
    for name, more in (
        ("one", ["--expires", "30d", "--concurrency", "4"]),
        ("two", []),
        ("three", ["--expires", "0h"]),
    ):
        assert run("keys", "add", str(path), "--id", name, "--scope", "inference", *more) == 0
        secrets[name] = capsys.readouterr().out.strip()
    assert path.stat().st_mode & 0o777 == 0o600
    ring = read_keys(path)
    opened = {name for name, secret in secrets.items() if ring.find(f"Bearer {secret}")}
    assert opened == {"one", "two"}
    assert run("keys", "list", str(path)) == 0
    listed = capsys.readouterr().out
    assert "one  inference  all adapters  concurrency 4  until " in listed and "three  inference" in listed
    assert "expired" in listed and not any(
        secret in listed or hash_secret(secret) in listed for secret in secrets.values()
    )
    assert run("keys", "revoke", str(path), "one") == 0 and "one" in capsys.readouterr().out
    assert read_keys(path).find(f"Bearer {secrets['one']}") is None
    assert run("keys", "revoke", str(path), "one") == 2 and "no key 'one'" in capsys.readouterr().err


@pytest.mark.parametrize("end", ["soon", "2001-01-01", "-3d", "30"])
def test_an_end_that_is_none_is_one_line(tmp_path: Path, end: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["keys", "add", str(tmp_path / "keys.json"), "--id", "a", "--scope", "inference", f"--expires={end}"]
    assert run(*words) == 2 and capsys.readouterr().err.count("\n") == 1


def test_a_broken_keys_file_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "keys.json"
    path.write_text('{"keys": [{"id": "a"}]}')
    assert run("keys", "add", str(path), "--id", "b", "--scope", "inference") == 2
    assert path.read_text() == '{"keys": [{"id": "a"}]}' and "sha256" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("CNI_CPU_LORA_STEP", "ture", "CNI_CPU_LORA_STEP must be 1 or 0"),
        ("CNI_CPU_LORA_STEPS", "1", "did you mean CNI_CPU_LORA_STEP"),
        ("CNI_CPU_LORA", "0", "SERVER_ALLOW_STOCK_CPU_LORA=1"),
    ],
)
def test_a_start_that_could_mix_adapters_up_is_one_line(
    base: Path,
    tmp_path: Path,
    variable: str,
    value: str,
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SystemExit) as stopped:
        run("--model", str(base), "--adapters-dir", str(tmp_path), "--port", "8209", "explain")
    error = capsys.readouterr().err
    assert stopped.value.code == 2 and said in error and error.count("\n") == 1
    allowed = ("--allow-stock-cpu-lora", "true")
    if variable == "CNI_CPU_LORA":
        assert run("--model", str(base), "--adapters-dir", str(tmp_path), "--port", "8209", *allowed, "explain") == 0


def test_a_model_of_make_up_that_is_another_is_said(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL", "another")
    assert run("--model", str(base), "--adapters-dir", str(tmp_path), "--port", "8209", "explain") == 0
    assert f"MODEL=another is for 'make up'; this server serves SERVER_MODEL={base}" in capsys.readouterr().out
