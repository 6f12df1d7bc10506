"""Labels that a camera loses: printed so small, or so far out of focus, that their values are all that is left."""

import random

from PIL import Image, ImageFilter

from adapters.data.hard.page import Mark, Page

_BLUR = (0.1, 0.34)  # of a label's size: from hardly legible to a grey bar
_PALE = (0.0, 0.6)  # how far towards the paper around it
_MARGIN = 3  # pixels


def faint_labels(rng: random.Random, image: Image.Image, page: Page) -> Image.Image:
    """Some labels of the page, or all of them, blurred and paler. `image`: the page as printed, changed in place."""
    labels = [mark for mark in page.marks if mark.role == "label"]
    share, blur, pale = rng.choice((0.3, 0.6, 0.9, 1.0)), rng.uniform(*_BLUR), rng.uniform(*_PALE)
    for mark in labels:
        if rng.random() < share:
            _lose(image, mark, blur * mark.size, pale)
    return image


def _lose(image: Image.Image, mark: Mark, radius: float, pale: float) -> None:
    left, top, right, bottom = mark.font.getbbox(mark.text)
    box = (
        max(0, round(mark.x + left) - _MARGIN),
        max(0, round(mark.y + top) - _MARGIN),
        min(image.width, round(mark.x + right) + _MARGIN),
        min(image.height, round(mark.y + bottom) + _MARGIN),
    )
    if box[0] >= box[2] or box[1] >= box[3]:
        return
    printed = image.crop(box)
    paper = Image.new("RGB", printed.size, printed.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0)))
    image.paste(Image.blend(printed.filter(ImageFilter.GaussianBlur(radius)), paper, pale), box)
