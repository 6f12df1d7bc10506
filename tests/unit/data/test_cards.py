"""Drawn cards: reproducible to the byte, every value inside its polygon, and targets found again by geometry."""

import argparse
import json
from pathlib import Path

import numpy as np
import pytest

from adapters.data.align import align
from adapters.data.cards import draw_card, draw_cards, write_cards
from adapters.data.command import add_parser
from adapters.data.documents import DOCUMENT_NAMES, DocumentName
from adapters.data.lines import Line, Polygon
from adapters.data.photo import MAX_ROTATION
from adapters.data.vocabulary import SPLITS


def shifted(polygon: Polygon, dx: float, dy: float) -> Polygon:
    return tuple((x + dx, y + dy) for x, y in polygon)


@pytest.mark.parametrize("condition", ["clean", "photo"])
def test_same_seed_same_pixels(condition: str) -> None:
    first, second = (draw_card(3, 5, "train", "cni-2018-verso", condition) for _ in range(2))  # type: ignore[arg-type]
    assert first.card.image.tobytes() == second.card.image.tobytes()
    assert first.truth() == second.truth()
    assert first.card.image.tobytes() != draw_card(4, 5, "train", "cni-2018-verso", condition).card.image.tobytes()  # type: ignore[arg-type]


@pytest.mark.parametrize("document", DOCUMENT_NAMES)
@pytest.mark.parametrize("split", SPLITS)
def test_every_value_is_printed_inside_its_polygon(document: DocumentName, split: str) -> None:
    for index in range(4):
        drawn = draw_card(1, index, split, document, "clean")  # type: ignore[arg-type]
        width, height = drawn.card.image.size
        grey = np.asarray(drawn.card.image.convert("L"))
        assert set(drawn.card.polygons) == {key for key, value in drawn.record.values.items() if value is not None}
        for key, polygon in drawn.card.polygons.items():
            (left, top), (right, bottom) = polygon[0], polygon[2]
            assert 0 <= left < right <= width, key
            assert 0 <= top < bottom <= height, key
            assert grey[int(top) : int(bottom), int(left) : int(right)].min() < 110, key


def test_values_do_not_overlap() -> None:
    for drawn in draw_cards(40, 8, "test", ("clean",), DOCUMENT_NAMES):
        boxes = [(p[0], p[2]) for p in drawn.card.polygons.values()]
        for i, ((l1, t1), (r1, b1)) in enumerate(boxes):
            for (l2, t2), (r2, b2) in boxes[i + 1 :]:
                assert min(r1, r2) - max(l1, l2) < 4 or min(b1, b2) - max(t1, t2) < 6


def test_a_photo_moves_the_polygons_with_the_pixels() -> None:
    clean, photo = (draw_card(2, 0, "train", "cni-2018-recto", c) for c in ("clean", "photo"))  # type: ignore[arg-type]
    assert clean.record == photo.record
    width, height = photo.card.image.size
    for polygon in photo.card.polygons.values():
        assert all(0 <= x <= width and 0 <= y <= height for x, y in polygon)
        (x1, y1), (x2, y2) = polygon[0], polygon[1]
        assert abs(np.degrees(np.arctan2(y2 - y1, x2 - x1))) < MAX_ROTATION + 4


@pytest.mark.parametrize("document", DOCUMENT_NAMES)
def test_align_finds_whole_lines_merged_lines_and_halves(document: DocumentName) -> None:
    drawn = draw_card(6, 1, "valid", document, "clean")
    printed, polygons = drawn.record.printed, drawn.card.polygons
    lines = [Line("NOISE", 0.3, ((0, 0), (9, 0), (9, 5), (0, 5)))]
    lines += [Line(text, 0.9, shifted(polygons[key], 2, -2)) for key, text in printed.items()]
    expected = {key: None if key not in printed else 1 + list(printed).index(key) for key in drawn.record.values}
    assert align(drawn.record, polygons, lines) == expected


def test_align_takes_a_value_out_of_a_merged_line_and_joins_halves() -> None:
    drawn = draw_card(0, 0, "train", "cni-2025-recto", "clean")
    record, polygons = drawn.record, drawn.card.polygons
    name, area = record.printed["nom_surname"], polygons["nom_surname"]
    merged = align(record, polygons, [Line(f"NOM/SURNAME {name}", 0.9, area)])
    assert merged["nom_surname"] == name
    assert merged["sex"] is None
    glued = align(record, polygons, [Line(f"NOMSURNAME{name}", 0.9, area)])
    assert glued["nom_surname"] == name
    date = record.printed["date_of_birth"]
    labelled = align(record, polygons, [Line(f"DATE OF BIRTH {date}", 0.9, polygons["date_of_birth"])])
    assert labelled["date_of_birth"] == 0
    given = "MARIE CLAIRE"
    record.printed["prenom_given_name"] = given
    (left, top), (right, bottom) = polygons["prenom_given_name"][0], polygons["prenom_given_name"][2]
    middle = (left + right) / 2
    halves = [
        Line("CLAIRE", 0.9, ((middle, top), (right, top), (right, bottom), (middle, bottom))),
        Line("MARIE", 0.9, ((left, top), (middle, top), (middle, bottom), (left, bottom))),
    ]
    assert align(record, polygons, halves)["prenom_given_name"] == given


def test_write_cards_by_the_command(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers(required=True))
    command = ["cards", "--out", str(tmp_path / "set"), "--count", "3", "--document", "cni-2025-verso"]
    args = parser.parse_args([*command, "--split", "test"])
    assert args.run(args) == 0
    lines = [json.loads(line) for line in (tmp_path / "set" / "cards.jsonl").read_text("utf-8").splitlines()]
    assert [line["file"] for line in lines] == ["00000.png", "00001.png", "00002.png"]
    assert {line["document"] for line in lines} == {"cni-2025-verso"}
    assert all((tmp_path / "set" / line["file"]).is_file() for line in lines)
    longer = write_cards(tmp_path / "more", 4, split="test", documents=("cni-2025-verso",))
    assert [json.loads(line) for line in longer.read_text("utf-8").splitlines()][:3] == lines
