"""A bad photograph of a card: askew and small, then one or two of the ways in which people's pictures go wrong.

Strengths keep a person able to read every value; the small print of labels is damaged first, as in real pictures.
"""

import io
import math
import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from adapters.data.hard import damage
from adapters.data.lines import Point, Polygon
from adapters.data.render import Card

Matrix = npt.NDArray[np.float64]
_ANGLE = 15.0
_KINDS: tuple[tuple[str, float], ...] = (
    ("tilt", 2), ("half", 2), ("third", 1.2), ("blur", 1.5), ("motion", 1), ("glare", 1.3), ("shadow", 1),
    ("dark", 1.3), ("copy", 1), ("screen", 1), ("far", 0.9), ("cut", 0.8), ("packed", 1.5),
)  # fmt: skip
_EFFECTS: dict[str, Callable[[np.random.Generator, damage.Pixels], damage.Pixels]] = {
    "blur": damage.blurred, "motion": damage.shaken, "glare": damage.glared, "shadow": damage.shadowed,
    "dark": damage.darkened, "copy": damage.copied, "screen": damage.on_screen,
}  # fmt: skip


@dataclass(frozen=True)
class _Shot:
    """`long`: the card's longer side in pixels; `angle` in degrees; `around`: table on each side, in cards."""

    kinds: frozenset[str]
    long: float
    angle: float
    around: float
    quality: int


def capture(rng: random.Random, card: Card) -> Card:
    """The card's picture and its values' corners there. The same `rng` state gives the same pixels."""
    shot = _shot(rng)
    noise = np.random.default_rng(rng.getrandbits(62))
    size, matrix = _pose(rng, card.image.size, shot)
    scene = _warped(noise, card.image, size, matrix)
    for kind, effect in _EFFECTS.items():
        if kind in shot.kinds:
            scene = effect(noise, scene)
    image = Image.fromarray(np.clip(scene, 0, 255).astype(np.uint8))
    polygons = {key: _moved(polygon, matrix) for key, polygon in card.polygons.items()}
    if "cut" in shot.kinds:
        image, polygons = _cut(rng, image, polygons)
    return Card(_compressed(image, shot.quality), polygons)


def _shot(rng: random.Random) -> _Shot:
    names, weights = zip(*_KINDS, strict=True)
    kinds = frozenset(rng.choices(names, weights, k=rng.choice((1, 2, 2, 3))))
    soft = len(kinds & {"blur", "motion", "dark", "copy", "screen"})
    long = rng.uniform(860, 1250)
    if "half" in kinds:
        long = rng.uniform(640, 780)
    if "third" in kinds:
        long = rng.uniform(520, 620)
    if "far" in kinds:
        long = rng.uniform(640, 800)
    long = max(long, 600 + 130 * soft)
    angle = rng.uniform(6, _ANGLE) * rng.choice((-1, 1)) if "tilt" in kinds else rng.gauss(0, 3)
    around = rng.uniform(0.3, 0.7) if "far" in kinds else 0.0 if "cut" in kinds else rng.uniform(0.01, 0.09)
    low = 25 if long > 700 and not soft else 38
    quality = rng.randrange(low, 61) if rng.random() < 0.75 or "packed" in kinds else rng.randrange(60, 90)
    return _Shot(kinds, long, max(-_ANGLE, min(_ANGLE, angle)), around, quality)


def _pose(rng: random.Random, card: tuple[int, int], shot: _Shot) -> tuple[tuple[int, int], Matrix]:
    """The picture's size and the homography (3, 3) from card to picture pixels: turned, in perspective, inside."""
    zoom, angle = shot.long / max(card), math.radians(shot.angle)
    bend = (0.05 if "tilt" in shot.kinds else 0.02) * min(card) * zoom
    corners = [(0, 0), (card[0], 0), (card[0], card[1]), (0, card[1])]
    placed = []
    for x, y in corners:
        dx, dy = (x - card[0] / 2) * zoom, (y - card[1] / 2) * zoom
        placed.append((
            dx * math.cos(angle) - dy * math.sin(angle) + rng.uniform(-bend, bend),
            dx * math.sin(angle) + dy * math.cos(angle) + rng.uniform(-bend, bend),
        ))  # fmt: skip
    xs, ys = [p[0] for p in placed], [p[1] for p in placed]
    wide, tall = max(xs) - min(xs), max(ys) - min(ys)
    size = round(wide * (1 + 2 * shot.around)), round(tall * (1 + 2 * shot.around))
    shift = (size[0] - wide) * rng.uniform(0.2, 0.8) - min(xs), (size[1] - tall) * rng.uniform(0.2, 0.8) - min(ys)
    return size, homography(corners, [(x + shift[0], y + shift[1]) for x, y in placed])


def homography(source: list[tuple[int, int]], target: list[tuple[float, float]]) -> Matrix:
    """The projective map of four points to four points (Hartley and Zisserman 2004, 4.1)."""
    rows = []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    solved = np.linalg.solve(np.array(rows, float), np.array([c for p in target for c in p], float))
    return np.append(solved, 1.0).reshape(3, 3)


def _warped(noise: np.random.Generator, card: Image.Image, size: tuple[int, int], matrix: Matrix) -> damage.Pixels:
    """The card on a table; shrunk by areas before it is warped, so that thin strokes do not flicker."""
    zoom = math.sqrt(abs(float(np.linalg.det(matrix[:2, :2]))))
    small = card.resize((round(card.width * zoom), round(card.height * zoom)), Image.Resampling.LANCZOS)
    back = np.linalg.inv(matrix @ np.diag([card.width / small.width, card.height / small.height, 1.0]))
    numbers = tuple((back / back[2, 2]).flatten()[:8].tolist())
    warped = small.transform(size, Image.Transform.PERSPECTIVE, numbers, Image.Resampling.BICUBIC)
    full = Image.new("L", small.size, 255)
    mask = full.transform(size, Image.Transform.PERSPECTIVE, numbers, Image.Resampling.BILINEAR)
    table = Image.fromarray(damage.table(noise, size))
    return np.asarray(Image.composite(warped, table, mask), np.float32)


def _moved(polygon: Polygon, matrix: Matrix) -> Polygon:
    found: list[Point] = []
    for x, y in polygon:
        u, v, w = (matrix @ np.array([x, y, 1.0])).tolist()
        found.append((round(u / w, 2), round(v / w, 2)))
    return tuple(found)


def _cut(
    rng: random.Random, image: Image.Image, polygons: dict[str, Polygon]
) -> tuple[Image.Image, dict[str, Polygon]]:
    """Edges cut off, up to the outermost values."""
    points = [point for polygon in polygons.values() for point in polygon]
    box = (
        max(0, int((min(x for x, _ in points) - 8) * rng.random())),
        max(0, int((min(y for _, y in points) - 8) * rng.random())),
        min(image.width, image.width - int((image.width - max(x for x, _ in points) - 8) * rng.random())),
        min(image.height, image.height - int((image.height - max(y for _, y in points) - 8) * rng.random())),
    )
    moved = {key: tuple((x - box[0], y - box[1]) for x, y in polygon) for key, polygon in polygons.items()}
    return image.crop(box), moved


def _compressed(image: Image.Image, quality: int) -> Image.Image:
    """What a messenger's JPEG leaves of the picture."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")
