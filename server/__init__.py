"""The model server: vLLM with a registry of LoRA adapters, inside vLLM's own process."""
