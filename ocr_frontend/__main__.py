"""`python -m ocr_frontend`."""

import sys

from ocr_frontend.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
