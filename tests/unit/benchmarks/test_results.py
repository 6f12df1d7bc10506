"""Every result file says its commit, date and machine; newer ones also the packages' versions and the load before."""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
RESULTS = sorted(path for folder in ("benchmarks/results", "docs/results") for path in (ROOT / folder).glob("*.json"))
# Measured before results said the packages' versions and the load before the run: their commit is the one that
# recorded them. `make results` brings the rest; what it does not measure is said in docs/reference/results.md.
EARLIER = "2026-11-30 07:40"


@pytest.mark.parametrize("path", [*RESULTS, *(ROOT / "adapters/cni").glob("*/evaluation.json")], ids=lambda p: p.stem)
def test_a_result_says_where_it_comes_from(path: Path) -> None:
    result = json.loads(path.read_text("utf-8"))
    runs = [run for run in result.get("runs", []) if isinstance(run, dict)] if "machine" not in result else [result]
    assert result["commit"] and result["date"]
    assert all(run["machine"].keys() == {"cores", "memory_gib", "processor"} for run in runs) and runs
    if result["date"] > EARLIER:
        assert result["load_average"] >= 0 and result["versions"]
