#!/usr/bin/env python3
"""Fetch one model of the registry and convert it to safetensors; the download stays in `downloads` beside it.

A network of super-resolution is also prepared for OpenVINO, where that is installed, rather than by the first jobs.
"""

import importlib.util
import json
from argparse import ArgumentParser
from pathlib import Path

from restoration.engines.start import prepare
from restoration.models.convert import convert
from restoration.models.fetch import fetch
from restoration.models.load import load
from restoration.models.registry import DOWNLOADS, load_registry, own_model
from restoration.pipeline.job import run


def main(args: list[str] | None = None) -> None:
    """Parse the command line and do it."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--registry", type=Path, required=True, help="config/models.yaml")
    parser.add_argument("--model", required=True, help="id in the registry")
    parser.add_argument(
        "--own", default="{}", help="arguments of `own_model` as JSON, for a file that is not in the registry"
    )
    parser.add_argument("output", type=Path, help="safetensors file to write")
    options = parser.parse_args(args)
    own = json.loads(options.own)
    model = own_model(**own) if own else load_registry(options.registry)[options.model]
    convert(fetch(model, options.output.parent / DOWNLOADS), model, options.output)
    if model.task in ("clean", "upscale") and importlib.util.find_spec("openvino"):
        prepare(load(options.output, model.sha256), options.output, model.sha256)


if __name__ == "__main__":
    run(main)
