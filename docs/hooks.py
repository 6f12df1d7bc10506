"""What the site (mkdocs.yml) needs beyond its plugins: folders in the navigation, files of the repository.

Below `repository/` in the navigation stand pages that lie outside docs/ (SECURITY.md); what else a page links to, a
result's plot or a recipe, comes along as it is.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.plugins import CombinedEvent, event_priority
from mkdocs.structure.files import File, Files
from mkdocs_static_i18n.suffix import create_i18n_file

_INSIDE = "repository/"
_LINK = re.compile(r"(\]\()([\w./-]+)((?:#[^)\s]*)?\))")


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
    return {title: [page.relative_to(docs).as_posix() for page in _pages(docs / where)]}


def _pages(folder: Path) -> list[Path]:
    return sorted(page for page in folder.glob("*.md") if not page.name.endswith(".fr.md"))


def _bring_files(files: Files, config: Any) -> Files:
    """Files outside docs/ that a page links to. Before the plugins, which read what there is."""
    docs = Path(config.docs_dir)
    pages = [(page.src_uri, page.content_string) for page in files.documentation_pages()]
    pages += [(where, _place(docs, where).read_text("utf-8")) for where in _in_navigation(config.nav)]
    for where, text in pages:
        for _, link, _ in _LINK.findall(text):
            target = _target(docs, where, link) or ""
            if target.startswith(_INSIDE) and not target.endswith(".md") and target not in files.src_uris:
                files.append(File.generated(config, target, abs_src_path=str(_place(docs, target))))
    return files


@event_priority(-200)
def _bring_pages(files: Files, config: Any) -> Files:
    """Pages outside docs/ that the navigation names. After the plugin for languages, which takes none from there."""
    docs, i18n = Path(config.docs_dir), config.plugins["i18n"]
    for where in _in_navigation(config.nav):
        page = create_i18n_file(
            File.generated(config, where, abs_src_path=str(_place(docs, where))),
            i18n.current_language,
            i18n.default_language,
            i18n.all_languages,
            config,
        )
        page.abs_src_path = str(_place(docs, where))
        files.append(page)
    return files


on_files = CombinedEvent(_bring_files, _bring_pages)


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Let those links lead there, and links of those pages to where theirs are."""
    docs, where = Path(config.docs_dir), page.file.src_uri

    def lead(link: "re.Match[str]") -> str:
        target = _target(docs, where, link[2])
        return f"{link[1]}{'../' * where.count('/')}{target}{link[3]}" if target else link[0]

    return _LINK.sub(lead, markdown)


def _in_navigation(entries: Any) -> Iterator[str]:
    """Every page below `repository/` in the navigation."""
    if isinstance(entries, str):
        yield from [entries] if entries.startswith(_INSIDE) else []
    elif entries:
        for entry in entries.values() if isinstance(entries, dict) else entries:
            yield from _in_navigation(entry)


def _place(docs: Path, where: str) -> Path:
    """The file that the site has as `where`."""
    return docs.parent / where.removeprefix(_INSIDE) if where.startswith(_INSIDE) else docs / where


def _target(docs: Path, where: str, link: str) -> str | None:
    """What a link of the page `where` is in the site; None where Markdown's own way finds it, or nothing is there.

    A folder of docs/ is its first page there.
    """
    path = (_place(docs, where).parent / link).resolve()
    if path.is_dir() and path.is_relative_to(docs):
        path = next(iter(_pages(path)), path)
    if not path.is_file() or not path.is_relative_to(docs.parent):
        return None
    if path.is_relative_to(docs):
        return path.relative_to(docs).as_posix() if where.startswith(_INSIDE) else None
    return f"{_INSIDE}{path.relative_to(docs.parent).as_posix()}"
