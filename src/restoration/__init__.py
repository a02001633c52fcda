"""Restoration of archive video: the library behind the workflow, usable without Snakemake."""
