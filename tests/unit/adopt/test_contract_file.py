"""The contract file: what is refused with its place, and what it becomes through the base's chat template."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from adapters.adopt.chat import contract_of
from adapters.adopt.contract_file import read_contract_file
from adapters.adopt.default import default_contract
from adapters.registry.contract import PromptContract
from adapters.registry.errors import Refused
from tests.support.tiny_models import write_base

QWEN_TEMPLATE = r"""
{%- if messages[0].role == 'system' %}{{- '<|im_start|>system\n' + messages[0].content + '<|im_end|>\n' }}{%- endif %}
{%- for message in messages if message.role == 'user' %}
  {{- '<|im_start|>user\n' + message.content + '<|im_end|>\n' }}
{%- endfor %}
{{- '<|im_start|>assistant\n' }}{%- if enable_thinking is false %}{{- '<think>\n\n</think>\n\n' }}{%- endif %}"""
OBJECT: dict[str, Any] = {
    "type": "object",
    "properties": {"total": {"type": ["string", "null"]}, "date": {"const": None}},
    "required": ["total", "date"],
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_base(tmp_path_factory.mktemp("models") / "Qwen3-0.6B")
    for other in folder.glob("chat_template*"):
        other.unlink()
    (folder / "chat_template.jinja").write_text(QWEN_TEMPLATE)
    return folder


def _read(base: Path, **content: Any) -> PromptContract:
    return contract_of(read_contract_file(yaml.safe_dump(content, sort_keys=False).encode()), base)


def test_messages_become_prefix_and_suffix_without_thinking(base: Path) -> None:
    made = _read(
        base,
        chat={"system": "You read {document}.", "user": 'Keys: {fields}. Like {"a": 1}.\nText:\n{lines}\nJSON:'},
        documents={"invoice": {"title": "an invoice", "schema": OBJECT}},
        sampling={"temperature": 0.2, "top_k": 20},
        stop=["###"],
        max_tokens=200,
    )
    assert made.documents["invoice"].prefix == (
        '<|im_start|>system\nYou read an invoice.<|im_end|>\n<|im_start|>user\nKeys: total, date. Like {"a": 1}.\nText:'
    )
    assert made.line == "\n{text}", "joined by line ends, none after the last: as training joins them"
    assert made.suffix == "\nJSON:<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
    shown = made.model_dump(mode="json", by_alias=True)
    assert shown["documents"]["invoice"]["schema"] == OBJECT, "null in a schema stays"
    assert shown["sampling"] == {"temperature": 0.2, "top_k": 20}
    assert "order" not in shown and shown["thinking"] is False


def test_with_thinking_the_base_may_think(base: Path) -> None:
    made = _read(base, chat={"user": "{lines}"}, thinking=True, documents={"a": {"fields": ["x"]}})
    assert "<think>" not in made.suffix and made.thinking


def test_templates_to_the_letter_need_no_tokenizer(tmp_path: Path) -> None:
    made = _read(tmp_path, suffix="\nA:", line="{text} {index}\n", documents={"a": {"prefix": "Q:", "fields": ["x"]}})
    assert (made.documents["a"].prefix, made.line, made.suffix) == ("Q:", "{text} {index}\n", "\nA:")


def test_a_spec_names_its_own_fields(base: Path) -> None:
    spec = {"name": "invoice", "fields": [{"key": "total", "label": "Total"}, {"key": "date"}]}
    made = _read(base, chat={"user": "{lines}"}, documents={"invoice": {"spec": spec}})
    assert made.documents["invoice"].fields == ["total", "date"] and made.documents["invoice"].spec == spec


@pytest.mark.parametrize("chat", [True, False])
def test_the_default_that_is_written_can_be_read(base: Path, tmp_path: Path, chat: bool) -> None:
    made = contract_of(read_contract_file(default_contract("checkpoint-938", chat).encode()), base)
    assert len(made.documents) == 4 and made.answer == "object"


CHAT = {"user": "{lines}"}
DOCUMENTS = {"a": {"fields": ["x"]}}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"chat": {"user": "no place"}, "documents": DOCUMENTS}, "chat.user must hold {lines} once"),
        ({"chat": CHAT, "suffix": "x", "documents": DOCUMENTS}, "chat makes prefix and suffix"),
        ({"documents": DOCUMENTS}, "without chat, suffix and each document's prefix are needed"),
        ({"chat": CHAT, "documents": {}}, "documents"),
        ({"chat": CHAT, "documents": {"a": {}}}, "name its fields, or give a schema or a spec"),
        ({"chat": CHAT, "documents": {"a": {"schema": {"type": "array"}}}}, "schema must be that of an object"),
        ({"chat": CHAT, "documents": {"a": {"spec": {"name": "a", "fields": [{}]}}}}, "spec must hold name and fields"),
        ({"chat": CHAT, "documents": {"../a": {"fields": ["x"]}}}, "documents"),
        ({"chat": CHAT, "documents": DOCUMENTS, "sampling": {"top_p": 2}}, "sampling.top_p"),
        ({"chat": CHAT, "documents": DOCUMENTS, "sampling": {"beams": 4}}, "sampling.beams"),
        ({"chat": CHAT, "documents": DOCUMENTS, "temprature": 1}, "temprature"),
        ({"chat": CHAT, "documents": DOCUMENTS, "answer": "lines"}, "answer: lines needs a line that holds {index}"),
        ({"chat": CHAT, "documents": DOCUMENTS, "line": "x"}, "line must hold {text}"),
        (
            {"chat": {"user": "{lines} {fields}"}, "documents": {"a": {"fields": ["x"]}, "b": {"fields": ["y"]}}},
            "differs",
        ),
        ({"chat": CHAT, "documents": DOCUMENTS, "max_tokens": 0}, "max_tokens"),
    ],
)
def test_a_wrong_file_is_one_sentence_that_names_the_place(base: Path, content: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused) as refused:
        _read(base, **content)
    assert said in str(refused.value) and "\n" not in str(refused.value)
    assert refused.value.check == "contract"


@pytest.mark.parametrize(
    "text",
    [
        b"a: &x [1]\nb: *x\n",
        b"!!python/object/apply:os.system ['true']",
        b"\xff\xfe",
        b"{" * 50_000,
        b"- " * 130_000,
        b"x" * (257 << 10),
        b"a: 'open",
        b"12",
    ],
)
def test_hostile_yaml_is_one_sentence(text: bytes) -> None:
    with pytest.raises(Refused, match="The contract file"):
        read_contract_file(text)


@given(st.binary(max_size=300))
def test_no_bytes_do_anything_else(text: bytes) -> None:
    with pytest.raises(Refused):
        read_contract_file(text)


def test_a_base_without_a_template_says_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="has no tokenizer that can be read: give suffix and each document's prefix"):
        _read(tmp_path, chat=CHAT, documents=DOCUMENTS)
