"""What people expect of a project: its commands are installed, and its pages name what exists."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
BESIDE = Path(sys.executable).parent
SCRIPTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
PAGES = ("CONTRIBUTING.md", "SECURITY.md", "docs/explanation/data-statement.md")


@pytest.mark.parametrize("name", SCRIPTS)
def test_command_is_installed_and_helps(name: str) -> None:
    done = subprocess.run([BESIDE / name, "--help"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage:")


@pytest.mark.parametrize("page", PAGES)
def test_page_names_what_exists(page: str) -> None:
    text = (ROOT / page).read_text()
    for path in re.findall(r"`((?:docs|tests|server|adapters|ocr_frontend|deploy)/[\w/.*-]*)`", text):
        assert list(ROOT.glob(path)), f"{page}: {path}"
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text()))
    assert set(re.findall(r"(?:`|^ +)make ([a-z-]+)", text, re.MULTILINE)) <= targets


def test_hooks_are_those_of_make_lint() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    for hook in hooks:
        assert (BESIDE / Path(hook["entry"].split()[0]).name).is_file(), hook["entry"]


def test_make_clean_takes_every_environment_and_what_was_built_and_nothing_else(tmp_path: Path) -> None:
    gone = {".venv", ".venv-server", ".venv-other", ".venv-bench-llama", "build", "runs", "site"}
    for name in (*gone, "adapters", "dist-notes"):
        (tmp_path / name / "inside").mkdir(parents=True)
    subprocess.run(["make", "-f", ROOT / "Makefile", "clean"], cwd=tmp_path, capture_output=True, check=True)
    assert {each.name for each in tmp_path.iterdir()} == {"adapters", "dist-notes"}


def test_ci_is_a_script_that_bash_reads() -> None:
    subprocess.run(["bash", "-n", ROOT / ".ci/run"], check=True)


@pytest.mark.parametrize(("other", "code", "ran"), [("", 1, []), ("optional", 0, ["make lint", "make test"])])
def test_ci_fails_without_the_other_python_unless_it_may(tmp_path: Path, other: str, code: int, ran: list[str]) -> None:
    if Path("/usr/bin/python3.12").exists():
        pytest.skip("the script would find it")
    for name, text in (("here", "echo 11"), ("make", 'echo "make $*"')):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    bash, dirname = shutil.which("bash"), shutil.which("dirname")
    assert bash and dirname
    (tmp_path / "dirname").symlink_to(dirname)
    environment = {"PATH": str(tmp_path), "PYENV_ROOT": str(tmp_path), "PYTHON": "here", "OTHER_PYTHON": other}
    done = subprocess.run([bash, ROOT / ".ci/run"], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()) == (code, ran)
    assert set(done.stderr.splitlines()) == {
        "Python 3.12 is not here and NOT TESTED, only 3.11 is; OTHER_PYTHON=optional lets that pass"
    }


def test_every_tag_of_our_images_is_of_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    pages = [*(ROOT / "deploy/images").glob("*.Dockerfile"), *(ROOT / "deploy/kubernetes").rglob("*.md")]
    pages += (ROOT / "deploy/kubernetes").rglob("*.yaml")
    pages += [*(ROOT / "docs/how-to").glob("deploy*.md")]
    tags = {
        (page.name, tag)
        for page in pages
        for pattern in (
            r"cni-(?:server|front|manifests):(\d+\.[\w.-]+|[a-z]+)(?= |$)",
            r"cni-(?:server|front),.*newTag: \"?([\w.-]+)",
        )
        for tag in re.findall(pattern, page.read_text("utf-8"))
    }
    assert tags and {tag for tag in tags if tag[1] not in (version, f"{version}-cpu", f"{version}-gpu")} == set()
    released = f"## [{version}] - 20" in (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert released != version.endswith(".dev0"), "a version has a date in the changelog, what becomes one .dev0"
