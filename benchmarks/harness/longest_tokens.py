"""Random weights that write a text in the tokens in which a trained model would write it.

A grammar forces a text and not its cut into tokens: a base without training cuts `"surname"` anywhere, which no trained
one does, and which no draft can foresee. So one number of each token's embedding grows with the token's length, passes
all layers as it is, and weighs in the logits: of the tokens that go on with the same text the longest wins. Where texts
differ, the random rest decides as before.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file

_A_LETTER = 0.05  # small beside the largest of a row's other numbers, which eight bits round by it
_IN_THE_END = 1000.0  # the last norm's weight: a letter more counts at least as much as the random rest
_STAYS_OUT = ("input_layernorm.weight", "post_attention_layernorm.weight")
_ADDS_NOTHING = ("o_proj.weight", "down_proj.weight")


def prefer_longest(base: Path, tokenizer: Any) -> None:
    """Change the weights in `base` (model.safetensors of a Llama or Qwen3 with tied embeddings), in place."""
    path = base / "model.safetensors"
    weights = load_file(path)
    embedding = weights["model.embed_tokens.weight"]  # [vocabulary, hidden]
    embedding[:, 0] = _A_LETTER
    for token, number in tokenizer.get_vocab().items():
        embedding[number, 0] = _A_LETTER * len(token)
    for name, one in weights.items():
        if name.endswith(_STAYS_OUT) or name.endswith(_ADDS_NOTHING):
            one[0] = 0  # what a layer reads of this number, and what it would add to it
    weights["model.norm.weight"][0] = _IN_THE_END
    save_file({name: one.contiguous() for name, one in weights.items()}, path, metadata={"format": "pt"})
