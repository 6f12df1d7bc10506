"""The OCR front: a card photo in, its fields out. No torch and no vllm: the model server is known by HTTP alone."""
