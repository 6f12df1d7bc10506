"""`python -m deploy.kubernetes`: the Prometheus rules as a PrometheusRule, so that there is one source of them."""

import sys

from deploy.kubernetes.rules import FILE, rendered
from deploy.up.usage import take_none


def main() -> int:
    """Write it; 0."""
    take_none("deploy.kubernetes", "", "Write the Prometheus rules as a PrometheusRule.", {}, sys.argv[1:])
    FILE.write_text(rendered(), encoding="utf-8")
    print(FILE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
