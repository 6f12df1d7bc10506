"""The contract file that is written where an adapter's owner gave none: a start, to be edited and adopted again."""

from adapters.data.documents import DOCUMENTS

_HEAD = """\
# How {name} is asked, and how its answers are read. Written by `adapters adopt`: change it to what the adapter
# was trained on, then adopt the folder again. A changed contract is a new revision.
answer: object          # a JSON object; `lines`: numbers of OCR lines
"""
_CHAT = """\
chat:                   # rendered through the base's chat template, without thinking, when the adapter is adopted
  # system: |-
  #   You read identity cards.
  # {{document}}, {{fields}} and {{schema}} may stand before {{lines}}, the place of the OCR text.
  user: |-
    Below is the OCR text of a card ({{document}}), one segment a line. Answer with one JSON object that has exactly
    these keys, in this order: {{fields}}. Copy each value from the text; null for what the text does not show.

    OCR text:
    {{lines}}
"""
_PLAIN = """\
# The base has no chat template: what stands before and after the OCR text is given to the letter.
line: "{{text}}\\n"
suffix: "\\nJSON:\\n"
"""
_REST = """\
# thinking: true        # of bases that think first
# sampling: {{temperature: 0.2, top_p: 0.9, top_k: 20, repetition_penalty: 1.05, seed: 1}}     # greedy by default
# stop: ["<|im_end|>"]
# max_tokens: 300
documents:              # each with its keys in the answer's order; `schema:` takes a JSON Schema of the object
"""


def default_contract(name: str, chat: bool) -> str:
    """YAML. `chat`: whether the base has a chat template."""
    parts = [_HEAD, _CHAT if chat else _PLAIN, _REST]
    text = "".join(parts).format(name=name)
    for document, fields in DOCUMENTS.items():
        keys = ", ".join(field.key for field in fields)
        text += f"  {document}:\n"
        if not chat:
            text += f'    prefix: "OCR text of a card ({document}). A JSON object of {keys}:\\n"\n'
        text += f"    fields: [{keys}]\n"
    return text
