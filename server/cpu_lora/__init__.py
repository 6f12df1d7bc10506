"""LoRA on CPUs for vLLM: as fast as the base model, and never another row's weights.

Imports go down: plugin -> wrapper -> products -> ranks, groups; settings, released_weights and reference import
nothing of ours.
"""
