"""Every result file says its commit, date and machine, the packages' versions and the load before the run."""

import json
from pathlib import Path

import pytest

from adapters.evaluation import detect, report

ROOT = Path(__file__).parents[3]
RESULTS = sorted(path for folder in ("benchmarks/results", "docs/results") for path in (ROOT / folder).glob("*.json"))
# Files that do not say what else the machine did or which packages it had, each with the commit that it says: measured
# anew, a file has another one and must say both. No file comes to this list, and one that says both leaves it.
# `make results` brings those that it measures; which ones it does not is said in docs/reference/results.md.
NO_VERSIONS = {
    "drafts-answers": "d0bfca2-dirty",
    "drafts-embedded": "f7b1ce4-dirty",
    "drafts-qwen3-0.6b": "9ea2c65-dirty",
    "mixed_drafts": "e27e1d5-dirty",
    "receipts_loop": "b331bb1",
}
NEITHER = {
    "front_load_keys": "305e483",
    "front_load_two": "80a3c92",
    "gpu_lora": "b6bab13",
    "quant_qat": "98c0dc9",
    "receipts_ceiling": "c3e8bcf",
    "tell_apart": "00945f0",
    "train_methods": "4584776",
    "tune": "676d5bb",
}
# Of repeated measurements, measured before their commands kept every round's numbers.
NO_SAMPLES = {
    "drafts-answers": "1c23ccf",
    "drafts-embedded": "1c23ccf",
    "drafts-qwen3-0.6b": "1c23ccf",
    "floor": "2148780b",
    "gpu_lora": "b6bab13",
    "lora_tax": "8fd82828",
    "many_adapters": "2148780b",
    "mixed_adapters": "2148780b",
    "mixed_adapters-embedded": "2148780b",
}
SAMPLED = {
    *NO_SAMPLES, "card", "card_load", "front_memory", "quant_table", "receipts_loop", "today-embedded",
    "today-qwen3-0.6b", "train_methods",
}  # fmt: skip
# Of the shipped revisions. The commands that write them stamp them; these were written before.
UNSTAMPED = {
    "cni/fa4130d23aa6/training.json",
    "cni-object/be05965059a7/training.json",
    "receipt/b3b0868250bb/examples-given-lines-fronts-rules.json",
    "receipt/b3b0868250bb/examples-given-lines.json",
    "receipt/b3b0868250bb/examples-pictures-own-OCR.json",
    "receipt/b3b0868250bb/training.json",
}


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_a_result_says_where_it_comes_from(path: Path) -> None:
    result = json.loads(path.read_text("utf-8"))
    runs = [run for run in result.get("runs", []) if isinstance(run, dict)] if "machine" not in result else [result]
    assert result["commit"] and result["date"]
    assert all(run["machine"].keys() == {"cores", "memory_gib", "processor"} for run in runs) and runs
    if NEITHER.get(path.stem) != result["commit"]:
        assert result["load_average"] >= 0
        if NO_VERSIONS.get(path.stem) != result["commit"]:
            assert result["versions"]


@pytest.mark.parametrize("name", sorted(SAMPLED))
def test_a_repeated_measurement_keeps_its_samples(name: str) -> None:
    result = json.loads(next(path for path in RESULTS if path.stem == name).read_text("utf-8"))
    assert _has_samples(result) != (NO_SAMPLES.get(name) == result["commit"]), "neither missing nor listed in vain"


def _has_samples(part: object) -> bool:
    if isinstance(part, dict):
        return "samples" in part or any(_has_samples(each) for each in part.values())
    return isinstance(part, list) and any(_has_samples(each) for each in part)


def test_the_lists_hold_no_file_that_says_both() -> None:
    """As long as the file is the one that was listed."""
    complete = []
    for name, commit in {**NO_VERSIONS, **NEITHER}.items():
        result = json.loads(next(path for path in RESULTS if path.stem == name).read_text("utf-8"))
        if result["commit"] == commit and "load_average" in result and "versions" in result:
            complete.append(name)
    assert not complete, f"take these out of the lists: {complete}"


def test_what_a_shipped_revision_was_measured_by_is_stamped() -> None:
    revisions = [path.parent for path in (ROOT / "adapters").glob("*/*/manifest.json")]
    found = {
        path.relative_to(ROOT / "adapters").as_posix()
        for folder in revisions
        for name in ("evaluation.json", "confidence.json", "training.json", "examples-*.json")
        for path in folder.glob(name)
        if not {"commit", "date", "machine"} <= json.loads(path.read_text("utf-8")).keys()
    }
    assert found <= UNSTAMPED, f"no stamp: {found - UNSTAMPED}"
    assert found == UNSTAMPED, f"these have a stamp, or are gone: take them out of the list: {UNSTAMPED - found}"


def test_a_page_beside_a_result_is_what_its_command_writes() -> None:
    pages = {path.with_suffix(".md"): report.table for path in (ROOT / "adapters").glob("*/*/evaluation.json")}
    pages[ROOT / "docs/results/detection.md"] = detect._table
    behind = [
        page.relative_to(ROOT).as_posix()
        for page, table in pages.items()
        if page.read_text("utf-8") != table(json.loads(page.with_suffix(".json").read_text("utf-8"))["rows"])
    ]
    assert not behind
