"""Evaluation: rendered cards through the OCR front and the model server, field by field, beside the OCR's ceiling."""
