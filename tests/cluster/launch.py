"""snakemake for this cluster.

It looks at its jobs every two seconds at least, because tests cannot wait for minutes; and it finds no sacct, because
this cluster keeps no accounts: when the controller is away the plugin would ask sacct instead, and nothing else again.
"""

import asyncio
import sys

import snakemake_executor_plugin_slurm as plugin
from snakemake.cli import main
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor


async def sleep(self):
    await asyncio.sleep(min(2, self.next_seconds_between_status_checks))


def is_available(tool, really=plugin.is_query_tool_available):
    return tool != "sacct" and really(tool)


RemoteExecutor.sleep = sleep
plugin.is_query_tool_available = is_available
sys.exit(main())
