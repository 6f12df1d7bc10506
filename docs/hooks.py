"""What the site (mkdocs.yml) needs beyond its plugins: folders in the navigation, and files of the repository that pages link to."""

import re
from pathlib import Path
from typing import Any

from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files

_LINK = re.compile(r"(\]\()((?:\.\./)+[\w./-]+)(\))")


@event_priority(100)
def on_config(config: Any) -> Any:
    """`decisions/` in the navigation means every page of that folder."""
    docs = Path(config.docs_dir)
    for section in config.nav:
        for name, entries in section.items():
            if isinstance(entries, list):
                section[name] = [_expanded(docs, entry) for entry in entries]
    return config


def _expanded(docs: Path, entry: dict[str, Any]) -> dict[str, Any]:
    ((title, where),) = entry.items()
    if not (isinstance(where, str) and where.endswith("/")):
        return entry
    found = sorted(page for page in (docs / where).glob("*.md") if not page.name.endswith(".fr.md"))
    return {title: [page.relative_to(docs).as_posix() for page in found]}


def on_files(files: Files, config: Any) -> Files:
    """Files outside docs/ that a page links to (a result's plot, a recipe) come along, below `repository/`."""
    for page in list(files.documentation_pages()):
        for _, link, _ in _LINK.findall(page.content_string):
            inside = _outside(page, link, config)
            if inside and inside not in files.src_uris:
                path = Path(config.docs_dir).parent / inside.removeprefix("repository/")
                files.append(File.generated(config, inside, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Let those links lead there."""

    def lead(link: "re.Match[str]") -> str:
        inside = _outside(page.file, link[2], config)
        up = "../" * page.file.src_uri.count("/")
        return f"{link[1]}{up}{inside}{link[3]}" if inside else link[0]

    return _LINK.sub(lead, markdown)


def _outside(page: File, link: str, config: Any) -> str | None:
    """Where a linked file of the repository lies in the site; None for a page's own, or for what does not exist."""
    docs = Path(config.docs_dir)
    path = ((docs / page.src_uri).parent / link).resolve()
    if not path.is_file() or path.is_relative_to(docs) or not path.is_relative_to(docs.parent):
        return None
    return f"repository/{path.relative_to(docs.parent).as_posix()}"
