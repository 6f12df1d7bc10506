"""The table's own arithmetic: what counts as right, what is kept, and where the documents are filled in."""

from pathlib import Path
from typing import Any

import pytest

from adapters.training.dataset import Labelled
from benchmarks.quant_cards import Question, right_fields
from benchmarks.quant_report import BEGIN, END, filled, write
from benchmarks.quant_rows import quality

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


def test_the_documents_have_one_place_for_the_table() -> None:
    for name in ("quantization.md", "quantization.fr.md"):
        text = Path("docs", name).read_text(encoding="utf-8")
        once = filled(text, "TABLE")
        assert filled(once, "TABLE") == once
        assert once.split(BEGIN)[1].split(END)[0].strip() == "TABLE"
    with pytest.raises(ValueError, match="once each"):
        filled("nothing", "TABLE")


def test_writes_json_picture_and_both_documents(tmp_path: Path) -> None:
    row: dict[str, Any] = {"method": "bf16", "disk_mib": 256.0, "weights_mib": 256.0, "weights_ratio": 1.0}
    speed = {"ms_per_token": 10.0, "faster_1": 1.0, "cards_per_s_8": 3.0, "faster_8": 1.0, "cards_per_s_32": 5.0}
    good = {"right": 0.97, "kept": 1.0, "documents": {"cni-2018-recto": {"right": 0.97}}}
    nf4 = {**row, **good, "method": "nf4", "weights_mib": None, "weights_ratio": None, "quantization_s": 3.0}
    result = {
        "adapter": "cni@0", "cards": 8, "rounds": 1, "shape": "tiny", "machine": {"cores": 2, "processor": "any"},
        "embedded": [{**row, **speed, **good, "faster_32": 1.0, "resident_mib": 900}, nf4], "random": [row],
    }  # fmt: skip
    docs = tmp_path / "docs"
    docs.mkdir()
    for name in ("quantization.md", "quantization.fr.md"):
        (docs / name).write_text(f"before\n{BEGIN}\n{END}\nafter\n", encoding="utf-8")
    write(result, tmp_path / "results", docs)
    assert {path.name for path in (tmp_path / "results").iterdir()} == {"quant_table.json", "quant_table.png"}
    for name in ("quantization.md", "quantization.fr.md"):
        text = (docs / name).read_text(encoding="utf-8")
        assert "| bf16 | 97.0 % | 100.0 % | 256 | 100 % | 900 | 10.0 | 3.0 | 5.0 | 1.00, 1.00, 1.00 | - |" in text
        assert text.endswith("after\n")
