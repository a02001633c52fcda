"""Every Python in a test's jobs loads this: where a fault waits for a job's script, it happens before the script does.

A fault is a file of code in the folder $RESTORATION_FAULTS, named `SCRIPT.NUMBER`. Each is for one job.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path


def take(script):
    """Run the first fault that waits for this script and that no other job takes."""
    for fault in sorted(Path(os.environ["RESTORATION_FAULTS"]).glob(f"{script}.*")):
        taken = fault.with_name(f"taken.{fault.name}")
        with suppress(FileNotFoundError):
            fault.rename(taken)
            exec(taken.read_text(), {})
            return


if "RESTORATION_FAULTS" in os.environ and len(sys.orig_argv) > 1:
    take(Path(sys.orig_argv[1]).stem)
