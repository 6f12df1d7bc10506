"""Read a card and print its fields: python examples/read_card.py PICTURE [FRONT] [--key KEY]"""

import argparse
import sys

from cni_client import Client, Refused


def main() -> int:
    """0 when it was read, 1 when the front refused the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture")
    parser.add_argument("front", nargs="?", default="http://127.0.0.1:8080", help="default: %(default)s")
    parser.add_argument("--key", help="where the service has keys")
    args = parser.parse_args()
    with Client(args.front, args.key) as client:
        try:
            card = client.read(args.picture)
        except Refused as refusal:
            print(f"{refusal.code}: {refusal}", file=sys.stderr)
            return 1
    print(f"{card.document}, read by {card.model}")
    for name, value in card.data.items():
        print(f"  {name:18} {'-' if value is None else value}{'   (check it)' if name in card.to_check else ''}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
