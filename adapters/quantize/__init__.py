"""A base model in fewer bits, written as a folder that vLLM loads (docs/explanation/quantization.md)."""
