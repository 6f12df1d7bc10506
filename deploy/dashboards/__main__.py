"""`python -m deploy.dashboards [FOLDER]`: write every board's JSON, by default into deploy/grafana/dashboards."""

import argparse
import sys
from pathlib import Path

from deploy.dashboards.boards import FOLDER, rendered


def main() -> int:
    """Write the files; 0."""
    parser = argparse.ArgumentParser(prog="python -m deploy.dashboards", description="Write every board's JSON.")
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER, help="deploy/grafana/dashboards by default")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in rendered().items():
        (folder / name).write_text(text, encoding="utf-8")
        print(folder / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
