"""Seeing and judging what was done."""
