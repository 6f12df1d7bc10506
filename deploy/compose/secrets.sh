#!/bin/sh
# Makes the secrets that are not there yet; never replaces one. Needs python3 alone: the server's keys file holds
# hashes, in the form that `python -m server keys add` writes.
set -eu
cd "$(dirname "$0")"
mkdir -p secrets
chmod 700 secrets # nobody else gets in here; a container is given single files, which its own user must be able to read
umask 022
exec python3 - <<'PYTHON'
import base64, hashlib, json, secrets
from pathlib import Path

folder = Path("secrets")


def made(name: str, value: str) -> str:
    file = folder / name
    if not file.exists():
        file.write_text(value)
        print(f"made secrets/{name}")
    return file.read_text().strip()


def key() -> str:
    return "cni-" + secrets.token_urlsafe(32)


# The front keeps hashes alone. Clients send what is in front_key; a key that leaves front_keys is refused within seconds.
if not (folder / "front_keys").exists():
    client = {"id": "client", "sha256": hashlib.sha256(made("front_key", key()).encode()).hexdigest()}
    made("front_keys", json.dumps({"keys": [client | {"scopes": ["inference"]}]}, indent=1) + "\n")
made("jobs_key", base64.b64encode(secrets.token_bytes(32)).decode())
made("grafana_password", secrets.token_urlsafe(24))
NOWHERE = "http://127.0.0.1:9/none-yet"
receivers = ("page_webhook", "ticket_webhook", "watchdog_webhook")
if unset := [name for name in receivers if made(name, NOWHERE) == NOWHERE]:
    print(f"alerts reach nobody yet: put the address of your pager, chat and dead man's switch into secrets/{', '.join(unset)}")
entries = [
    {"id": name, "sha256": hashlib.sha256(made(file, key()).encode()).hexdigest(), "scopes": [scope]}
    for name, file, scope in (
        ("front", "server_key", "inference"),
        ("router", "router_key", "feedback"),
        ("prometheus", "metrics_key", "metrics"),
        ("admin", "admin_key", "admin"),
    )
]
made("server_keys", json.dumps({"keys": entries}, indent=1) + "\n")
PYTHON
