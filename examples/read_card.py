"""Read a card and print its fields: python examples/read_card.py PICTURE [FRONT]"""

import sys

from cni_client import Client, Refused


def main() -> int:
    """0 when it was read, 1 when the front refused the picture."""
    picture, front = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "http://127.0.0.1:8080"
    with Client(front) as client:
        try:
            card = client.read(picture)
        except Refused as refusal:
            print(f"{refusal.code}: {refusal}", file=sys.stderr)
            return 1
    print(f"{card.document}, read by {card.model}")
    for name, value in card.data.items():
        print(f"  {name:18} {'-' if value is None else value}{'   (check it)' if name in card.to_check else ''}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
