"""What ran in this process and, by the chunks that it read, in the jobs before it: engines and devices, by step.

Every chunk carries the journal of its making, so that the last job of a video can tell what all others ran with.
"""

TAG = "MADE_WITH"
"""Of chunks: the lines of the journal."""


class _Process:
    step = ""
    lines: set[str] = set()  # noqa: RUF012 - of the process, as is meant


def begin(step: str) -> None:
    """From now on this process is a job of *step*, of which nothing is noted yet."""
    _Process.step, _Process.lines = step, set()


def note(what: str) -> None:
    """Note *what* this job runs with, such as an engine, its version and its device."""
    _Process.lines.add(f"{_Process.step}: {what}")


def take_over(text: str) -> None:
    """Note what the journal of an input, in the form of `told`, says."""
    _Process.lines.update(filter(None, text.split("\n")))


def told() -> str:
    """All lines, sorted: `step: what`."""
    return "\n".join(sorted(_Process.lines))
