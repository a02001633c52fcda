"""A file has its final name only when whole."""

import pytest

from restoration.files import atomic


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
