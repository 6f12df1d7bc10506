"""The table's own arithmetic: what counts as right, what is kept, and where the documents are filled in."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from adapters.training.contract import contract
from adapters.training.dataset import Labelled
from benchmarks.quantization.cards import Question, questions, right_fields
from benchmarks.quantization.report import BEGIN, END, _cells, filled, markdown, write
from benchmarks.quantization.rows import quality
from benchmarks.quantization.variants import names

CARD = Labelled("cni-2018-recto", ("NOM", "NGO", "MBARGA", "NGO"), (1, (1, 2), None, "ABC"))


def test_what_is_right() -> None:
    assert right_fields(CARD, '[1,[1,2],null,"ABC"]') == [True] * 4
    assert right_fields(CARD, '[3,"NGO MBARGA",null,"ABD"]') == [True, True, True, False], "what it says counts"
    assert right_fields(CARD, "[9,[1,9],0,[]]") == [False] * 4
    for unreadable in ("", "[1,[1,2],null", "[1]", '{"a": 1}', "[[],{},[null],1.5]"):
        assert right_fields(CARD, unreadable) == [False] * 4


def test_kept_is_of_the_references_right_fields() -> None:
    asked = [Question(CARD, []), Question(CARD, [])]
    row = quality(asked, [[True, True, False, False]] * 2, [[True, False, True, False]] * 2)
    assert (row["fields"], row["right"], row["kept"], row["cards_right"]) == (8, 0.5, 0.5, 0.0)
    assert row["documents"]["cni-2018-recto"]["kept"] == 0.5
    row = quality(asked, [[True] * 4, [True, True, True, False]], [[True] * 4] * 2)
    assert row["cards_right"] == row["documents"]["cni-2018-recto"]["cards_right"] == 0.5


def test_cards_that_the_adapter_does_not_read_are_not_asked() -> None:
    prompts = contract(("cni-2025-recto",))
    other = Labelled("cni-2025-recto", ("NGO",), (0, None, None, None, None, None))

    class Letters:
        def encode(self, text: str, add_special_tokens: bool) -> list[int]:
            return list(text.encode())

    assert [question.card for question in questions([CARD, other], prompts, Letters())] == [other]


def test_a_row_that_failed_has_a_place_in_the_table() -> None:
    assert _cells({"method": "int8", "failed": "no such instruction", "weights_ratio": None})[0] == "int8"


def test_an_adapter_that_learned_on_int4_has_a_row_on_int4() -> None:
    assert names(["int8", "int4"], random=False, qat=True)[2:] == [
        "int8",
        "int4",
        "int4 + adapter by QAT",
        "int8 + int8 embedding",
    ]
    assert not any("QAT" in name for name in names(["int8", "int4"], random=False))
    assert not any("QAT" in name for name in names(["int8", "int4"], random=True, qat=True))


def test_the_documents_have_one_place_for_the_table() -> None:
    for name in ("quantization.md", "quantization.fr.md"):
        text = Path("docs/explanation", name).read_text(encoding="utf-8")
        once = filled(text, "TABLE")
        assert filled(once, "TABLE") == once
        assert once.split(BEGIN)[1].split(END)[0].strip() == "TABLE"
    with pytest.raises(ValueError, match="once each"):
        filled("nothing", "TABLE")


def test_both_guides_have_the_same_structure() -> None:
    shapes = []
    for name in ("quantization.md", "quantization.fr.md"):
        lines = Path("docs/explanation", name).read_text(encoding="utf-8").splitlines()
        marks = (re.match(r"#+ |\| |- |\d+\. |    \S|!\[|<!-- ", line) for line in lines)
        shapes.append([mark.group() for mark in marks if mark])
        links = re.findall(r"\]\(([^)]+)\)", "\n".join(lines).replace(".fr.md", ".md"))
        shapes[-1].append(str(sorted(links)))
    assert shapes[0] == shapes[1]


def test_writes_json_picture_and_both_documents(tmp_path: Path) -> None:
    row: dict[str, Any] = {"method": "bf16", "disk_mib": 256.0, "weights_mib": 256.0, "weights_ratio": 1.0}
    speed = {"ms_per_token": 10.0, "faster_1": 1.0, "cards_per_s_8": 3.0, "faster_8": 1.0, "cards_per_s_32": 5.0}
    good = {"right": 0.97, "kept": 1.0, "cards_right": 0.8, "documents": {"cni-2018-recto": {"right": 0.97}}}
    nf4 = {**row, **good, "method": "nf4", "weights_mib": None, "weights_ratio": None, "quantization_s": 3.0}
    result = {
        "adapter": "cni@0", "cards": 8, "rounds": 1, "shape": "tiny", "machine": {"cores": 2, "processor": "any"},
        "embedded": [{**row, **speed, **good, "faster_32": 1.0, "resident_mib": 1900}, nf4], "random": [row],
    }  # fmt: skip
    docs = tmp_path / "docs"
    docs.mkdir()
    for name in ("quantization.md", "quantization.fr.md"):
        (docs / name).write_text(f"before\n{BEGIN}\n{END}\nafter\n", encoding="utf-8")
    results = tmp_path / "results"
    write(result, results, docs)
    assert {path.name for path in results.iterdir()} == {"quant_table.json", "quant_table.png"}
    english, french = ((docs / name).read_text(encoding="utf-8") for name in ("quantization.md", "quantization.fr.md"))
    row_of = "| bf16 | 97.0 % | 100.0 % | 80.0 % | 256 | 100 % | 1,900 | 10.0 | 3.0 | 5.0 | 1.00, 1.00, 1.00 | - |"
    assert row_of in english
    assert "| bf16 | 97,0\u00a0% | 100,0\u00a0% | 80,0\u00a0% | 256 | 100\u00a0% | 1\u202f900 | 10,0 |" in french
    assert "| 1,00\u00a0; 1,00\u00a0; 1,00 | - |" in french
    assert english.endswith("after\n") and french.endswith("after\n")
    run = {"base_weights_bytes": 110e6, "peak_memory_bytes": 3.2e9, "seconds": 390, "tokens_per_second": 500}
    trained = {
        "document": "cni-2018-recto", "samples": 800, "validation": 160, "machine": {"cores": 2, "processor": "any"},
        "runs": {"qlora": run}, "fields_right_on": {"qlora": {"bf16": 0.951, "nf4": 0.96}},
        "cards_right_on": {"qlora": {"bf16": 0.7, "nf4": 0.75}},
    }  # fmt: skip
    (results / "train_methods.json").write_text(json.dumps(trained), encoding="utf-8")
    write(result, results, docs)
    english, french = ((docs / name).read_text(encoding="utf-8") for name in ("quantization.md", "quantization.fr.md"))
    assert "| qlora | 110 | 3.2 | 6.5 | 500 | 95.1 %, 70 % | 96.0 %, 75 % | - | - |" in english
    assert "| qlora | 110 | 3,2 | 6,5 | 500 | 95,1\u00a0%\u00a0; 70\u00a0% |" in french


def test_the_pages_hold_the_tables_of_the_result_file() -> None:
    result = json.loads(Path("benchmarks/results/quant_table.json").read_text(encoding="utf-8"))
    for name in ("quantization.md", "quantization.fr.md"):
        text = Path("docs/explanation", name).read_text(encoding="utf-8")
        assert filled(text, markdown(result, name)) == text, "python -m benchmarks.quantization.report"
