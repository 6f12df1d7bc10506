"""HTTP in, HTTP out; the work is in `pipeline`, `sides` and `jobs`."""

from ocr_frontend.routes import cards, catalog, jobs, watch

ROUTERS = (cards.router, jobs.router, catalog.router, watch.router)
