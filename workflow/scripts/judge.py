#!/usr/bin/env python3
"""Hold the measures of a video against the limits: warnings are listed, a failure fails."""

import json
from pathlib import Path

from restoration.errors import RestorationError
from restoration.files import atomic
from restoration.pipeline import job
from restoration.review.limits import judge


def main() -> None:
    parser = job.parser(__doc__)
    parser.add_argument("--measures", required=True, type=Path)
    args = job.parse(parser)
    findings = judge(json.loads(args.measures.read_text()), args.spec["limits"])
    failures = [finding["says"] for finding in findings if finding["level"] == "failure"]
    for finding in findings:
        if finding["level"] == "warning":
            job.warn(finding["says"])
    more = f"; and {len(failures) - 1} more" if len(failures) > 1 else ""
    if failures:
        raise RestorationError(
            f"{failures[0]}{more}. Look at {args.measures} and the result, which is kept; restore it anew, or set "
            "other limits in the configuration."
        )
    with atomic(args.output) as temporary:
        temporary.write_text(json.dumps(findings, indent=1))


if __name__ == "__main__":
    job.run(main)
