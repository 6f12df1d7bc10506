"""The README's picture: the sample card with the boxes that were read, and the fields beside it.

python -m benchmarks.publish.result_picture --out docs/result.png
"""

import argparse
import io
import sys
from pathlib import Path
from typing import Any

import httpx
from PIL import Image, ImageDraw, ImageFont

_SAMPLE = Path("docs/sample-2018-recto.jpg")
_COLOURS = ("#1f4e8c", "#c2571a", "#2c7a3f", "#7a4b9a", "#a3262a", "#00727a", "#7d6608", "#444444")
_ROW = 84  # pixels
_PANEL = 760


def main() -> int:
    """Ask the front about the sample and draw what it says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.publish.result_picture", description=__doc__)
    parser.add_argument("--front", default="http://127.0.0.1:8080", help="the OCR front (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("docs/result.png"), help="default: %(default)s")
    args = parser.parse_args()
    image = _SAMPLE.read_bytes()
    form = {"document": "cni-2018-recto"}
    try:
        response = httpx.post(f"{args.front}/v1/extract", files={"image": ("a.jpg", image)}, data=form, timeout=120)
    except httpx.HTTPError as error:
        print(f"The OCR front at {args.front} does not answer ({type(error).__name__}): start it with make up.")
        return 1
    draw(Image.open(io.BytesIO(image)).convert("RGB"), response.json()).save(args.out, optimize=True)
    return 0


def draw(card: Image.Image, reply: dict[str, Any]) -> Image.Image:
    """The card on the left, its fields on the right, each in the colour of its box."""
    sheet = Image.new("RGB", (card.width + _PANEL, max(card.height, _ROW * len(reply["fields"]) + 90)), "white")
    sheet.paste(card, (0, 0))
    pen = ImageDraw.Draw(sheet)
    for row, (name, field) in enumerate(reply["fields"].items()):
        colour = _COLOURS[row % len(_COLOURS)]
        if field["box"]:
            pen.polygon([tuple(point) for point in field["box"]], outline=colour, width=4)
        top = 20 + row * _ROW
        pen.rectangle((card.width + 24, top + 4, card.width + 32, top + _ROW - 18), fill=colour)
        pen.text((card.width + 50, top), name, fill="#666666", font=_font(22))
        value = "null" if field["value"] is None else str(field["value"])
        pen.text((card.width + 50, top + 28), value, fill="black", font=_font(30, bold=True))
        if field["confidence"] is not None:
            pen.text((sheet.width - 110, top + 30), f"{field['confidence']:.2f}", fill="#666666", font=_font(24))
    times = reply["timings_ms"]
    words = f"{reply['model']}   OCR {times['ocr']:.0f} ms, language model {times['llm']:.0f} ms"
    pen.text((card.width + 50, sheet.height - 50), words, fill="#666666", font=_font(20))
    return sheet


def _font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    import matplotlib

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name, size)


if __name__ == "__main__":
    sys.exit(main())
