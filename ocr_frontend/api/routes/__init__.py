"""HTTP in, HTTP out; the work is in `pipeline`, `sides` and `jobs`."""

from ocr_frontend.api.routes import cards, catalog, corrections, jobs, ops

ROUTERS = (cards.router, jobs.router, corrections.router, catalog.router, ops.router)
