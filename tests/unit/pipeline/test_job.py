"""Around a job: its arguments, its place in the log, and errors that a user can read."""

import errno
import json
import logging
import os
import sys
from pathlib import Path

import av
import pytest

from restoration.errors import RestorationError
from restoration.pipeline import job
from restoration.pipeline.digest import code_digest
from restoration.pipeline.flight import VARIABLE


@pytest.fixture(autouse=True)
def log_as_it_was(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    formatters = [handler.formatter for handler in handlers]
    yield
    root.handlers[:], root.level = handlers, level
    for handler, formatter in zip(handlers, formatters, strict=True):
        handler.setFormatter(formatter)


def raising(error):
    def main():
        raise error

    return main


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (RestorationError("a.mp4: the file is empty"), "ERROR: a.mp4: the file is empty"),
        (MemoryError(), "ERROR: out of memory"),
        (
            OSError(errno.ENOSPC, "No space left on device", "work/x.mkv"),
            "ERROR: the disk is full, or your share of it ([Errno 28] No space left on device: 'work/x.mkv')",
        ),
        (OSError(errno.ENOSPC, "No space left on device"), "ERROR: the disk is full, or your share of it"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "ERROR: the disk is full, or your share of it"),
        (av.error.OSError(errno.ENOSPC, "No space left on device"), "ERROR: the disk is full, or your share of it"),
    ],
)
def test_what_the_user_can_mend_is_one_line(error, says, caplog):
    with pytest.raises(SystemExit) as caught:
        job.run(raising(error))
    assert caught.value.code == 1
    (record,) = caplog.records
    assert record.getMessage().startswith(says)
    assert record.exc_info is None


@pytest.mark.parametrize("error", [ValueError("x"), OSError(errno.EACCES, "Permission denied"), KeyboardInterrupt()])
def test_other_errors_keep_their_trace(error):
    with pytest.raises(type(error)):
        job.run(raising(error))


def test_success_is_silent():
    done = []
    job.run(lambda: done.append(1))
    assert done == [1]


@pytest.fixture
def script(tmp_path, monkeypatch):
    path = tmp_path / "upscale.py"
    path.write_text("x = 1\n")

    def call(**changes):
        spec = json.dumps({"code": code_digest(path), "tile": 3} | changes)
        monkeypatch.setattr(sys, "argv", [str(path), "--video", "a", "--spec", spec, "work/a/0000000-0000009.mkv"])
        return job.parse(job.parser("Upscale."))

    return call


def test_arguments(script):
    args = script()
    assert (args.video, args.output, args.spec["tile"]) == ("a", Path("work/a/0000000-0000009.mkv"), 3)


def test_log_lines_say_whose_they_are(script):
    handler = logging.StreamHandler()
    logging.getLogger().addHandler(handler)
    script()
    record = logging.makeLogRecord({"msg": "1/2 frames"})
    assert handler.format(record) == "a upscale 0000000-0000009: 1/2 frames"


def test_code_that_changed_in_flight_is_refused(script):
    with pytest.raises(RestorationError, match=r"code of upscale changed while.* Run the same"):
        script(code="0000000000")


def test_settings_are_compared_as_they_were_given(script, monkeypatch):
    seen = []
    monkeypatch.setattr(job, "require_unchanged", lambda *arguments: seen.append(arguments))
    script(tile=4)
    ((video, step, text),) = seen
    assert (video, step) == ("a", "upscale")
    assert json.loads(text)["tile"] == 4


def test_jobs_find_scripts_and_library(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", "/usr/bin")
    monkeypatch.setenv("PYTHONPATH", "/some/where")
    job.put_on_path(tmp_path)
    assert os.environ["PATH"].split(os.pathsep) == [str(tmp_path), str(Path(sys.executable).parent), "/usr/bin"]
    package, rest = os.environ["PYTHONPATH"].split(os.pathsep)
    assert (Path(package) / "restoration" / "pipeline" / "job.py").exists()
    assert rest == "/some/where"
    monkeypatch.delenv("PYTHONPATH")
    job.put_on_path(tmp_path)
    assert os.pathsep not in os.environ["PYTHONPATH"]
