"""From a contract file to the contract of a manifest: messages through the base's own chat template, once, here.

The front then needs no tokenizer: what stands before the OCR text is a document's prefix, what stands after it the
suffix, to the letter as training rendered it.
"""

import json
from pathlib import Path
from typing import Any

from adapters.adopt.contract_file import LINES, ContractFile, DocumentEntry
from adapters.registry.contract import DocumentPrompt, PromptContract
from adapters.registry.errors import Refused

# Stands for the OCR text while the template is rendered: no template changes or trims it.
_PLACE = "OCR-TEXT-GOES-HERE-5d41402a"
_LINE = "{text}\n"
_WAY_OUT = "give suffix and each document's prefix instead of chat"


def contract_of(file: ContractFile, base: Path) -> PromptContract:
    """`base`: the folder of the base, whose tokenizer has the chat template. Raises Refused."""
    line, rendered = file.line or _LINE, _as_given(file)
    if file.chat is not None:
        tokenizer = _tokenizer(base)
        rendered = {name: _rendered(file, name, entry, tokenizer) for name, entry in file.documents.items()}
        if file.line is None and all(prefix.endswith("\n") for prefix, _ in rendered.values()):
            # Lines are joined by line ends, with none after the last, as "\n".join makes them in training.
            line = "\n{text}"
            rendered = {name: (prefix[:-1], suffix) for name, (prefix, suffix) in rendered.items()}
    suffixes = {suffix for _, suffix in rendered.values()}
    if len(suffixes) > 1:
        places = "{document}, {fields} and {schema}"
        text = f"The contract file: what follows {LINES} differs between documents: put {places} before it."
        raise Refused("contract", text)
    documents = {
        name: DocumentPrompt(prefix=rendered[name][0], fields=entry.keys, schema=entry.schema_, spec=entry.spec)
        for name, entry in file.documents.items()
    }
    return PromptContract(
        answer=file.answer,
        order=file.order,
        line=line,
        suffix=suffixes.pop(),
        documents=documents,
        sampling=file.sampling,
        stop=file.stop,
        max_tokens=file.max_tokens,
        thinking=file.thinking,
        chat=file.chat,
    )


def _as_given(file: ContractFile) -> dict[str, tuple[str, str]]:
    return {name: (entry.prefix or "", file.suffix or "") for name, entry in file.documents.items()}


def _tokenizer(base: Path) -> Any:
    from transformers import AutoTokenizer

    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(base)
    except (OSError, ValueError) as error:
        raise Refused("contract", f"The base has no tokenizer that can be read: {_WAY_OUT}.") from error
    if not tokenizer.chat_template:
        raise Refused("contract", f"The base has no chat template: {_WAY_OUT}.")
    return tokenizer


def _rendered(file: ContractFile, name: str, entry: DocumentEntry, tokenizer: Any) -> tuple[str, str]:
    """Prefix and suffix of one document."""
    assert file.chat is not None
    messages = [{"role": "user", "content": _filled(file.chat.user, name, entry).replace(LINES, _PLACE)}]
    if file.chat.system is not None:
        messages.insert(0, {"role": "system", "content": _filled(file.chat.system, name, entry)})
    try:
        text: str = tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True, enable_thinking=file.thinking
        )
    # A template is a program: whatever it raises, it cannot be used for these messages.
    except Exception as error:
        raise Refused("contract", f"The base's chat template does not take these messages: {_WAY_OUT}.") from error
    if text.count(_PLACE) != 1:
        raise Refused("contract", f"The base's chat template changes the user's text: {_WAY_OUT}.")
    prefix, _, suffix = text.partition(_PLACE)
    return prefix, suffix


def _filled(template: str, name: str, entry: DocumentEntry) -> str:
    """With `replace`, as templates hold braces of JSON examples."""
    schema = json.dumps(entry.schema_ or {}, ensure_ascii=False)
    filled = template.replace("{document}", entry.title or name).replace("{fields}", ", ".join(entry.keys))
    return filled.replace("{schema}", schema)
