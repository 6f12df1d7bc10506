"""The numbers that a field's confidence is made of, and their signs: what calibration and the front agree on."""

from collections.abc import Mapping
from types import MappingProxyType

Evidence = dict[str, float]
VERSION = 3  # of the names and meanings below: weights of another version say nothing
RENAMED: Mapping[int, Mapping[str, str]] = MappingProxyType({2: {"zone": "mrz"}})
"""Earlier versions that differ in names alone."""
RISING: Mapping[str, int] = MappingProxyType({"model_for": 1, "model_elsewhere": -1})
"""Those of the reranker's numbers with which its trees only rise (1) or fall (-1): a surer model never speaks against
what it said (extraction/reranker/features.py)."""
# +1: more of it may only raise the confidence; -1: may only lower it; 0: a base rate, either way.
SIGNS: Mapping[str, int] = MappingProxyType(
    {
        "model": 1,  # log-odds of the element; of its opposite where a rule changed it
        "reranker": 1,  # log-odds of the lines by where they stand; weights older than it are good without it
        "null": 0,  # no value
        "text": 0,  # free text
        "ocr": 1,  # of the least sure line, -log10(1 - score)
        "letter": 1,  # of the least sure letter or digit, the same way; weights older than it are good without it
        "page": 1,  # mean OCR score of the page's lines, the same way
        "own_label": 1,  # stands under, beside or behind its own label
        "other_label": -1,  # stands under another field's label
        "like_label": -1,  # how like one of its lines is to a label that was read nowhere
        "length": -1,  # logarithm of the characters
        "written": -1,  # written out instead of named by line
        "not_in_text": -1,
        "damaged": -1,  # repaired characters, unexpected form, several values
        "contradicted": -1,  # checks that do not hold
        "orphan": -1,  # empty, while a line stands free under its label
        "mrz": 1,  # the machine-readable zone says the same
    }
)
