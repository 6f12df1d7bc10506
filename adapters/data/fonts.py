"""Free fonts out of PyPI packages, divided between the splits; a package's files are found without importing it.

Roboto and Caladea are Apache-2.0, DejaVu has the Bitstream Vera licence, the others the SIL Open Font Licence 1.1.
"""

import random
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PIL import ImageFont

from adapters.data.vocabulary import Split

_DEJAVU = "matplotlib/mpl-data/fonts/ttf"


@dataclass(frozen=True)
class Family:
    """One family's files, relative to the folder of installed packages."""

    name: str
    regular: str
    bold: str


FAMILIES: dict[Split, tuple[Family, ...]] = {
    "train": (
        Family("Roboto", "font_roboto/files/Roboto-Regular.ttf", "font_roboto/files/Roboto-Bold.ttf"),
        Family("Caladea", "font_caladea/files/Caladea-Regular.ttf", "font_caladea/files/Caladea-Bold.ttf"),
        Family(
            "Source Sans Pro",
            "font_source_sans_pro/files/SourceSansPro-Regular.ttf",
            "font_source_sans_pro/files/SourceSansPro-Bold.ttf",
        ),
        Family("Manrope", "font_manrope/files/Manrope-Regular.ttf", "font_manrope/files/Manrope-Bold.ttf"),
        Family("DejaVu Sans", f"{_DEJAVU}/DejaVuSans.ttf", f"{_DEJAVU}/DejaVuSans-Bold.ttf"),
    ),
    "valid": (
        Family(
            "Hanken Grotesk",
            "font_hanken_grotesk/files/HankenGrotesk-Regular.otf",
            "font_hanken_grotesk/files/HankenGrotesk-Bold.otf",
        ),
    ),
    "test": (
        Family("Lato", "font_lato/files/Lato-Regular.ttf", "font_lato/files/Lato-Bold.ttf"),
        Family(
            "Source Serif Pro",
            "font_source_serif_pro/files/SourceSerifPro-Regular.ttf",
            "font_source_serif_pro/files/SourceSerifPro-Bold.ttf",
        ),
        Family("DejaVu Serif", f"{_DEJAVU}/DejaVuSerif.ttf", f"{_DEJAVU}/DejaVuSerif-Bold.ttf"),
    ),
}
_MONO: dict[Split, str] = {
    "train": f"{_DEJAVU}/DejaVuSansMono.ttf",
    "valid": f"{_DEJAVU}/DejaVuSansMono-Bold.ttf",
    "test": f"{_DEJAVU}/cmtt10.ttf",
}


def pick_family(rng: random.Random, split: Split) -> Family:
    """A family of the split."""
    return rng.choice(FAMILIES[split])


def mono_file(split: Split) -> str:
    """The monospaced font that stands in for OCR-B in the machine-readable zone."""
    return _MONO[split]


@cache
def path_of(file: str) -> Path:
    """The installed file. Raises FileNotFoundError, naming the package to install."""
    package, _, rest = file.partition("/")
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (path := Path(folder) / rest).is_file():
            return path
    raise FileNotFoundError(f"font {rest} is missing: install the package {package.replace('_', '-')}")


@cache
def load(file: str, size: int) -> ImageFont.FreeTypeFont:
    """The font at a size in pixels. Basic layout: the same on machines with and without libraqm."""
    return ImageFont.truetype(path_of(file), size, layout_engine=ImageFont.Layout.BASIC)
