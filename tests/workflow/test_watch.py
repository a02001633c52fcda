"""The command that README.md gives to watch a run: bars in a terminal, over the checkpoint and failures."""

import os
import pty
import re
import subprocess
from contextlib import suppress

from workflow.media import make_clip
from workflow.project import Project, kill


def in_a_terminal(project, *arguments):
    """Call snakemake in a terminal of 200 columns; its exit code, and what was on the screen over time."""
    screen, terminal = pty.openpty()
    command = [*project.command(), "-s", project.checkout / "Snakefile"]
    command += ["--workflow-profile", project.checkout / "profiles" / "default", *arguments]
    process = subprocess.Popen(
        list(map(str, command)), cwd=project.folder, stdin=terminal, stdout=terminal, stderr=terminal,
        env=project.environment() | {"TERM": "xterm", "COLUMNS": "200", "LINES": "50"}, start_new_session=True,
    )  # fmt: skip
    os.close(terminal)
    shown = b""
    try:
        with suppress(OSError):  # the end
            while read := os.read(screen, 65536):
                shown += read
        return process.wait(), re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode(errors="replace"))
    finally:
        kill(process)
        os.close(screen)


def test_bars_over_the_whole_manifest(tmp_path):
    project = Project.create(tmp_path)
    make_clip(project.source("regular"), shots=(12, 12), pts=[3600 * i for i in range(24)], seed=5)
    plain = {"recipe": "tiny", "upscale": "off"}
    with project.manifest() as rows:
        rows[:] = [
            {"video": "good", "source": "sources/regular.mp4", **plain},
            {"video": "bad", "source": "gone.mp4", **plain},
        ]
    code, shown = in_a_terminal(project, "--logger", "rich")
    assert code == 1
    shares = [int(share) for share in re.findall(r"Total Progress\D+?(\d+)%", shown)]
    assert shares[0] < 30 and shares[-1] >= 50 and len(set(shares)) > 3
    assert re.search(r"✓ - frames\D+100%", shown), "known since the plan is made"
    assert "Failed unreadable" in shown and "Wildcards: video=bad" in shown
    assert project.restored("good").exists()
