"""`python -m server`: parse, build, run."""

import sys

from server.command import build_parser


def main() -> int:
    """Run the chosen command; its exit code."""
    arguments = build_parser().parse_args()
    result: int = arguments.run(arguments)
    return result


if __name__ == "__main__":
    sys.exit(main())
