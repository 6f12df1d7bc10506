"""HTTP in, HTTP out; the work is in `pipeline`, `sides` and `jobs`."""

from ocr_frontend.api.routes import cards, catalog, jobs, ops

ROUTERS = (cards.router, jobs.router, catalog.router, ops.router)
