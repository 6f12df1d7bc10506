"""What docs/reference/api.md shows is what the services answer: its example, its codes, its signature, its names."""

import hashlib
import hmac
import json
import re
from collections.abc import Iterator

import pytest

from benchmarks.publish.figures import ROOT, pages
from ocr_frontend import errors
from ocr_frontend.api.given_lines import MOST_BYTES, MOST_CHARACTERS, MOST_LINES, MOST_TEXT, SentLines
from ocr_frontend.bodies.schemas import Extraction, LegacyExtraction, WarningAnswer
from ocr_frontend.errors import FrontError
from ocr_frontend.extraction.two_sided import Card
from ocr_frontend.extraction.warnings import MESSAGES
from ocr_frontend.jobs.bodies import JobAnswer
from ocr_frontend.jobs.callbacks import signature
from ocr_frontend.llm.prompt import MAX_LINE_CHARACTERS
from ocr_frontend.settings import Settings as FrontSettings
from server.cpu_lora.settings import PREFIX, CpuLoraSettings
from server.settings import Settings as ServerSettings
from tests.unit.deploy.names import declared

API = (ROOT / "docs/reference/api.md").read_text("utf-8")
LAST = API.partition("\nErrors are ")[2]


def test_the_example_is_an_answer_with_every_part() -> None:
    example = json.loads(re.findall(r"(?s)```json\n(.*?)```", API)[0])
    assert Extraction.model_validate(example).model_dump(mode="json") == example
    box = example["fields"]["nom_surname"]["box"]
    assert example["data"]["nom_surname"] == example["fields"]["nom_surname"]["value"]
    assert box == example["ocr"]["lines"][example["fields"]["nom_surname"]["lines"][0]]["box"]


def test_the_lines_of_another_ocr_are_what_the_route_takes() -> None:
    example = re.findall(r"(?s)```json\n(.*?)```", API)[1]
    page = SentLines.model_validate_json(example).page()
    assert page.size == tuple(json.loads(example)["size"]) and page.lines[0].confidence < 1
    limits = f"{MOST_LINES:,} lines, {MOST_CHARACTERS:,} characters a line and {MOST_TEXT:,} in all"
    assert f"{MOST_BYTES // 2**20} MiB (413), {limits}" in API and f"{MAX_LINE_CHARACTERS} characters of each" in API


@pytest.mark.parametrize(
    ("before", "body"),
    [("A warning is", WarningAnswer), ("`/v1/jobs/{id}` answers", JobAnswer), ("`POST /v1/cards` answers", Card)],
)
def test_the_parts_of_an_answer_are_all_named(before: str, body: type) -> None:
    named = [set(re.findall(r'"(\w+)"', text)) for text in re.findall(rf"(?s){re.escape(before)} `\{{(.*?)\}}`", API)]
    assert named and all(names == set(body.model_fields) for names in named)  # type: ignore[attr-defined]


def test_what_older_clients_get() -> None:
    assert re.findall(r"→ `\{(.*?)\}`", API) == [", ".join(f'"{name}"' for name in LegacyExtraction.model_fields)]


def _raised() -> Iterator[type[FrontError]]:
    for found in vars(errors).values():
        if isinstance(found, type) and issubclass(found, FrontError):
            yield found


def test_every_code_stands_beside_its_status() -> None:
    told: dict[str, set[str]] = {}
    rows = re.findall(r"(?m)^\| (\d{3}[^|]*) \| ([^|]+) \|$", LAST)
    for statuses, codes in rows:
        told |= {code: set(re.findall(r"\d{3}", statuses)) for code in re.findall(r"`([a-z_]+)`", codes)}
    # `unavailable` and `internal` are what nobody has given a name.
    raised = {one.code: str(one.status) for one in _raised() if one.code not in ("unavailable", "internal")}
    assert set(told) == set(raised)
    assert all(status in told[code] for code, status in raised.items())
    waits = {status for row, _ in rows if "`Retry-After`" in row for status in re.findall(r"\d{3}", row)}
    assert waits == {"429", *(str(one.status) for one in _raised() if one.retry_after)}


def test_warnings_of_two_sides_exist() -> None:
    table = API.partition("| code | |")[2].partition("**Jobs.**")[0]
    named = {code for cell in re.findall(r"(?m)^\| ([^|]*) \|", table) for code in re.findall(r"`(\w+)`", cell)}
    assert "mrz_used" in named and named <= MESSAGES.keys()


def test_the_receiver_of_a_call_back_computes_what_is_sent() -> None:
    key, body, seconds = "a-key", b'{"id": "x"}', 1_700_000_000
    told = {"hashlib": hashlib, "hmac": hmac, "api_key": key, "body": body, "seconds": seconds}
    exec(re.findall(r"(?s)```python\n(.*?)```", API)[0], told)
    sent = signature(body, hashlib.sha256(key.encode()).hexdigest(), seconds)
    assert sent == f"t={seconds},v1={told['expected']}"


def test_settings_that_pages_name_exist() -> None:
    known = {f"OCR_FRONT_{name.upper()}" for name in FrontSettings.model_fields}
    known |= {f"SERVER_{name.upper()}" for name in ServerSettings.model_fields}
    known |= {PREFIX, *(f"{PREFIX}_{name.upper()}" for name in CpuLoraSettings.__dataclass_fields__)}
    name = re.compile(r"\b(?:OCR_FRONT|SERVER|CNI_CPU_LORA)_[A-Z0-9_]*[A-Z0-9]\b(?![_*…])")
    named = {(page.name, found) for page in pages(ROOT) for found in name.findall(page.read_text("utf-8"))}
    assert len(named) > 50 and not {(page, found) for page, found in named if found not in known}


def test_metrics_that_are_listed_exist() -> None:
    named = set(re.findall(r"`(cni_server_\w+)`", API))
    assert len(named) > 30 and not {name for name in named if not declared(name)}
