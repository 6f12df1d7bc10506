"""Hard cards: reproducible, readable where their truth says, and their test half is nothing that training has seen."""

import random
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageDraw

from adapters.data.cards import CHOICES, DrawnCard, draw_card, draw_cards, write_all
from adapters.data.documents import DOCUMENT_NAMES
from adapters.data.fonts import FAMILIES as PLAIN_FACES
from adapters.data.fonts import load
from adapters.data.hard import capture
from adapters.data.hard.broken import bracketed, broken
from adapters.data.hard.columns import grouped, lengthened, stacked
from adapters.data.hard.draw import draw_flat
from adapters.data.hard.emptied import emptied
from adapters.data.hard.faint import faint_labels
from adapters.data.hard.families import FAMILIES, families_of
from adapters.data.hard.layout import lay_out
from adapters.data.hard.lines import hard_text_sample
from adapters.data.hard.look import FACES, sample_look
from adapters.data.hard.overlay import overlaid
from adapters.data.hard.page import BREAK, Mark, Page, wrapped
from adapters.data.hard.setter import Entry, Setter
from adapters.data.hard.values import hard_record
from adapters.data.hard.varied import varied_style
from adapters.data.hard.wordings import half_of, wording, wordings
from adapters.data.people import sample_record
from adapters.data.vocabulary import SPLITS, Split, fold, listed, words
from adapters.errors import DataError


@pytest.fixture(scope="module")
def drawn() -> list[DrawnCard]:
    return [card for split in SPLITS for card in draw_cards(6, 5, split, ("hard",), DOCUMENT_NAMES)]


def test_same_seed_same_pixels() -> None:
    first, second, other = (draw_card(seed, 1, "train", "cni-2018-verso", "hard") for seed in (3, 3, 4))
    assert first.card.image.tobytes() == second.card.image.tobytes()
    assert first.truth() == second.truth()
    assert first.card.image.tobytes() != other.card.image.tobytes()


def test_layouts_faces_and_wordings_of_the_test_half_are_its_own() -> None:
    assert [half_of(split) for split in SPLITS] == ["learnt", "learnt", "held-out"]
    names = {half: {family.name for family in FAMILIES[half]} for half in FAMILIES}
    assert not names["learnt"] & names["held-out"]
    assert all(families_of(split) == FAMILIES[half_of(split)] for split in SPLITS)
    files = {half: {file for face in FACES[half] for file in (face.regular, face.bold)} for half in FACES}
    plain = {file for split in ("train", "valid") for face in PLAIN_FACES[split] for file in (face.regular, face.bold)}  # type: ignore[index]
    assert not files["held-out"] & (files["learnt"] | plain)


def test_no_wording_stands_in_both_halves() -> None:
    rows = [row.split("|") for row in words("hard_labels")]
    for key in {row[0] for row in rows}:
        halves = [{fold(" ".join(w)) for w in wordings(key, half)} for half in ("learnt", "held-out")]  # type: ignore[arg-type]
        assert not halves[0] & halves[1], key
    assert {row[1] for row in rows} == {"learnt", "held-out"}
    with pytest.raises(KeyError, match="no learnt wording"):
        wordings("nothing", "learnt")


@pytest.mark.parametrize("split", SPLITS)
def test_printed_labels_are_of_the_splits_half(split: Split) -> None:
    rng = random.Random(2)
    for key in ("nom_surname", "authorité", "identifiant_unique:2025"):
        assert {wording(rng, key, split) for _ in range(50)} == set(wordings(key, half_of(split)))


@pytest.mark.parametrize("kind", ["hard_places", "hard_professions", "hard_surnames"])
def test_every_split_has_words_that_look_like_labels(kind: str) -> None:
    assert all(len(listed(kind, split)) >= 2 for split in SPLITS)


def test_records_hold_label_words_long_names_and_empty_fields() -> None:
    rng = random.Random(9)
    records = [hard_record(rng, name, "train") for _ in range(200) for name in DOCUMENT_NAMES]
    values = [value for record in records for value in record.values.values()]
    assert None in values
    assert "TAILLEUR" in {word for value in values if value for word in value.split(" ")} | set(
        words("hard_professions")
    )
    assert set(values) & set(listed("hard_professions", "train"))
    assert set(values) & set(listed("hard_places", "train"))
    assert {1, 2, 3, 4} <= {len(value.split(" ")) for value in values if value}
    for record in records:
        assert {key for key, value in record.values.items() if value is not None} == set(record.printed)


def test_every_value_lies_inside_its_picture_and_is_inked(drawn: list[DrawnCard]) -> None:
    for card in drawn:
        image = card.card.image
        assert set(card.card.polygons) == {key for key, value in card.record.values.items() if value is not None}
        grey = np.asarray(image.convert("L"), float)
        for key, polygon in card.card.polygons.items():
            xs, ys = [x for x, _ in polygon], [y for _, y in polygon]
            assert min(xs) >= -3 and min(ys) >= -3, (card.index, key)
            assert max(xs) <= image.width + 3 and max(ys) <= image.height + 3, (card.index, key)
            patch = grey[max(0, int(min(ys))) : int(max(ys)), max(0, int(min(xs))) : int(max(xs))]
            assert np.percentile(patch, 1) < np.percentile(patch, 90) - 25, (card.index, key)


def test_values_do_not_overlap_on_the_flat_card() -> None:
    for split in SPLITS:
        for index in range(6):
            rng = random.Random(f"{split}{index}")
            record = hard_record(rng, DOCUMENT_NAMES[index % 4], split)
            boxes = [(p[0], p[2]) for p in draw_flat(rng, record, split).polygons.values()]
            for i, ((l1, t1), (r1, b1)) in enumerate(boxes):
                for (l2, t2), (r2, b2) in boxes[i + 1 :]:
                    assert min(r1, r2) - max(l1, l2) < 4 or min(b1, b2) - max(t1, t2) < 8


def test_some_values_go_over_two_lines_and_some_labels_too() -> None:
    rng = random.Random(1)
    pages = [lay_out(rng, hard_record(rng, DOCUMENT_NAMES[i % 4], "test"), "test") for i in range(40)]
    doubled = []
    for page in pages:
        fields = [mark.field for mark in page.marks if mark.field]
        doubled += [fields.count(field) for field in set(fields)]
    assert max(doubled) == 2
    assert 0.03 < sum(count == 2 for count in doubled) / len(doubled) < 0.5


def test_a_label_never_stands_without_its_letters() -> None:
    look = sample_look(random.Random(0), "train")
    setter = Setter(Page((1400, 883)), look)
    setter.put("A", 0, 0, 3, look.label_file, "label")
    assert setter.page.marks[0].size == 12


def test_a_text_is_wrapped_at_spaces_only() -> None:
    file = FACES["learnt"][0].regular
    lines = wrapped("UN DEUX TROIS QUATRE", file, 40, load(file, 40).getlength("UN DEUX "))
    assert " ".join(lines) == "UN DEUX TROIS QUATRE"
    assert len(lines) == 2


def test_a_homography_meets_its_four_points() -> None:
    target = [(3.0, 4.0), (90.0, 9.0), (80.0, 71.0), (1.0, 60.0)]
    matrix = capture.homography([(0, 0), (100, 0), (100, 60), (0, 60)], target)
    for (x, y), wanted in zip([(0, 0), (100, 0), (100, 60), (0, 60)], target, strict=True):
        u, v, w = matrix @ np.array([x, y, 1.0])
        assert (u / w, v / w) == pytest.approx(wanted, abs=1e-6)


def test_all_conditions_keep_the_plain_cards_as_they_were(tmp_path: object) -> None:
    import json

    listing = write_all(tmp_path, 1, seed=7, split="test")  # type: ignore[arg-type]
    truths = [json.loads(line) for line in listing.read_text().splitlines()]
    assert [t["condition"] for t in truths] == ["clean"] * 4 + ["photo"] * 4 + ["hard"] * 4
    plain = [card.truth() for card in draw_cards(8, 7, "test", ("clean", "photo"), DOCUMENT_NAMES)]
    assert json.loads(json.dumps(plain)) == truths[:8]
    assert CHOICES["hard"] == ("hard",)


def test_varied_cards_are_worded_and_laid_out_anew_each_time() -> None:
    styles = [varied_style(random.Random(seed), "train") for seed in range(60)]
    labels = {style.label(random.Random(n), "date_of_birth") for n, style in enumerate(styles)}
    assert len(labels) > 25
    held_out = {fold("".join(pair)) for pair in wordings("date_of_birth", "held-out")}
    assert not {fold("".join(pair)) for pair in labels} & held_out
    with pytest.raises(DataError, match="for training"):
        varied_style(random.Random(0), "test")


def test_a_varied_card_is_drawn_in_a_style_of_its_own() -> None:
    one, same, other = (draw_card(3, index, "train", "cni-2018-recto", "varied") for index in (0, 0, 4))
    assert one.condition == "varied" and set(one.card.polygons) <= set(one.record.values)
    assert one.card.image.tobytes() == same.card.image.tobytes() != other.card.image.tobytes()
    for condition in ("varied", "stamped", "narrow", "faint"):
        with pytest.raises(DataError, match="for training"):
            draw_card(3, 0, "test", "cni-2018-recto", condition)  # type: ignore[arg-type]


def test_stamped_cards_are_varied_ones_of_their_own() -> None:
    cards = [draw_card(3, index, "train", DOCUMENT_NAMES[index % 4], "stamped") for index in range(12)]
    plain = [draw_card(3, index, "train", DOCUMENT_NAMES[index % 4], "varied") for index in range(12)]
    assert all(card.condition == "stamped" for card in cards)
    assert any(set(a.record.printed) < set(b.record.printed) for a, b in zip(cards, plain, strict=True))
    assert all(a.card.image.tobytes() != b.card.image.tobytes() for a, b in zip(cards[:4], plain, strict=False))


def test_faint_labels_are_lost_and_values_stay() -> None:
    file = lay_out(random.Random(1), sample_record(random.Random(2), "cni-2018-verso", "train"), "train").marks[0].file
    black = (0, 0, 0)
    labels = [Mark("NOM DU PERE", 20, 40 + 120 * row, 20, file, "label", black) for row in range(6)]
    values = [Mark("MBARGA ELISE", 20, 90 + 120 * row, 30, file, "value", black) for row in range(6)]
    sharp = Image.new("RGB", (500, 800), "white")
    for mark in (*labels, *values):
        ImageDraw.Draw(sharp).text((mark.x, mark.y), mark.text, fill=mark.colour, font=mark.font)
    faint = faint_labels(random.Random(4), sharp.copy(), Page((500, 800), [*labels, *values]))

    def changed(mark: Mark) -> bool:
        box = (round(mark.x), round(mark.y), round(mark.x + mark.width), round(mark.y + mark.size * 1.1))
        return ImageChops.difference(sharp.crop(box), faint.crop(box)).getbbox() is not None

    assert sum(map(changed, labels)) >= 2
    assert not any(map(changed, values))


def test_narrow_columns_keep_a_value_s_words_and_groups_keep_its_digits() -> None:
    rng, record = random.Random(5), sample_record(random.Random(2), "cni-2018-verso", "train")
    longer = [lengthened(rng, record, "train") for _ in range(20)]
    assert any(each.values != record.values for each in longer)
    assert all(each.printed[key] == each.values[key] for each in longer for key in each.printed)
    in_groups = [grouped(rng, record) for _ in range(60)]
    assert all(each.values == record.values for each in in_groups)
    spelled = {each.printed["numero_de_carte"] for each in in_groups}
    assert len(spelled) == 2 and {text.replace(" ", "") for text in spelled} == {record.values["numero_de_carte"]}
    entry = Entry("pere_father", None, "NGO BELL MARIE CLAIRE ANNE SOPHIE", "pere_father")
    lines = [stacked(rng, [entry], 1.0)[0].value or "" for _ in range(20)]
    assert {text.replace(BREAK, " ") for text in lines} == {entry.value}
    assert max(text.count(BREAK) for text in lines) == 4


def test_what_comes_over_a_card_leaves_its_values_where_they_are() -> None:
    flat = draw_flat(random.Random(1), sample_record(random.Random(1), "cni-2018-verso", "train"), "train")
    seen = [overlaid(random.Random(seed), flat, "train") for seed in range(12)]
    assert all(card.polygons == flat.polygons and card.image.size == flat.image.size for card in seen)
    changed = [np.asarray(card.image) != np.asarray(flat.image) for card in seen]
    assert 4 <= sum(bool(each.any()) for each in changed) <= 12
    assert overlaid(random.Random(3), flat, "train").image.tobytes() == seen[3].image.tobytes()


def test_an_emptied_card_says_nothing_of_what_it_does_not_show() -> None:
    records = [sample_record(random.Random(n), DOCUMENT_NAMES[n % 4], "train") for n in range(200)]
    for n, before in enumerate(records):
        after = emptied(random.Random(n), before)
        gone = {key for key, value in before.values.items() if value is not None and after.values[key] is None}
        assert set(after.printed) == set(before.printed) - gone and len(gone) <= 2
        assert "mrz1" not in before.extras or gone <= {
            "pere_father", "mere_mother", "lieu_of_birth", "profession", "authorité", "taille",
        }  # fmt: skip
    assert 0.1 < sum(emptied(random.Random(n), r) != r for n, r in enumerate(records)) / len(records) < 0.5


def test_words_set_wide_are_the_same_words() -> None:
    look = sample_look(random.Random(0), "train")
    page = Page((1400, 883))
    Setter(page, look, spaces=3).value(Entry("a", None, "ONE TWO", "a"), 0, 0, 900)
    assert [mark.text for mark in page.marks] == ["ONE   TWO"]


@pytest.mark.parametrize("seed", range(40))
def test_a_varied_sample_says_its_values(seed: int) -> None:
    sample = hard_text_sample(random.Random(seed), DOCUMENT_NAMES[seed % 4], "train", varied=True)
    assert {key for key, target in sample.targets.items() if target is not None} <= set(sample.record.printed)
    named = [target for target in sample.targets.values() if isinstance(target, int)]
    assert all(0 <= line < len(sample.lines) for line in named)
    assert (
        len(named) + sum(isinstance(target, str) for target in sample.targets.values())
        >= len(sample.record.printed) - 2
    )


@pytest.mark.parametrize("seed", range(30))
def test_values_over_more_lines_than_they_need_say_what_they_said(seed: int) -> None:
    rng = random.Random(seed)
    values = {"mere_mother": "NGO BIYONG CLAIRE", "profession": "AGENT DE BANQUE", "sex": "F", "lieu_of_birth": "EDEA"}
    entries = [Entry(key, None, value, key) for key, value in values.items()]
    lines = {entry.key: (entry.value or "").split(BREAK) for entry in broken(rng, entries, 1.0)}
    assert {key: " ".join(parts) for key, parts in lines.items()} == values
    assert all(2 <= len(lines[key]) <= 3 for key in ("mere_mother", "profession"))
    assert len(lines["sex"]) == len(lines["lieu_of_birth"]) == 1
    assert broken(rng, entries, 0.0) == entries


def test_a_broken_value_is_drawn_in_its_lines_wherever_it_is_set() -> None:
    drawn = set()
    for index in range(0, 240, 4):
        page = lay_out(
            random.Random(index), sample_record(random.Random(index), "cni-2018-verso", "train"), "train",
            varied_style(random.Random(index), "train"),
        )  # fmt: skip
        marks = [mark for mark in page.marks if mark.field == "mere_mother"]
        drawn.add(len(marks))
        assert all(BREAK not in mark.text for mark in page.marks)
        assert all(upper.y < lower.y for upper, lower in pairwise(marks))
    assert {1, 2, 3} <= drawn


def test_a_place_with_brackets_is_printed_as_its_value_says() -> None:
    records = [
        bracketed(random.Random(n), sample_record(random.Random(n), "cni-2018-recto", "train")) for n in range(400)
    ]
    changed = [record for record in records if "(" in (record.values["lieu_of_birth"] or "")]
    assert 5 <= len(changed) <= 60
    assert all(record.printed["lieu_of_birth"] == record.values["lieu_of_birth"] for record in changed)
