"""HTTP in, HTTP out; the work is in `extraction` and `jobs`."""

from ocr_frontend.api.routes import cards, catalog, corrections, jobs, lines, ops

ROUTERS = (cards.router, lines.router, jobs.router, corrections.router, catalog.router, ops.router)
