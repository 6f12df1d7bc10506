"""docs/reference/settings.md says in both languages what programs read, and nothing of the machine it is made on."""

from pathlib import Path

import pytest

from benchmarks.publish.settings import MARK, PAGES, PROGRAMS, ROOT, filled, read_words, table
from server.cpu_lora.settings import CpuLoraSettings

TEXTS = {name: (ROOT / name).read_text("utf-8") for name in PAGES}


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_what_the_command_writes(name: str) -> None:
    new = filled(TEXTS[name], name.endswith(".fr.md"), read_words())
    assert new == TEXTS[name], "python -m benchmarks.publish.settings --write brings it up to date"
    assert [mark[1] for mark in MARK.finditer(new)] == list(PROGRAMS)


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_setting_is_described_in_both_languages_and_nothing_else_is(program: str) -> None:
    words = read_words()
    settings = {one.name: one.means for one in PROGRAMS[program]()}
    assert settings and all(settings.values())
    assert words["french"][program].keys() == settings.keys() and all(words["french"][program].values())
    assert words["defaults"].get(program, {}).keys() <= settings.keys()


def test_every_switch_of_the_plugin_is_found_in_its_docstring() -> None:
    assert len(list(PROGRAMS["kernels"]())) == len(CpuLoraSettings.__dataclass_fields__)


def test_a_default_that_depends_on_the_machine_is_said_in_words() -> None:
    told = read_words()["defaults"]
    for program, settings in PROGRAMS.items():
        assert all(one.name in told.get(program, {}) for one in settings() if not one.fixed), program
    whole = "".join(TEXTS.values())
    assert f"{Path.home()}/" not in whole and str(ROOT) not in whole


def test_a_setting_without_a_french_sentence_is_named() -> None:
    words = read_words()
    del words["french"]["front"]["OCR_FRONT_PLACES"]
    with pytest.raises(KeyError, match="OCR_FRONT_PLACES"):
        table("front", True, words)
    assert "OCR_FRONT_PLACES" in table("front", False, words)
