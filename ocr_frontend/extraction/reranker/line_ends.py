"""What lines say of where a value begins and ends: what stands above and below it, and how evenly its rows are set."""

from itertools import pairwise

from ocr_frontend.documents.letters import has_number
from ocr_frontend.extraction.reranker.line_sets import Lines
from ocr_frontend.extraction.reranker.opinions import Opinions, taken_by_others
from ocr_frontend.extraction.reranker.surroundings import FAR, Surroundings

Features = dict[str, float]


def of_ends(around: Surroundings, key: str, lines: Lines, opinions: Opinions) -> Features:
    """Whether the value may go on below, or have begun above."""
    page, last, rows = around.page, lines[-1], around.rows(lines)
    below = [n for n in around.followers[rows[-1][0]] if n not in lines]
    above = [
        n for n, after in enumerate(around.followers) if lines[0] in after and n not in lines and not around.labels[n]
    ]
    beside = [n for n in around.beside[last] if n not in lines]
    others = taken_by_others(key, opinions.rules)
    found: Features = {
        "rows": len(rows),
        "below": len(below),
        "below_owned": any(key in page.owners(n) for n in below),
        "below_elsewhere": any(n in others for n in below),
        "below_gap": min((around.gap(last, n) for n in below), default=FAR),
        "below_number": any(has_number(page.lines[n].text) for n in below),
        "below_label": any(page.may_be_label(n) for n in below),
        "below_score": max((page.lines[n].confidence for n in below), default=0.0),
        "beside": len(beside),
        "beside_space": min((around.space(last, n) for n in beside), default=FAR),
        "beside_elsewhere": any(n in others for n in around.beside[last]),
        "above": len(above),
        "above_owned": any(key in page.owners(n) for n in above),
        "above_model": any(n in opinions.model[key] for n in above),
        "label_above": around.to_label(lines[0], down=False),
        "label_below": around.to_label(last, down=True),
    }
    spaces = [around.space(one, other) for row in rows for one, other in pairwise(row)]
    if spaces:
        found["space"] = max(spaces)
    found |= _of_rows(around, key, lines, [row[0] for row in rows], found["below_gap"])
    if len(lines) > 1:
        second = rows[1][0] if len(rows) > 1 else lines[1]
        upper, lower = around.places[lines[0]], around.places[second]
        found["gap"] = around.gap(lines[0], second)
        found["aside"] = page.apart(lines[0], second)
        found["sizes"] = lower.height / upper.height
        found |= _of_second(around, key, (lines[0], second), opinions)
    return found


def _of_rows(around: Surroundings, key: str, lines: Lines, firsts: list[int], below_gap: float) -> Features:
    """Of all rows of the value, by their first lines: how evenly they are set, and whose they are."""
    owners = [around.page.owners(n) for n in lines]
    found: Features = {
        "rows_owned": sum(key in each for each in owners) / len(lines),
        "rows_of_others": sum(bool(each) and key not in each for each in owners) / len(lines),
    }
    if len(firsts) < 2:
        return found
    gaps = [around.gap(upper, lower) for upper, lower in pairwise(firsts)]
    sizes = [around.places[n].height / around.places[firsts[0]].height for n in firsts]
    return found | {
        "widest_gap": max(gaps),
        "uneven": max(gaps) - min(gaps),
        "most_aside": max(around.page.apart(upper, lower) for upper, lower in pairwise(firsts)),
        "largest": max(sizes),
        "smallest": min(sizes),
        "below_wider": below_gap - max(gaps),
    }


def _of_second(around: Surroundings, key: str, lines: Lines, opinions: Opinions) -> Features:
    page, second = around.page, lines[1]
    owners, text = page.owners(second), page.lines[second].text
    return {
        "second_owned": key in owners,
        "second_owned_by_other": bool(owners - {key}),
        "second_same_case": page.text_of(lines[0], key).isupper() == text.isupper(),
        "second_letters": len(text),
        "second_model": second in opinions.model[key],
        "second_model_elsewhere": second in taken_by_others(key, opinions.model),
    }
