"""`make pin`: write the digest behind every tag of a foreign image into Dockerfiles, compose file and manifests.

A digest can only be had from the registry that holds the image, so it needs the network; nothing else here does. Run it
again to move on to what the tags mean by then, and look at the difference before it is committed.
"""

import json
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

from deploy.up.usage import take_none

FILES = (
    "deploy/images/server.Dockerfile",
    "deploy/images/front.Dockerfile",
    "deploy/images/router.Dockerfile",
    "deploy/compose/compose.yaml",
    "deploy/kubernetes/components/monitoring/prometheus.yaml",
    "deploy/kubernetes/components/monitoring/alertmanager.yaml",
    "deploy/kubernetes/components/monitoring/grafana.yaml",
)
# registry/repository:tag, with the digest that an earlier run wrote. Our own images have no registry in their name.
_IMAGE = re.compile(
    r"(?P<before>^(?:ARG PYTHON=|\s+image: ))(?P<name>[\w.-]+\.[a-z]+/[\w./-]+):(?P<tag>[\w.-]+)"
    r"(?:@sha256:[0-9a-f]{64})?$",
    re.MULTILINE,
)
# Docker's own name for its registry is not its address.
_HOSTS = {"docker.io": "registry-1.docker.io"}
# An index of several architectures first: its digest fits every machine.
_KINDS = (
    "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
)
Digest = Callable[[str, str], str]


class PinError(Exception):
    """One line that names the image and what is wrong."""


def pinned(text: str, digest: Digest) -> str:
    """`text` with each foreign image as name:tag@sha256:…. `digest` is asked for name and tag. Raises PinError."""

    def replace(found: re.Match[str]) -> str:
        name, tag = found["name"], found["tag"]
        return f"{found['before']}{name}:{tag}@{digest(name, tag)}"

    return _IMAGE.sub(replace, text)


def ask_registry(name: str, tag: str, scheme: str = "https") -> str:
    """The digest of an image, by its registry's HTTP interface. Raises PinError."""
    host, _, repository = name.partition("/")
    url = f"{scheme}://{_HOSTS.get(host, host)}/v2/{repository}/manifests/{tag}"
    try:
        try:
            return _digest(url, {})
        except urllib.error.HTTPError as error:
            if error.code != 401:
                raise
            token = _token(error.headers.get("WWW-Authenticate", ""))
            return _digest(url, {"Authorization": f"Bearer {token}"})
    except (OSError, ValueError, KeyError) as error:
        raise PinError(f"{name}:{tag} cannot be looked up at its registry ({error}).") from error


def _digest(url: str, headers: dict[str, str]) -> str:
    request = urllib.request.Request(url, headers={"Accept": _KINDS, **headers}, method="HEAD")
    with urllib.request.urlopen(request, timeout=30) as answer:
        digest = str(answer.headers["Docker-Content-Digest"])
    if not re.fullmatch("sha256:[0-9a-f]{64}", digest):
        raise ValueError("no digest in the answer")
    return digest


def _token(challenge: str) -> str:
    """Anonymous, from where the registry's challenge says."""
    given = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    query = urllib.parse.urlencode({name: given[name] for name in ("service", "scope") if name in given})
    with urllib.request.urlopen(f"{given['realm']}?{query}", timeout=30) as answer:
        return str(json.load(answer)["token"])


def main() -> int:
    """0 when every image is pinned, 1 with one line; then no file was changed."""
    take_none(
        "deploy.images.pin", "make pin", "Write the digests of foreign images beside their tags.", {}, sys.argv[1:]
    )
    root = Path(__file__).resolve().parents[2]
    try:
        texts = {root / name: pinned((root / name).read_text(), ask_registry) for name in FILES}
    except PinError as error:
        print(f"make pin: {error}", file=sys.stderr)
        return 1
    for path, text in texts.items():
        path.write_text(text)
        print(f"{path.relative_to(root)}: {text.count('@sha256:')} pinned")
    return 0


if __name__ == "__main__":
    sys.exit(main())
