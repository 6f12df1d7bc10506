"""`python -m adapters COMMAND`: parse, run, and turn our own errors into one sentence."""

import argparse
import sys

from adapters import bases, commands
from adapters.errors import AdaptersError
from adapters.registry.errors import RegistryError


def main() -> int:
    """Run one command; 0 done, 2 refused with a sentence, 130 interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m adapters",
        description="Bases, synthetic cards, training, evaluation and the registry of revisions.",
    )
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (bases, *commands.ALL):
        command.add_parser(subparsers)
    args = parser.parse_args()
    try:
        return int(args.run(args))
    except (AdaptersError, RegistryError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from the last checkpoint, if it keeps one", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
