"""The model server by the openai package: list models, then ask the base and an adapter of it the same.

    python examples/ask_model_server.py [SERVER]

`model` is the base's name, an adapter's (`cni`: what it means today) or an exact revision (`cni@fa4130d23aa6`).
"""

import sys

from openai import OpenAI


def main() -> int:
    """0 when each answered under its own name."""
    server = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"
    client = OpenAI(base_url=f"{server}/v1", api_key="none-needed-on-loopback")
    names = [model.id for model in client.models.list() if "@" not in model.id]
    print("models:", ", ".join(names))
    for name in names[:2]:
        answer = client.completions.create(model=name, prompt="The capital of Cameroon is", max_tokens=8, temperature=0)
        print(f"{answer.model}: {answer.choices[0].text!r}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
