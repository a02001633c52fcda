"""Snakemake logger `jobs`: every job that a run starts, or a dry run would start, as a line of JSON."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.settings import LogHandlerSettingsBase


@dataclass
class LogHandlerSettings(LogHandlerSettingsBase):
    path: str = field(default="jobs.jsonl", metadata={"help": "file to append to"})


class LogHandler(LogHandlerBase):
    writes_to_stream = False
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def emit(self, record):
        if getattr(record, "event", None) == LogEvent.JOB_INFO:
            with Path(self.settings.path).open("a") as file:
                file.write(json.dumps({"rule": record.rule_name, **record.wildcards}) + "\n")
