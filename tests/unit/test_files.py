"""A file has its final name only when whole."""

import shutil

import pytest

from restoration.errors import RestorationError
from restoration.files import SCRATCH, atomic, use_scratch


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """A folder on a disk of this machine."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setenv("NODE", str(tmp_path))
    monkeypatch.setenv(SCRATCH, "$NODE/scratch")
    use_scratch()
    yield folder
    monkeypatch.setenv(SCRATCH, "")
    use_scratch()


def test_appears_whole(tmp_path):
    target = tmp_path / "new" / "folder" / "a.json"
    with atomic(target) as temporary:
        temporary.write_text("new")
        assert temporary.parent == target.parent
        assert temporary.suffix == ".json"
        assert not target.exists()
    assert target.read_text() == "new"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, error):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(error), atomic(target) as temporary:
        temporary.write_text("half")
        raise error
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_block_that_writes_nothing_fails(tmp_path):
    with pytest.raises(FileNotFoundError), atomic(tmp_path / "a.txt"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_two_writers_of_one_target_do_not_meet(tmp_path):
    target = tmp_path / "a.txt"
    with atomic(target) as first, atomic(target) as second:
        assert first != second
        first.write_text("first")
        second.write_text("second")
    assert target.read_text() == "first"
    assert list(tmp_path.iterdir()) == [target]


def test_scratch_is_written_first(tmp_path, scratch):
    target = tmp_path / "shared" / "a.json"
    with atomic(target) as temporary:
        temporary.write_text("new")
        assert temporary.parent == scratch
        assert list(target.parent.iterdir()) == []
    assert target.read_text() == "new"
    assert [*target.parent.iterdir(), *scratch.iterdir()] == [target]


def test_a_move_from_scratch_that_fails_leaves_nothing(tmp_path, scratch, monkeypatch):
    def full(source, target):
        target.write_text("half")
        raise OSError

    monkeypatch.setattr(shutil, "copyfile", full)
    target = tmp_path / "shared" / "a.txt"
    with pytest.raises(OSError), atomic(target) as temporary:
        temporary.write_text("whole")
    assert [*target.parent.iterdir(), *scratch.iterdir()] == []


@pytest.mark.parametrize("said", ["$NO_SUCH_VARIABLE", "/no/such/folder"])
def test_no_scratch_folder_is_an_error_that_names_it(monkeypatch, said):
    monkeypatch.setenv(SCRATCH, said)
    with pytest.raises(RestorationError, match=f"scratch: there is no folder .*{said[1:]}"):
        use_scratch()
