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
