"""The oracle: the original realesrgan and basicsr packages, which no longer import by themselves."""

import sys
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType

import pytest

ORACLE = {"realesrgan": "0.3.0", "basicsr": "1.4.2"}
INSTALL = "pip install --no-deps --no-build-isolation -r requirements-parity.txt"


@pytest.fixture(scope="session")
def oracle():
    """The module `realesrgan` with `archs` loaded; skips the test where it is not installed."""
    for name, wanted in ORACLE.items():
        try:
            found = version(name)
        except PackageNotFoundError:
            pytest.skip(f"the oracle {name} {wanted} is not installed: {INSTALL}")
        if found != wanted:
            pytest.skip(f"the oracle is {name} {wanted}, found {found}: {INSTALL}")
    # torchvision 0.17 removed the module from which basicsr takes one function.
    from torchvision.transforms.functional import rgb_to_grayscale

    shim = ModuleType("torchvision.transforms.functional_tensor")
    shim.rgb_to_grayscale = rgb_to_grayscale
    sys.modules.setdefault(shim.__name__, shim)
    return pytest.importorskip("realesrgan")
