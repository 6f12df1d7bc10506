"""The documentation builds as a site: no link that leads nowhere, no page outside the navigation."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    french = (tmp_path / "fr/how-to/deploy/index.html").read_text("utf-8")
    assert "Déployer" in french
    assert (tmp_path / "repository/benchmarks/results/quant_table.png").is_file()
    # Pages from outside docs/, in both languages: linked by more than the navigation, and linking back.
    assert french.count('href="../../repository/SECURITY/"') > 1
    security = (tmp_path / "fr/repository/SECURITY/index.html").read_text("utf-8")
    assert security.count('href="../../reference/refusals/"') > 1
    assert (tmp_path / "repository/benchmarks/index.html").is_file()


def test_every_page_is_in_both_languages() -> None:
    pages = [
        page
        for room in ("tutorial", "how-to", "reference", "explanation", "runbooks")
        for page in (ROOT / "docs" / room).glob("*.md")
        if ".fr." not in page.name
    ]
    assert pages
    assert not [page.name for page in pages if not page.with_suffix(".fr.md").exists()]
