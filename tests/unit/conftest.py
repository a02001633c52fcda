"""What tests of all modules may use."""

import pytest
import torch


@pytest.fixture
def one_thread():
    """Small networks gain nothing by threads that wait for each other, a hundred times longer on a busy machine."""
    count = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(count)


@pytest.fixture
def knows_bf16(monkeypatch):
    """Let this processor count as one on which bf16 is worth its while; small networks get through anyway."""
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
