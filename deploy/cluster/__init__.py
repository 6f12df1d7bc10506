"""`make cluster`: the vLLM project's router before several model servers that share one registry folder."""
