"""What a job costs before it begins: only who needs PyTorch waits for it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SCRIPTS = {path.stem: path for path in (REPOSITORY / "workflow" / "scripts").glob("*.py")}
SECONDS_TO_IMPORT = {"torch", "torchvision", "spandrel"}
WITH_PYTORCH = {"retouch", "colorize", "detect", "track", "faces", "weight", "calibrate", "sheet"}


def imported(script):
    """Names of all packages that *script* imports before it reads its arguments."""
    run = subprocess.run(
        [sys.executable, "-X", "importtime", SCRIPTS[script], "--help"],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY / "src")},
        check=True,
        capture_output=True,
        text=True,
    )
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in run.stderr.splitlines()}


@pytest.mark.parametrize("script", sorted(SCRIPTS.keys() - WITH_PYTORCH))
def test_no_job_imports_what_it_does_not_need(script):
    assert not imported(script) & SECONDS_TO_IMPORT


def test_the_names_are_those_of_what_is_imported():
    assert imported("colorize") >= SECONDS_TO_IMPORT
