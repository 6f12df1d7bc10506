"""`python3 -m deploy.up.dev`: the environment for tests, lint and benchmarks."""

import sys
from pathlib import Path

from deploy.up import environment
from deploy.up.plan import Refusal
from deploy.up.preflight import check_python
from deploy.up.usage import INSTALLATION, take_none


def main() -> int:
    """0 when the environment is there, 1 with a sentence when it cannot be made."""
    take_none("deploy.up.dev", "make env", "Make .venv from requirements/dev.lock.", INSTALLATION, sys.argv[1:])
    root = Path(__file__).resolve().parents[2]
    try:
        check_python()
        environment.make(root, root / ".venv", root / "requirements" / "dev.lock")
    except Refusal as refusal:
        print(f"make: {refusal}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
