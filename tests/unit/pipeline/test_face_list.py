"""What a person says of faces: regions as in the configuration, and a list that is used as a whole or refused."""

import pytest

from restoration.errors import RestorationError
from restoration.pipeline.face_list import read_face_list, regions


def read(folder, content, name="faces.tsv"):
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_face_list(str(folder / name))


@pytest.mark.parametrize(
    ("text", "boxes"),
    [
        ("", []),
        ("10:20:3:4", [[3, 4, 13, 24]]),
        ("10:20:3:4 1:1:0:0", [[3, 4, 13, 24], [0, 0, 1, 1]]),
        ("10:20:3:4 ", [[3, 4, 13, 24]]),
    ],
)
def test_regions_are_width_height_left_top(text, boxes):
    assert regions(text) == boxes


def test_no_list_no_points():
    assert read_face_list("") == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("faces.tsv", "frame\tx\ty\n0\t10.5\t20\n12\t0\t7\n"),
        ("faces.csv", "frame,x,y\n0,10.5,20\n12,0,7\n"),
        ("FACES.CSV", "frame, x, y\r\n0, 10.5, 20\r\n12, 0, 7"),
        ("faces.tsv", "# the bride\nframe\tx\ty\n0\t10.5\t20 # at the door\n\n12\t0\t7\n"),
        ("faces.csv", b"\xef\xbb\xbfframe,x,y\n0,10.5,20\n12,0,7\n"),
    ],
    ids=["tsv", "csv", "spaces", "comments", "byte order mark"],
)
def test_points_are_read(tmp_path, name, content):
    points = read(tmp_path, content, name)
    assert points == [[0, 10.5, 20], [12, 0, 7]]
    assert all(type(value) is float for point in points for value in point)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("frame\tx\n1\t2\n", "columns are frame, x; expected frame, x, y"),
        ("x\ty\tframe\n1\t2\t3\n", "columns are x, y, frame; expected frame, x, y"),
        ("frame\tx\ty\tz\n1\t2\t3\t4\n", "columns are frame, x, y, z"),
        ("1\t2\t3\n", "columns are 1, 2, 3"),
        ("frame,x,y\n1,2,3\n", "columns are frame,x,y; expected"),
        ("frame\tx\ty\n", "at least one face"),
        ("frame\tx\ty\n1\t-2\t3\n", "none negative"),
        ("frame\tx\ty\n-1\t2\t3\n", "none negative"),
        # What could be meant by these is not to be guessed.
        ("frame\tx\ty\n1.5\t2\t3\n", "a whole frame"),
        ("frame\tx\ty\n1\t\t3\n", "for each a whole frame, x and y"),
        ("frame\tx\ty\n1\t2\n", "for each a whole frame, x and y"),
        ("frame\tx\ty\n\t2\t3\n", "for each a whole frame, x and y"),
        ("frame\tx\ty\n1\tnan\t3\n", "for each a whole frame, x and y"),
        ("frame\tx\ty\n1\tinf\t3\n", "for each a whole frame, x and y"),
        ("frame\tx\ty\n1\t2\t3\t4\n", "cannot be read as a list of faces"),
        ("frame\tx\ty\n1\t2\t3\t# the bride\n", "cannot be read as a list of faces"),
        ("frame\tx\ty\n1\t2\t3\n4\t5\t6\t7\n", "cannot be read as a list of faces"),
        ("frame\tx\ty\n1\tleft\t3\n", "cannot be read as a list of faces"),
        ("", "cannot be read as a list of faces"),
        (b"frame\tx\ty\n\xff\xfe\t2\t3\n", "cannot be read as a list of faces"),
    ],
)
def test_everything_else_is_refused(tmp_path, content, says):
    with pytest.raises(RestorationError, match=r"faces\.tsv: .*") as caught:
        read(tmp_path, content)
    assert says in str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    for path in (tmp_path / "none.tsv", tmp_path):
        with pytest.raises(RestorationError, match="cannot be read as a list of faces"):
            read_face_list(str(path))
