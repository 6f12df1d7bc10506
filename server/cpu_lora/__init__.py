"""LoRA on CPUs for vLLM: as fast as the base model, and never another row's weights.

Imports go down: plugin -> linear -> wrapper -> table -> batch -> products, kernel, slots, groups; settings, eager_ops,
released_weights and reference import nothing of ours.
"""
