"""Restoration of archive video: the library behind the workflow, usable without Snakemake."""

__version__ = "0.1.0"
