"""A Slurm cluster for each worker, and a finished local run that every test gets a copy of."""

import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from filelock import FileLock

from cluster.project import HERE, ClusterProject
from workflow.conftest import finished, prepared, shared  # noqa: F401

PORTS = 5
"""Of the controller and its nodes."""


def pytest_collection_modifyitems(items):
    """The longest test first: with what follows it, it takes one of two workers as long as the rest takes the other."""
    items.sort(key=lambda item: "everything" not in item.fixturenames)


def free_ports():
    """The first of a row of ports that nobody listens to."""
    for first in range(26810, 28000, PORTS):
        with ExitStack() as sockets:
            try:
                for port in range(first, first + PORTS):
                    sockets.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise RuntimeError("no free ports")


@pytest.fixture(scope="session")
def slurm(tmp_path_factory):
    """Call `slurm(command, …)` for what slurm.sh can do; its clients are on the PATH."""
    base = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))  # not pytest's folder: sockets need a short path
    settings = {"SLURM_BASE": str(base)}

    def call(*command):
        subprocess.run([HERE / "slurm.sh", *command], check=True, timeout=120, env=os.environ | settings)

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SLURM_CONF", str(base / "slurm.conf"))
        environment.setenv("PATH", str(base / "bin"), prepend=os.pathsep)
        try:
            with FileLock(tmp_path_factory.getbasetemp().parent / "ports.lock"):
                settings["SLURM_PORT"] = str(free_ports())
                call("start")
            yield call
        finally:
            call("stop")
            shutil.rmtree(base)


@pytest.fixture(autouse=True)
def sound_cluster(slurm):
    """Whatever a test does to the cluster ends with it."""
    yield
    slurm("start")
    subprocess.run(["scancel", "--user", str(os.getuid())], check=True, timeout=60)


@pytest.fixture(scope="session")
def local(finished):  # noqa: F811
    """Two videos, restored without a cluster."""
    return finished.project


@pytest.fixture
def project(local, tmp_path):
    """A copy to restore on the cluster what a test deletes."""
    return ClusterProject.of(local, tmp_path / "copy")
