"""A French page leads to French pages, and says of none of them that it is in English."""

import re
from pathlib import Path

import pytest

from benchmarks.publish.figures import ROOT, pages

FRENCH = [page for page in pages(ROOT) if page.name.endswith(".fr.md")]
LINK = re.compile(r"\]\(([\w./-]+\.md)(?:#[^)\s]*)?\)")
MENTION = re.compile(r"(?<![\w./-])(docs/[\w./-]+\.md)\b")
CALLED_ENGLISH = re.compile(r"([\w./-]+\.fr\.md)(?:#[\w-]*)?[`)]*,? \(?en anglais")
# Each README leads to the other one.
OTHER = {("README.fr.md", "README.md")}


def wrong(page: Path, text: str) -> list[str]:
    """What a French page's text names that it should not."""
    named = [(page.parent / link, link) for link in LINK.findall(text) if (page.name, link) not in OTHER]
    named += [(ROOT / path, path) for path in MENTION.findall(text)]
    english = [link for path, link in named if not link.endswith(".fr.md") and path.with_suffix(".fr.md").exists()]
    return english + [f"{link} is not in English" for link in CALLED_ENGLISH.findall(text)]


@pytest.mark.parametrize("page", FRENCH, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_french_page_leads_to_french_pages(page: Path) -> None:
    assert not wrong(page, page.read_text("utf-8"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[la mémoire](../reference/memory.md#tailles)", ["../reference/memory.md"]),
        ("la capacité (docs/reference/capacity.md)", ["docs/reference/capacity.md"]),
        ("[la page](../reference/page.fr.md) (en anglais)", ["../reference/page.fr.md is not in English"]),
        ("[décision 0024](../decisions/0024-drafts.md), en anglais ; [ici](../reference/page.fr.md#haut)", []),
    ],
)
def test_what_leads_to_english_is_found(text: str, found: list[str]) -> None:
    assert wrong(ROOT / "docs/how-to/deploy.fr.md", text) == found
