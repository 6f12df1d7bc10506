"""The rules: promtool takes them and proves them, every alert is proven, has its page, and asks for real metrics."""

import re
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from tests.support.tools import need
from tests.unit.deploy.names import (
    ROOT,
    RULES,
    asked,
    declared,
    queries,
    rules,
    shown,
    shown_by_cluster,
    shown_by_router,
)

PROMETHEUS = ROOT / "deploy" / "prometheus"
_ALERTS = [rule for rule in rules() if "alert" in rule]
_RECORDED = {rule["record"] for rule in rules() if "record" in rule}


def promtool(*arguments: str) -> str:
    """Run it; its output."""
    result = subprocess.run([need("promtool"), *arguments], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_promtool_takes_the_rules() -> None:
    output = promtool("check", "rules", *map(str, sorted(RULES.glob("*.yml"))))
    assert "SUCCESS" in output


def test_promtool_takes_the_configuration() -> None:
    # Syntax only: the key's file exists where Prometheus runs.
    promtool("check", "config", "--syntax-only", str(PROMETHEUS / "prometheus.yml"))


@pytest.mark.slow
def test_rules_do_what_their_tests_say() -> None:
    promtool("test", "rules", *map(str, sorted((PROMETHEUS / "tests").glob("*.yml"))))


def test_prometheus_takes_every_panels_query(tmp_path: Path) -> None:
    every = [{"record": f"panel:{place}", "expr": query} for place, (_, query) in enumerate(queries())]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": every}]}))
    promtool("check", "rules", "--lint=none", str(file))


@pytest.mark.parametrize("alert", _ALERTS, ids=lambda rule: rule["alert"])
def test_alert_is_proven_explained_and_graded(alert: dict[str, dict[str, str]]) -> None:
    proofs = "".join(file.read_text() for file in (PROMETHEUS / "tests").glob("*.yml"))
    assert f'alertname="{alert["alert"]}"' in proofs
    assert alert["labels"]["severity"] in ("page", "ticket") or alert["alert"] == "Watchdog"
    assert "summary" in alert["annotations"]
    page = (ROOT / _page(alert)).read_text()
    assert f"`{alert['alert']}`" in page
    assert re.findall(r"(?m)^## (.+)$", page) == [
        "What it means", "Where to look", "What to do", "When it is over",
    ]  # fmt: skip


def _page(alert: dict[str, dict[str, str]]) -> str:
    """Its page in this repository, whichever way the link leads to it."""
    prefix = "{{ with $externalLabels.runbooks }}{{ . }}{{ else }}{{ $externalURL }}/consoles{{ end }}/"
    url = alert["annotations"]["runbook_url"]
    assert url.startswith(prefix)
    return f"docs/runbooks/{url.removeprefix(prefix)}"


def test_no_page_without_an_alert() -> None:
    named = {_page(alert) for alert in _ALERTS}
    pages = {f"docs/runbooks/{file.name}" for file in (ROOT / "docs/runbooks").glob("*.md")}
    french = {page for page in pages if page.endswith(".fr.md")}
    assert pages - french == named == {page.replace(".fr.md", ".md") for page in french}


def test_links_between_pages_lead_somewhere() -> None:
    for file in (ROOT / "docs/runbooks").glob("*.md"):
        for link in re.findall(r"\]\(([^)]+)\)", file.read_text()):
            assert (file.parent / link).is_file(), f"{file.name}: {link}"


def _blocks(language: str) -> list[tuple[str, list[str]]]:
    """Every page's name, and the lines of its block in a language."""
    pages = sorted((ROOT / "docs/runbooks").glob("*.md"))
    return [(p.stem, re.findall(rf"(?ms)^```{language}\n(.+?)\n```", p.read_text())[0].splitlines()) for p in pages]


def test_every_page_has_queries_that_prometheus_takes(tmp_path: Path) -> None:
    every = [{"record": "look:at", "labels": {"n": f"{page}{n}"}, "expr": query}
             for page, lines in _blocks("promql") for n, query in enumerate(lines)]  # fmt: skip
    file = tmp_path / "pages.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "pages", "rules": every}]}))
    for rule in every:
        assert asked(str(rule["expr"])) - _RECORDED <= shown() | shown_by_router() | shown_by_cluster(), rule
    promtool("check", "rules", "--lint=none", str(file))


def test_every_page_has_commands_whose_names_exist() -> None:
    kubernetes = ROOT / "deploy/kubernetes"
    manifests = [d for file in kubernetes.rglob("*.yaml") for d in yaml.safe_load_all(file.read_text()) if d]
    kinds = {"deployment": "Deployment", "service": "Service", "hpa": "HorizontalPodAutoscaler"}
    exist = {(d.get("kind"), d.get("metadata", {}).get("name")) for d in manifests}
    services = yaml.safe_load((ROOT / "deploy/compose/compose.yaml").read_text())["services"]
    for page, lines in _blocks("sh"):
        assert lines, page
        for line in lines:
            subprocess.run(["bash", "-n", "-c", line], check=True)
            for kind, name in re.findall(r"\b(deployment|service|hpa)[/ ]([a-z-]+)", line):
                assert (kinds[kind], name) in exist, f"{page}: {line}"
            for name in re.findall(r"docker compose (?:logs --since 30m|exec(?: -e \w+=\S+ \S+)?) ([a-z-]+)", line):
                assert name in services, f"{page}: {line}"


def test_what_asks_the_server_over_http_has_a_way_in_compose_which_opens_no_port_of_it() -> None:
    services = yaml.safe_load((ROOT / "deploy/compose/compose.yaml").read_text())["services"]
    assert "ports" not in services["server-cpu"]
    asked_by = set()
    for page, lines in _blocks("sh"):
        for line, behind in pairwise([*lines, ""]):
            if line.startswith("curl") and "127.0.0.1:8000/v1/" in line:
                asked_by.add(page)
                assert "docker compose exec" in line or behind.startswith("docker compose exec"), f"{page}: {line}"
    assert {"AdapterFailing", "AdapterFailing.fr", "AdapterThrashing"} <= asked_by


def test_panels_named_in_a_page_exist() -> None:
    titles = {where.split(" / ", 1)[1] for where, _ in queries()}
    for file in (ROOT / "docs/runbooks").glob("*.md"):
        for board, panel in re.findall(r"[Bb]oard \*([^*]+)\*, (?:panel )?\*([^*]+)\*", file.read_text()):
            assert panel in titles, f"{file.name}: {board} / {panel}"


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.get("alert") or rule.get("record"))
def test_rule_asks_for_metrics_that_exist(rule: dict[str, str]) -> None:
    wanted = asked(rule["expr"]) - _RECORDED
    assert wanted <= shown() | shown_by_router() | shown_by_cluster()


def test_our_metrics_are_still_in_the_services_sources() -> None:
    every = {name for _, query in queries() for name in asked(query)} | {n for r in rules() for n in asked(r["expr"])}
    ours = {name for name in every if name.startswith(("cni_server_", "ocr_front_"))}
    assert len(ours) > 20
    assert {name for name in ours if not declared(name)} == set()
