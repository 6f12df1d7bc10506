"""The four edges of a card on a photo, looked for on a small copy of it. Some milliseconds; OpenCV does the work."""

import math
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from ocr_frontend.ocr.images import Pixels

Corners = NDArray[np.float64]  # (4, 2): x and y in pixels, clockwise, beginning with the left end of the upper side

_SIDE = 480  # pixels of the copy's longest side
_NARROW = 32  # pixels of its shortest, below which nothing is looked for
_AREA = 0.2  # of the picture, at least
_RATIOS = (1.15, 2.3)  # of an ID-1 card's sides (1.586) as seen: leaning by 45 degrees foreshortens one to 0.7
_ANGLES = (55.0, 125.0)  # degrees, inside each corner
_FILLED = 0.93  # of the quadrilateral by the shape it was fitted to
_CONTRAST = 6.0  # between a point inside an edge and one outside, in Lab units
_SEEN = 0.75  # of an edge's points that show it


def find_card(image: Pixels) -> Corners | None:
    """The corners of the one card that lies wholly on an (height, width, 3) RGB picture, None without one.

    Those of a card that the picture cuts off, or whose edge cannot be told from what it lies on, are not found.
    """
    height, width = image.shape[:2]
    scale = max(height, width) / _SIDE
    if min(height, width) < _NARROW * max(1.0, scale):
        return None
    size = (round(width / scale), round(height / scale)) if scale > 1 else (width, height)
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(cv2.GaussianBlur(small, (5, 5), 0), cv2.COLOR_RGB2LAB).astype(np.float32)
    found = [corners for mask in _masks(lab) for corners in _quadrilaterals(mask) if _is_card(corners, lab)]
    if not found:
        return None
    # The outermost: what is inside a card may be a rectangle as well.
    best = max(found, key=_area)
    factors = np.array([width / size[0], height / size[1]])
    return np.asarray((best + 0.5) * factors - 0.5, dtype=np.float64)


def convergence(card: Corners) -> float:
    """Degrees between opposite edges, the larger of both pairs: 0 for a card seen from the front, however turned."""
    sides = np.roll(card, -1, axis=0) - card
    return max(_angle(sides[0], -sides[2]), _angle(sides[1], -sides[3]))


def lengths(card: Corners) -> tuple[tuple[float, float], tuple[float, float]]:
    """Of the upper and the lower side, and of the right and the left one."""
    a, b, c, d = (float(x) for x in np.linalg.norm(np.roll(card, -1, axis=0) - card, axis=1))
    return (a, c), (b, d)


def _masks(lab: NDArray[np.float32]) -> Iterator[NDArray[np.uint8]]:
    """What may be the card, 255 in it: what is unlike the rim, what is light, what is dark, and closed outlines."""
    rim = np.concatenate(
        [lab[:4].reshape(-1, 3), lab[-4:].reshape(-1, 3), lab[:, :4].reshape(-1, 3), lab[:, -4:].reshape(-1, 3)]
    )
    light = lab[:, :, 0].astype(np.uint8)
    unlike = np.linalg.norm(lab - np.median(rim, axis=0), axis=2).clip(0, 255).astype(np.uint8)
    kernel = np.ones((5, 5), np.uint8)
    for grey, kind in ((unlike, cv2.THRESH_BINARY), (light, cv2.THRESH_BINARY), (light, cv2.THRESH_BINARY_INV)):
        mask = cv2.threshold(grey, 0, 255, kind | cv2.THRESH_OTSU)[1]
        mask = cv2.morphologyEx(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, kernel), cv2.MORPH_OPEN, kernel)
        yield np.asarray(mask, dtype=np.uint8)
    outlines = cv2.dilate(cv2.Canny(light, 30, 90), np.ones((3, 3), np.uint8))
    yield np.asarray(outlines, dtype=np.uint8)


def _quadrilaterals(mask: NDArray[np.uint8]) -> Iterator[Corners]:
    """Those that large shapes of the mask fill."""
    for shape in cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]:
        area = cv2.contourArea(shape)
        if area < _AREA * mask.size:
            continue
        hull = cv2.convexHull(shape)
        for tolerance in (0.02, 0.04, 0.06):
            rough = cv2.approxPolyDP(hull, tolerance * cv2.arcLength(hull, True), True)[:, 0].astype(np.float64)
            if len(rough) <= 4:
                break
        corners = _fitted(rough, shape[:, 0].astype(np.float64)) if len(rough) == 4 else None
        if corners is not None and area >= _FILLED * _area(corners):
            yield corners


def _fitted(rough: Corners, outline: NDArray[np.float64]) -> Corners | None:
    """Where lines through the middles of the sides meet: a card's own corners are round."""
    lines = []
    for start, end in zip(rough, np.roll(rough, -1, axis=0), strict=True):
        length = float(np.linalg.norm(end - start))
        along = (end - start) / length
        far, aside = (outline - start) @ along, (outline - start) @ np.array([-along[1], along[0]])
        near = outline[(far > 0.12 * length) & (far < 0.88 * length) & (np.abs(aside) < 0.02 * length + 2)]
        if len(near) < 0.5 * length:
            return None
        vx, vy, x, y = cv2.fitLine(near.astype(np.float32), cv2.DIST_HUBER, 0, 0.01, 0.01)[:, 0].astype(np.float64)
        lines.append((vy, -vx, vy * x - vx * y))  # the first two times a point of the line is the third
    corners = []
    for (a, b, c), (d, e, f) in zip([lines[-1], *lines[:-1]], lines, strict=True):
        if abs(a * e - b * d) < 0.1:  # nearly parallel
            return None
        corners.append(((c * e - b * f) / (a * e - b * d), (a * f - c * d) / (a * e - b * d)))
    return _ordered(np.array(corners))


def _ordered(corners: Corners) -> Corners:
    """Clockwise on the picture, beginning where the side that runs most to the right begins."""
    if _signed_area(corners) < 0:
        corners = corners[::-1]
    sides = np.roll(corners, -1, axis=0) - corners
    first = int(np.argmax(sides[:, 0] / np.linalg.norm(sides, axis=1)))
    return np.roll(corners, -first, axis=0)


def _is_card(corners: Corners, lab: NDArray[np.float32]) -> bool:
    """Inside the picture, convex, large, of a card's proportions, and with edges that are seen."""
    height, width = lab.shape[:2]
    if corners.min() < 1 or (corners > (width - 2, height - 2)).any() or _area(corners) < _AREA * height * width:
        return False
    sides = np.roll(corners, -1, axis=0) - corners
    inside = [180 - _angle(one, two) for one, two in zip(np.roll(sides, 1, axis=0), sides, strict=True)]
    short, long = sorted(sum(pair) for pair in lengths(corners))
    if min(inside) < _ANGLES[0] or max(inside) > _ANGLES[1] or abs(sum(inside) - 360) > 1:
        return False
    return _RATIOS[0] <= long / short <= _RATIOS[1] and all(
        _shows(lab, start, end) for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True)
    )


def _shows(lab: NDArray[np.float32], start: NDArray[np.float64], end: NDArray[np.float64]) -> bool:
    """Whether the colours on both sides of an edge differ, and in the same way along it."""
    along = (end - start) / np.linalg.norm(end - start)
    inwards = np.array([-along[1], along[0]]) * 4
    points = start + np.linspace(0.1, 0.9, 40)[:, None] * (end - start)
    last = np.array([lab.shape[1], lab.shape[0]]) - 1
    inner, outer = (np.rint(points + step).clip(0, last).astype(int) for step in (inwards, -inwards))
    steps = lab[inner[:, 1], inner[:, 0]] - lab[outer[:, 1], outer[:, 0]]
    typical = np.median(steps, axis=0)
    contrast = steps @ (typical / max(1e-6, float(np.linalg.norm(typical))))
    return bool((contrast > _CONTRAST).mean() >= _SEEN)


def _angle(one: NDArray[np.float64], two: NDArray[np.float64]) -> float:
    cosine = float(one @ two) / float(np.linalg.norm(one) * np.linalg.norm(two))
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))


def _area(corners: Corners) -> float:
    return abs(_signed_area(corners))


def _signed_area(corners: Corners) -> float:
    x, y = corners.T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2
