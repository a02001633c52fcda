"""Leases of GPUs: one process each, whatever becomes of the others."""

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from restoration.engines import lease as module
from restoration.engines.torch_network import choose_device
from restoration.errors import RestorationError

HOLDER = """
import sys
from pathlib import Path
from restoration.engines.lease import lease
gpus, jobs, folder = sys.argv[1:]
print(lease(gpus.split(","), int(jobs), Path(folder)), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def hold(tmp_path):
    """Starts a process that leases a GPU and keeps it."""
    holders = []

    def start(gpus, jobs_per_gpu=1):
        command = [sys.executable, "-c", HOLDER, gpus, str(jobs_per_gpu), str(tmp_path / "leases")]
        environment = os.environ | {"PYTHONPATH": str(Path(module.__file__).parents[2])}
        holders.append(
            subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )
        return holders[-1]

    yield start
    for holder in holders:
        with holder:
            holder.kill()


def index(holder):
    return int(holder.stdout.readline())


def test_each_process_has_a_gpu_of_its_own(hold):
    assert sorted(index(holder) for holder in [hold("a,b,c") for _ in range(3)]) == [0, 1, 2]


def test_small_jobs_share_once_none_is_idle(hold):
    first = [index(hold("a,b", 2)) for _ in range(2)]
    second = [index(hold("a,b", 2)) for _ in range(2)]
    assert sorted(first) == sorted(second) == [0, 1]
    assert Counter(first + second) == {0: 2, 1: 2}


@pytest.mark.parametrize("end", [lambda holder: holder.kill(), lambda holder: holder.stdin.close()])
def test_who_comes_too_late_gets_what_a_dead_process_had(hold, end):
    holders = [hold("a,b") for _ in range(2)]
    places = [index(holder) for holder in holders]
    late = hold("a,b")
    time.sleep(0.3)
    end(holders[1])
    assert index(late) == places[1]


def test_gpus_are_told_apart_by_their_ids_not_by_their_order(hold):
    assert index(hold("a,b")) == 0
    assert index(hold("b,a")) == 0  # which is b
    assert index(hold("b,c")) == 1


def test_networks_run_on_the_gpu_that_is_leased(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: SimpleNamespace(uuid=f"gpu-{index}"))
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    monkeypatch.setattr(module, "_held", held := [])
    module.leased_gpu.cache_clear()
    assert module.lease(["gpu-0"], 1, tmp_path) == 0
    assert str(choose_device("auto")) == str(choose_device("cuda")) == "cuda:1"
    module.leased_gpu.cache_clear()
    for file in held:
        os.close(file)


def test_other_users_can_take_part(hold, tmp_path):
    old = os.umask(0o077)
    try:
        assert index(hold("a")) == 0
    finally:
        os.umask(old)
    folder = tmp_path / "leases"
    assert folder.stat().st_mode & 0o777 == 0o777 and (folder / "a.0").stat().st_mode & 0o777 == 0o666


def test_a_folder_that_is_none_is_an_error_with_a_remedy(tmp_path):
    (tmp_path / "leases").touch()
    with pytest.raises(RestorationError, match="leases: GPUs cannot be leased there"):
        module.lease(["a"], 1, tmp_path / "leases")
