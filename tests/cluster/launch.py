"""snakemake, but never more than two seconds between two looks at its cluster jobs: tests cannot wait for minutes."""

import asyncio
import sys

from snakemake.cli import main
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor


async def sleep(self):
    await asyncio.sleep(min(2, self.next_seconds_between_status_checks))


RemoteExecutor.sleep = sleep
sys.exit(main())
