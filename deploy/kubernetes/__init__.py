"""Kubernetes manifests (Kustomize); `python -m deploy.kubernetes` writes the one that is generated."""
