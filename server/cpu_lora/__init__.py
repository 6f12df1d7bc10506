"""LoRA on CPUs for vLLM: as fast as the base model, and never another row's weights.

Imports go down: plugin -> managers, step, greedy -> lending, decoder -> linear, int8_linear, int8_embedding -> wrapper
-> table -> batch -> products, kernel -> build, slots, groups; settings, eager_ops, released_weights and reference
import nothing of ours.
"""
