"""What goes wrong between a card and its picture. Pixels are float32 (height, width, 3), 0 to 255."""

import math

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

Pixels = npt.NDArray[np.float32]


def table(noise: np.random.Generator, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Wood, cloth or concrete: one colour, coarse blotches or stripes, fine grain."""
    colour = noise.uniform(40, 190) + noise.uniform(-25, 25, 3)
    cells = ((3, 40), (40, 3), (12, 12), (30, 30))[noise.integers(4)]
    coarse = Image.fromarray(noise.integers(0, 255, cells, np.uint8)).resize(size, Image.Resampling.BICUBIC)
    blotches = (np.asarray(coarse, np.float32) - 128)[..., None] * 0.2
    grain = noise.normal(0, 4, (size[1], size[0], 1)).astype(np.float32)
    return np.clip(colour + blotches + grain, 0, 255).astype(np.uint8)


def blurred(noise: np.random.Generator, scene: Pixels) -> Pixels:
    """Out of focus."""
    image = Image.fromarray(np.clip(scene, 0, 255).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(noise.uniform(0.7, 1.5))), np.float32)


def shaken(noise: np.random.Generator, scene: Pixels) -> Pixels:
    """Moved while the shutter was open: copies along a line, averaged."""
    angle, reach = noise.uniform(0, math.pi), noise.uniform(1.5, 3.5)
    steps = np.linspace(-reach / 2, reach / 2, 7)
    total = np.zeros_like(scene)
    for step in steps:
        total += _shifted(scene, step * math.cos(angle), step * math.sin(angle))
    return total / np.float32(len(steps))


def _shifted(scene: Pixels, dx: float, dy: float) -> Pixels:
    """Moved by a part of a pixel, bilinearly."""
    x, y = math.floor(dx), math.floor(dy)
    fx, fy = dx - x, dy - y
    moved: Pixels = np.zeros_like(scene)
    for ox, wx in ((0, 1 - fx), (1, fx)):
        for oy, wy in ((0, 1 - fy), (1, fy)):
            moved += np.roll(scene, (y + oy, x + ox), (0, 1)) * np.float32(wx * wy)
    return moved


def _grid(scene: Pixels) -> tuple[Pixels, Pixels]:
    """x and y of each pixel, 0 to 1, (height, 1) and (1, width)."""
    height, width = scene.shape[:2]
    return (
        np.linspace(0, 1, width, dtype=np.float32)[None, :],
        np.linspace(0, 1, height, dtype=np.float32)[:, None],
    )


def glared(noise: np.random.Generator, scene: Pixels) -> Pixels:
    """A lamp's reflection: towards white, strongest in the middle of a spot or a bar; ink stays visible."""
    x, y = _grid(scene)
    cx, cy, spread = noise.uniform(0.1, 0.9), noise.uniform(0.1, 0.9), noise.uniform(0.07, 0.25)
    stretch, turn = noise.uniform(1, 4), noise.uniform(0, math.pi)
    along = (x - cx) * math.cos(turn) + (y - cy) * math.sin(turn)
    across = -(x - cx) * math.sin(turn) + (y - cy) * math.cos(turn)
    spot = np.exp(-((along / (spread * stretch)) ** 2 + (across / spread) ** 2) / 2) * noise.uniform(0.4, 0.72)
    white: Pixels = scene + (255 - scene) * np.asarray(spot[..., None], np.float32)
    return white


def shadowed(noise: np.random.Generator, scene: Pixels) -> Pixels:
    """A hand's or a phone's shadow with a soft edge."""
    x, y = _grid(scene)
    turn = noise.uniform(0, 2 * math.pi)
    along = (x - noise.uniform(0.25, 0.75)) * math.cos(turn) + (y - noise.uniform(0.25, 0.75)) * math.sin(turn)
    dark = 1 / (1 + np.exp(-along / noise.uniform(0.01, 0.08)))
    return scene * (1 - dark * noise.uniform(0.35, 0.65))[..., None].astype(np.float32)


def darkened(noise: np.random.Generator, scene: Pixels) -> Pixels:
    """Little light: dim, warm, noisy; the noise is a little larger than a pixel, as phones smooth it."""
    dim = scene * np.float32(noise.uniform(0.35, 0.6)) * np.array([1.05, 1.0, noise.uniform(0.75, 1.0)], np.float32)
    grain = noise.normal(0, noise.uniform(7, 15), scene.shape).astype(np.float32)
    return dim + (grain + np.roll(grain, 1, 1)) * np.float32(0.6)


def copied(noise: np.random.Generator, scene: Pixels) -> Pixels:
    """A photocopy: grey, hard contrast, toner's specks."""
    grey = scene.mean(-1)
    middle, steep = noise.uniform(105, 150), noise.uniform(14, 34)
    hard = 255 / (1 + np.exp(-(grey - middle) / steep))
    specks = noise.random(grey.shape) < noise.uniform(0.0005, 0.004)
    hard = np.where(specks, noise.uniform(0, 120), hard)
    return np.repeat(hard[..., None], 3, -1).astype(np.float32)


def on_screen(noise: np.random.Generator, scene: Pixels) -> Pixels:
    """Photographed off a screen: its grid beats with the camera's, and the picture is bluish."""
    height, width = scene.shape[:2]
    rows, columns = np.arange(height)[:, None], np.arange(width)[None, :]
    waves = np.zeros((height, width, 3))
    for channel in range(3):
        turn, period = noise.uniform(-0.15, 0.15), noise.uniform(2.3, 4.5)
        phase = 2 * math.pi / period * (columns * math.cos(turn) + rows * math.sin(turn))
        beat = 2 * math.pi / noise.uniform(18, 60) * (rows * math.cos(turn * 2) + columns * math.sin(turn * 3 + 0.4))
        waves[..., channel] = np.sin(phase) * noise.uniform(0.03, 0.09) + np.sin(beat) * noise.uniform(0.02, 0.07)
    tint = np.array([noise.uniform(0.82, 0.98), 0.97, 1.06])
    return np.asarray(scene * (1 + waves) * tint, np.float32)
