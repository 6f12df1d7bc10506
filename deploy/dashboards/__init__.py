"""Grafana dashboards as code: one module a board; `python -m deploy.dashboards` writes their JSON."""
