"""Numbers in README and docs are those of the result files."""

import re
from pathlib import Path

import pytest

from benchmarks.publish import tables
from benchmarks.publish.figures import MARK, ROOT, Figure, FigureError, Told, filled, pages, read_figures, shipped
from benchmarks.publish.tables import Table, read_tables

READMES = ("README.md", "README.fr.md")
# Alerts' thresholds; letters to other projects, which stay as they were sent; what commands write as a page.
ELSEWHERE = ("docs/runbooks/", "docs/upstream/", "docs/results/")
WRITTEN = re.compile(
    r"(?s)<!-- (?:quant-table|computed).*?<!-- (?:/quant-table|end of what is computed)"
    r"|<!--settings=.*?<!--/settings-->"
)
# A share, a time, a rate, a factor: what somebody measured. Bytes that a machine needs are no measurement.
MEASURED = re.compile(
    r"\b\d[\d.,]*[\s\u00a0\u202f]?(?:%|ms\b|s\b|/s\b|cards a second|cartes par seconde|times\b|fois plus)",
    re.IGNORECASE,
)


def test_pages_say_what_the_results_say() -> None:
    told, folder = read_figures(ROOT), shipped(ROOT)
    behind = [
        page.relative_to(ROOT).as_posix()
        for page in pages(ROOT)
        if filled(text := page.read_text("utf-8"), told, page.name.endswith(".fr.md"), folder) != text
    ]
    assert not behind, f"python -m benchmarks.publish.figures --write brings these up to date: {behind}"


def test_no_line_begins_with_a_mark() -> None:
    """There Markdown takes it for a block of HTML and breaks the paragraph."""
    assert not [page.name for page in pages(ROOT) if re.search(r"(?m)^ *<!--=", page.read_text("utf-8"))]


# Nobody measured these: shares of a split or of traffic, goals and limits, a slogan, the name of a quantile.
STATED = {
    "benchmarks/README.md": {"95 %"},
    "docs/explanation/data-statement.md": {"70 %", "10 %", "20 %"},
    "docs/explanation/quantization.md": {"75 %", "98 %", "4 times", "4 fois plus"},
    "docs/reference/api.md": {"100 %"},
    "docs/reference/capacity.md": {"60 %", "1 s", "2 s", "5 s"},
    "docs/reference/results.md": {"95 %"},
}


@pytest.mark.parametrize("page", pages(ROOT), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_measured_number_is_written_by_hand(page: Path) -> None:
    name = page.relative_to(ROOT).as_posix()
    text = WRITTEN.sub("", MARK.sub("", tables.MARK.sub("", page.read_text("utf-8"))))
    found = {re.sub(r"\s", " ", each) for each in MEASURED.findall(text)} if not name.startswith(ELSEWHERE) else set()
    assert found <= STATED.get(name.replace(".fr.md", ".md"), set()), name


def test_both_readmes_have_the_same_sections_and_figures() -> None:
    english, french = ((ROOT / name).read_text("utf-8") for name in READMES)
    assert [name for name, _ in MARK.findall(english)] == [name for name, _ in MARK.findall(french)]
    assert len(re.findall(r"(?m)^## ", english)) == len(re.findall(r"(?m)^## ", french))


@pytest.mark.parametrize(
    ("figure", "english", "french"),
    [
        (Figure(0.9912, 1, "%"), "99.1 %", "99,1\u00a0%"),
        (Figure(13600, 0, ""), "13,600", "13\u202f600"),
        (Figure(2.04, 1, "GiB"), "2.0 GiB", "2,0\u00a0Gio"),
    ],
)
def test_a_figure_is_written_as_its_language_writes_it(figure: Figure, english: str, french: str) -> None:
    assert (figure.text(french=False), figure.text(french=True)) == (english, french)


def test_text_between_marks_and_the_shipped_revision_are_replaced_and_nothing_else() -> None:
    before = "a <!--=x-->old<!--/--> of adapters/cni/0123456789ab/evaluation.png, 7 %"
    after = "a <!--=x-->1.5 s<!--/--> of adapters/cni/ffffffffffff/evaluation.png, 7 %"
    assert filled(before, Told({"x": Figure(1.5, 1, "s")}, {}), False, "adapters/cni/ffffffffffff") == after


def test_a_figure_that_nobody_knows_is_named() -> None:
    with pytest.raises(FigureError, match="no figure is called y"):
        filled("<!--=y-->1<!--/-->", Told({}, {}), False, "")


def test_a_number_that_no_result_has_is_named_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    revision = tmp_path / "adapters/cni/0123456789ab"
    revision.mkdir(parents=True)
    (revision / "evaluation.json").write_text("{}", "utf-8")
    (tmp_path / "docs/figures.yaml").write_text(
        "files: {speed: speed.json}\nfigures: {card_seconds: {file: speed, at: total.p50}}\n", "utf-8"
    )
    (tmp_path / "speed.json").write_text('{"total": {"p50": 2}}', "utf-8")
    assert read_figures(tmp_path).figures["card_seconds"].text(french=False) == "2.0"
    (tmp_path / "speed.json").write_text('{"total": {}}', "utf-8")
    with pytest.raises(FigureError, match=r"card_seconds: the result file 'speed' has no number at total\.p50"):
        read_figures(tmp_path)


def test_a_table_has_the_rows_of_its_file() -> None:
    rows = [{"name": "a", "ms": 1500}, {"name": "b"}]
    table = Table(rows, {"what": "name", "takes": {"at": "ms", "digits": 1, "unit": "s", "times": 0.001}})
    text = filled("<!--table=t-->\nold\n<!--/table-->", Told({}, {"t": table}), True, "")
    assert text.splitlines()[1:-1] == ["| what | takes |", "| --- | --- |", "| a | 1,5\u00a0s |", "| b |  |"]


def test_a_table_of_several_files_has_a_row_of_each_in_the_words_of_its_language() -> None:
    told = {
        "rows": [
            {"what": "alone", "file": "one", "in": "runs[1]", "at": "{right: share}"},
            {"what": "together", "file": "missing", "at": "{right: share}"},
        ],
        "columns": {"": "what", "right": {"at": "right", "digits": 1, "unit": "%"}},
    }
    files = {"one": {"runs": [{"share": 0.1}, {"share": 0.25}]}, "missing": None}
    table = read_tables({"t": told}, files, {"alone": "seul", "right": "justes"})
    text = filled("<!--table=t-->\n<!--/table-->", Told({}, table), True, "")
    assert text.splitlines()[1:-1] == ["|  | justes |", "| --- | --- |", "| seul | 25,0\u00a0% |", "| together |  |"]
