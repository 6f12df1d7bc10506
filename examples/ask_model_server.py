"""The model server by the openai package: list models, then ask the base and an adapter of it the same.

    python examples/ask_model_server.py [SERVER] [--key KEY]

`model` is the base's name, an adapter's (`cni`: what it means today) or an exact revision (`cni@fa4130d23aa6`).
"""

import argparse
import sys

from openai import OpenAI


def main() -> int:
    """0 when each answered under its own name."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server", nargs="?", default="http://127.0.0.1:8000", help="default: %(default)s")
    parser.add_argument("--key", default="none-needed-on-loopback", help="an inference key, where the server has keys")
    args = parser.parse_args()
    client = OpenAI(base_url=f"{args.server}/v1", api_key=args.key)
    names = [model.id for model in client.models.list() if "@" not in model.id]
    print("models:", ", ".join(names))
    for name in names[:2]:
        answer = client.completions.create(model=name, prompt="The capital of Cameroon is", max_tokens=8, temperature=0)
        print(f"{answer.model}: {answer.choices[0].text!r}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
