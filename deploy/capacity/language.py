"""The tables' words and numbers as a page of one language writes them."""

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.publish import french


@dataclass(frozen=True)
class Language:
    """`page`: from the root of the repository; `words`: its French for each English text, None in English itself."""

    page: str
    words: Mapping[str, str] | None = None

    def text(self, english: str, *numbers: str) -> str:
        """`english` as the page says it, with its numbers in place of its braces. KeyError without a translation."""
        said = english if self.words is None else self.words[english]
        return said.format(*map(self.number, numbers))

    def number(self, english: str) -> str:
        """A number that is written as English does."""
        return english if self.words is None else french.number(english)

    def quantity(self, number: str, unit: str) -> str:
        """With its unit."""
        return f"{number} {unit}" if self.words is None else french.quantity(number, self.text(unit))


_FRENCH_WORDS = {
    "measured": "mesuré",
    "assumed": "supposé",
    "computed": "calculé",
    "core-s": "s de cœur",
    "cards/s": "cartes/s",
    "GB": "Go",
    "input, for a card": "donnée, pour une carte",
    "value": "valeur",
    "source": "source",
    "cards a minute, CPU": "cartes par minute, sur processeur",
    "cards a minute, GPU": "cartes par minute, sur GPU",
    "fronts": "services OCR",
    "servers": "serveurs",
    "cores": "cœurs",
    "GPUs": "GPU",
    "memory": "mémoire",
    "reading the picture": "lecture de l'image",
    "model, one card at a time": "modèle, une carte à la fois",
    "model, first token p95 within a second": "modèle, p95 du premier jeton sous une seconde",
    "cards a second of one GPU server": "cartes par seconde d'un serveur sur GPU",
    "a front with one OCR worker": "un service OCR à un seul lecteur",
    "a CPU server, 3 GiB of KV cache": "un serveur sur processeur, 3 Gio de cache KV",
    "a GPU server, host memory": "un serveur sur GPU, mémoire de l'hôte",
    "card.json: {} s at p50 on {} cores": "card.json : p50 de {} s sur {} cœurs",
    "card_load.json: {} cards/s on {} cores": "card_load.json : {} cartes/s sur {} cœurs",
    "card_load_gpu.json": "card_load_gpu.json",
    "make bench was not run": "make bench n'a pas été lancé",
    "lab-notes: 3.1 ms a token; prefill 0.3 s is a guess": (
        "lab-notes : 3,1 ms par jeton ; 0,3 s pour l'invite, à l'estime"
    ),
    "Of the cores of the last rows {} % read pictures; GPUs for the model save {} % of them.": (
        "Des cœurs des dernières lignes, {}\u00a0% lisent des images ; des GPU pour le modèle en épargnent {}\u00a0%."
    ),
    "one API process, not the GPU, is the bound": "la limite est l'unique processus de l'API, et non le GPU",
    "front_memory.json: the most over {} cards": "front_memory.json : le maximum sur {} cartes",
    "benchmarks.front.memory was not run": "benchmarks.front.memory n'a pas été lancé",
    "resident under load": "mémoire résidente sous charge",
    "weights once, CUDA's context": "les poids une fois, le contexte de CUDA",
}
ENGLISH = Language("docs/reference/capacity.md")
FRENCH = Language("docs/reference/capacity.fr.md", _FRENCH_WORDS)
LANGUAGES = (ENGLISH, FRENCH)
