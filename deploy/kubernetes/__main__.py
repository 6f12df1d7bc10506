"""`python -m deploy.kubernetes`: rules and runbooks as manifests, so that there is one source of each."""

import sys

from deploy.kubernetes import rules, runbooks
from deploy.up.usage import take_none


def main() -> int:
    """Write them; 0."""
    what = "Write the Prometheus rules as a PrometheusRule, and the runbooks as a ConfigMap."
    take_none("deploy.kubernetes", "", what, {}, sys.argv[1:])
    for made in (rules, runbooks):
        made.FILE.write_text(made.rendered(), encoding="utf-8")
        print(made.FILE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
