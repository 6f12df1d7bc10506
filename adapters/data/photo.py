"""A card as a hand-held camera sees it: on a table, askew, a little blurred, unevenly lit, compressed.

The geometry is ours because the value's corners must move with the pixels; light, blur, colour and noise are kornia's.
"""

import io
import math
import random
from collections.abc import Iterator
from contextlib import contextmanager

import kornia.augmentation as augment
import torch
from kornia.geometry.linalg import transform_points
from kornia.geometry.transform import get_perspective_transform, warp_perspective
from PIL import Image
from torch import Tensor

from adapters.data.lines import Polygon
from adapters.data.render import Card

MAX_ROTATION = 12.0


def photograph(rng: random.Random, card: Card) -> Card:
    """The card's photo and its values' corners there. The same `rng` state gives the same pixels."""
    with _one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(rng.getrandbits(62))
        size = _frame(rng, card.image.size)
        matrix = _pose(rng, card.image.size, size)
        scene = _on_table(rng, _to_tensor(card.image), matrix, size)
        image = _to_image(_camera(scene))
    scale = rng.uniform(0.68, 0.92) if rng.random() < 0.35 else 1.0
    small = image.resize((round(size[0] * scale), round(size[1] * scale)), Image.Resampling.BILINEAR)
    polygons = {key: _moved(polygon, matrix, scale) for key, polygon in card.polygons.items()}
    return Card(_compressed(small, rng.randrange(45, 93)), polygons)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Images this small gain nothing from a second thread, and lose much where the cores are busy."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _frame(rng: random.Random, size: tuple[int, int]) -> tuple[int, int]:
    """The photo's size: the card and some table around it."""
    return round(size[0] * rng.uniform(1.14, 1.34)), round(size[1] * rng.uniform(1.18, 1.42))


def _pose(rng: random.Random, card: tuple[int, int], frame: tuple[int, int]) -> Tensor:
    """The homography (1, 3, 3) from card to photo pixels: rotated, in perspective, wholly inside the frame."""
    angle = math.radians(max(-MAX_ROTATION, min(MAX_ROTATION, rng.gauss(0, 4.5))))
    half = (card[0] / 2, card[1] / 2)
    corners = [(-half[0], -half[1]), (half[0], -half[1]), (half[0], half[1]), (-half[0], half[1])]
    bend = 0.03 * min(card)
    turned = [
        (
            x * math.cos(angle) - y * math.sin(angle) + rng.uniform(-bend, bend),
            x * math.sin(angle) + y * math.cos(angle) + rng.uniform(-bend, bend),
        )
        for x, y in corners
    ]
    reach = [max(abs(p[axis]) for p in turned) for axis in (0, 1)]
    zoom = min(frame[0] / 2 / reach[0], frame[1] / 2 / reach[1]) * rng.uniform(0.93, 0.99)
    placed = [(frame[0] / 2 + x * zoom, frame[1] / 2 + y * zoom) for x, y in turned]
    source = [(0, 0), (card[0] - 1, 0), (card[0] - 1, card[1] - 1), (0, card[1] - 1)]
    matrix: Tensor = get_perspective_transform(
        torch.tensor([source], dtype=torch.float32), torch.tensor([placed], dtype=torch.float32)
    )
    return matrix


def _on_table(rng: random.Random, card: Tensor, matrix: Tensor, frame: tuple[int, int]) -> Tensor:
    """The warped card over a table's texture."""
    dsize = (frame[1], frame[0])
    layers = torch.cat([card, torch.ones_like(card[:, :1])], dim=1)
    warped: Tensor = warp_perspective(layers, matrix, dsize, mode="bilinear", align_corners=True)
    alpha = warped[:, 3:]
    return warped[:, :3] + _table(rng, dsize) * (1 - alpha)


def _table(rng: random.Random, dsize: tuple[int, int]) -> Tensor:
    """Wood, cloth or concrete: one colour with coarse stripes or blotches and fine grain."""
    colour = torch.tensor([rng.uniform(0.15, 0.7) for _ in range(3)]).mean() * 0.6
    base = (colour + torch.tensor([rng.uniform(0.0, 0.3) for _ in range(3)])).view(1, 3, 1, 1)
    cells = rng.choice(((3, 40), (40, 3), (12, 12), (30, 30)))
    coarse = torch.nn.functional.interpolate(torch.rand(1, 1, *cells), size=dsize, mode="bicubic")
    grain = torch.rand(1, 1, *dsize)
    return (base + 0.12 * (coarse - 0.5) + 0.05 * (grain - 0.5)).clamp(0, 1)


def _camera(scene: Tensor) -> Tensor:
    """Shadow, glare, white balance, exposure, blur and sensor noise; each only sometimes."""
    steps = augment.AugmentationSequential(
        augment.RandomPlanckianJitter(mode="blackbody", p=0.4),
        augment.RandomBrightness(brightness=(0.82, 1.12), p=0.5),
        augment.RandomContrast(contrast=(0.8, 1.15), p=0.5),
        augment.RandomGaussianBlur((5, 5), (0.3, 1.1), p=0.5),
        augment.RandomMotionBlur((3, 5), angle=180.0, direction=(-0.5, 0.5), p=0.25),
        augment.RandomGaussianNoise(mean=0.0, std=0.015, p=0.5),
        data_keys=["input"],
    )
    taken: Tensor = steps((scene + _light(scene.shape[-2:])).clamp(0, 1))
    return taken.clamp(0, 1)


def _light(size: torch.Size) -> Tensor:
    """What shadow and glare add, (1, 1, height, width): smooth, so made small and stretched."""
    steps = augment.AugmentationSequential(
        augment.RandomLinearIllumination(gain=(0.05, 0.30), sign=(-1.0, -1.0), p=0.4),
        augment.RandomLinearCornerIllumination(gain=(0.05, 0.25), sign=(-1.0, 1.0), p=0.25),
        augment.RandomGaussianIllumination(
            gain=(0.05, 0.22), center=(0.1, 0.9), sigma=(0.1, 0.4), sign=(1.0, 1.0), p=0.3
        ),
        data_keys=["input"],
    )
    lit: Tensor = steps(torch.full((1, 3, size[0] // 8, size[1] // 8), 0.5))
    return torch.nn.functional.interpolate(lit[:, :1] - 0.5, size=list(size), mode="bilinear")


def _moved(polygon: Polygon, matrix: Tensor, scale: float) -> Polygon:
    points: Tensor = transform_points(matrix, torch.tensor([polygon], dtype=torch.float32))[0] * scale
    return tuple((round(x, 2), round(y, 2)) for x, y in points.tolist())


def _to_tensor(image: Image.Image) -> Tensor:
    """(1, 3, height, width), 0 to 1."""
    data = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
    return data.view(1, image.height, image.width, 3).permute(0, 3, 1, 2).float() / 255


def _to_image(scene: Tensor) -> Image.Image:
    data = (scene[0].permute(1, 2, 0) * 255).round().to(torch.uint8).contiguous()
    return Image.frombytes("RGB", (data.shape[1], data.shape[0]), data.numpy().tobytes())


def _compressed(image: Image.Image, quality: int) -> Image.Image:
    """What a phone's JPEG leaves of the image."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")
