"""`python -m deploy.dashboards [FOLDER]`: write every board's JSON, by default into deploy/grafana/dashboards."""

import sys
from pathlib import Path

from deploy.dashboards.boards import FOLDER, rendered


def main() -> int:
    """Write the files; 0."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in rendered().items():
        (folder / name).write_text(text, encoding="utf-8")
        print(folder / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
