"""Receipts of shops that do not exist: lines with boxes, and the values wanted, as a folder of scans has them."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

_FIRST = ("KEDAI", "RESTORAN", "PASAR", "LUCKY", "SUNRISE", "GREEN LEAF", "HARBOUR", "OLD TOWN")
_SECOND = ("MAJU", "SENTOSA", "HARDWARE", "BOOKS", "BAKERY", "TRADING", "KITCHEN", "STATIONERY")
_STREETS = ("JALAN MAWAR 3", "JALAN DELIMA 12/4", "LORONG SATU", "JALAN BESAR", "PERSIARAN TASIK 9")
_TOWNS = ("81100 JOHOR BAHRU", "47400 PETALING JAYA", "53300 KUALA LUMPUR", "70000 SEREMBAN")
_ITEMS = ("PEN BLUE", "RICE 5KG", "TEH TARIK", "BREAD", "NAIL 2IN", "NOTEBOOK A5", "WATER 1.5L", "LAMP")
_LEFT, _RIGHT, _HEIGHT = 40, 330, 18
TITLES = ("TAX INVOICE", "CASH BILL")


@dataclass(frozen=True)
class Receipt:
    """rows: of each line its left edge, its top and its text, in reading order."""

    rows: tuple[tuple[int, int, str], ...]
    fields: dict[str, str]

    @property
    def texts(self) -> list[str]:
        """The lines' texts."""
        return [text for _, _, text in self.rows]


def draw(rng: random.Random) -> Receipt:
    """One receipt; company on one line or two, an address of two or three, a date with or without its label."""
    company = f"{rng.choice(_FIRST)} {rng.choice(_SECOND)}"
    tail = rng.choice(("SDN BHD", "ENTERPRISE"))
    named = [f"{company} {tail}"] if rng.random() < 0.7 else [company, tail]
    address = [f"NO {rng.randrange(1, 99)}, {rng.choice(_STREETS)},", rng.choice(_TOWNS)]
    if rng.random() < 0.5:
        address.append(rng.choice(("JOHOR.", "SELANGOR.", "MALAYSIA")))
    date = f"{rng.randrange(1, 29):02d}/{rng.randrange(1, 13):02d}/20{rng.randrange(15, 24)}"
    clock = f"{rng.randrange(8, 22):02d}:{rng.randrange(60):02d}"
    prices = [rng.randrange(100, 4000) for _ in range(rng.randrange(1, 6))]
    total, paid = _money(sum(prices)), _money(sum(prices) + rng.randrange(5, 500))
    rows: list[list[str]] = [[line] for line in (*named, *address)]
    rows += [[f"TEL : 07-{rng.randrange(1_000_000, 9_999_999)}"], [rng.choice(TITLES)]]
    rows += [[rng.choice((f"DATE : {date} {clock}", f"{date} {clock}"))], ["CASHIER: 01"], ["ITEM", "AMOUNT"]]
    rows += [[rng.choice(_ITEMS), _money(price)] for price in prices]
    rows += [["TOTAL :", total], ["CASH", paid], ["CHANGE", "0.05"], ["THANK YOU"]]
    placed = [
        (left, 30 + 30 * number, text)
        for number, row in enumerate(rows)
        for left, text in zip((_LEFT, _RIGHT), row, strict=False)
    ]
    fields = {"company": " ".join(named), "date": date, "address": " ".join(address), "total": total}
    return Receipt(tuple(placed), fields)


def receipts(count: int, seed: int = 5) -> Iterator[Receipt]:
    """Receipt i depends on seed and i alone."""
    return (draw(random.Random(f"{seed}/{number}")) for number in range(count))


def write_folder(folder: Path, count: int, seed: int = 5, pictures: bool = False) -> Path:
    """`key/`, `box/` and, where asked, `img/` of so many receipts."""
    for part in ("key", "box", *(("img",) if pictures else ())):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for number, receipt in enumerate(receipts(count, seed)):
        (folder / "key" / f"{number:03d}.json").write_text(json.dumps(receipt.fields), encoding="utf-8")
        rows = "".join(f"{_box(x, y, text)},{text}\n" for x, y, text in receipt.rows)
        (folder / "box" / f"{number:03d}.csv").write_text(rows, encoding="utf-8")
        if pictures:
            picture(receipt).save(folder / "img" / f"{number:03d}.png")
    return folder


def picture(receipt: Receipt) -> "Image.Image":
    """The receipt in print, 30 pixels a row."""
    from PIL import Image, ImageDraw, ImageFont

    paper = Image.new("L", (480, receipt.rows[-1][1] + 60), 245)
    pen = ImageDraw.Draw(paper)
    for x, y, text in receipt.rows:
        pen.text((x, y), text, fill=20, font=ImageFont.load_default(_HEIGHT))
    return paper.resize((paper.width * 2, paper.height * 2))


def _box(x: int, y: int, text: str) -> str:
    right, bottom = x + 10 * len(text), y + _HEIGHT
    return f"{x},{y},{right},{y},{right},{bottom},{x},{bottom}"


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
