"""`make monitor`: a real Prometheus, and Grafana where it is installed, beside running services."""
