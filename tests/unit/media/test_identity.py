"""Files are what was promised of them, or they are refused."""

import hashlib

import pytest

from media_factory import pictures, wishes, write_clip
from restoration.errors import RestorationError
from restoration.media.identity import identify
from restoration.media.probe import probe

SHA256 = hashlib.sha256(b"abc").hexdigest()


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    return path


@pytest.mark.parametrize("promised", [{}, {"bytes": 3}, {"sha256": SHA256}, {"bytes": 3, "sha256": SHA256, "crop": 1}])
def test_the_file_that_was_promised(path, promised):
    assert identify(path, promised, "a") == {"bytes": 3, "sha256": SHA256}


@pytest.mark.parametrize(
    ("promised", "says"),
    [
        ({"bytes": 4}, "a film: bytes is 3, the manifest says 4"),
        ({"sha256": "0" * 64}, f"a film: sha256 is {SHA256}, the manifest says {'0' * 64}"),
        ({"bytes": 4, "sha256": SHA256}, "a film: bytes is 3, the manifest says 4"),
        ({"bytes": 3, "sha256": "0" * 64}, f"a film: sha256 is {SHA256}, the manifest says"),
    ],
)
def test_another_file(path, promised, says):
    with pytest.raises(RestorationError, match=f"^{says}"):
        identify(path, promised, "a film")


def test_a_probe_refuses_another_file_than_promised(tmp_path):
    path = write_clip(tmp_path / "a.mp4", pictures(3))
    description, _ = probe(path, wishes())
    found = description["source"]
    assert found == identify(path, {}, "a")
    assert probe(path, wishes() | found)[0] == description
    for wrong in ({"bytes": found["bytes"] + 1}, {"sha256": "0" * 64}):
        with pytest.raises(RestorationError, match=r"a\.mp4: (bytes|sha256) is .*, the manifest says"):
            probe(path, wishes() | found | wrong)
