"""The three files of a new document."""

from pathlib import Path
from typing import Any

import yaml

from adapters.registry.atomic import write_file

_SAMPLES = 3000  # in all: what a small base needs to learn to name lines, an hour or less on a core
_FEWEST, _MOST = 3, 40  # passes
_DOCUMENT = """\
# {name}, guessed from {count} examples: read it through. What each line means: docs/reference/documents.md.
"""
_RECIPE = """\
# {name} from {count} labelled examples, every tenth of which judges the run.
#   python -m adapters train {recipe}
name: {name}
base: {base}
method: lora
document: documents/{name}.yaml
{start}lora:
  r: 16
  alpha: 32
  dropout: 0.0
  targets: [q_proj, v_proj]
data:
  examples: [{{ path: {path} }}]
  passes: {passes}
  harder: {{ mix: 0.4, drop: 0.6, recase: 0.3, misread: 0.3 }}
optimization:
  learning_rate: {rate}
  warmup_share: 0.03
  batch: 2
  clip: 1.0
evaluate_every: {every}
checkpoint_every: 20
"""
_README = """\
# {name}

From {count} examples: fields {fields}. Answers can say {ceiling} of the wanted values exactly with the lines given.

1. `documents/{name}.yaml` says what the document is: read it through, above all types and labels
   (docs/reference/documents.md).
2. Train: `python -m adapters train {recipe}`. It prints the revision's folder, whose name stands for REVISION below.
3. Measure: `python -m adapters evaluate-examples {recipe} --revision {name}@REVISION`.
4. Serve: `python -m adapters registry switch {name} REVISION`; a running server follows. The front asks it by
   `-F model={name}`, and knows the document from the revision's contract; other models tell it apart (`document=auto`)
   where `OCR_FRONT_DOCUMENTS` names the folder `documents`.

The whole walk: docs/how-to/new-document.md.
"""


def write_all(folder: Path, content: dict[str, Any], told: dict[str, Any]) -> None:
    """`told`: name, count, base, path (of the examples, from the folder), start, ceiling, learnt (examples)."""
    passes = max(_FEWEST, min(_MOST, _SAMPLES // max(1, told["learnt"])))
    steps = max(1, told["learnt"] * passes // 2)
    started = bool(told["start"])
    filled = {
        **told,
        "recipe": folder / "recipe.yaml",
        "passes": passes,
        "every": max(1, steps // 4),
        "rate": 0.0008 if started else 0.001,
        "start": f"start_from: {told['start']} # knows how to name lines\n" if started else "",
        "fields": ", ".join(field["key"] for field in content["fields"]),
    }
    (folder / "documents").mkdir(parents=True, exist_ok=True)
    body = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)
    write_file(folder / "documents" / f"{told['name']}.yaml", (_DOCUMENT.format(**filled) + body).encode())
    write_file(folder / "recipe.yaml", _RECIPE.format(**filled).encode())
    write_file(folder / "README.md", _README.format(**filled).encode())
