"""What jobs ran with travels with the chunks that they made."""

from pathlib import Path

from media_factory import pictures
from restoration import journal
from restoration.media.chunks import frames_digest, read_chunk, write_chunk


def test_each_chunk_tells_of_its_own_job_and_of_those_before(tmp_path: Path) -> None:
    first, second = tmp_path / "first.mkv", tmp_path / "second.mkv"
    journal.begin("upscale")
    journal.note("OpenVINO 1 on cpu, fp32")
    write_chunk(first, pictures(3), expected=3)
    journal.begin("faces")
    assert journal.told() == ""

    def restored():
        for picture in read_chunk(first):
            journal.note("PyTorch 2 on cuda (Some GPU), fp16")  # networks start when they are needed
            yield picture

    write_chunk(second, restored(), expected=3)
    journal.begin("encode")
    assert len(list(read_chunk(second))) == 3
    assert journal.told().splitlines() == [
        "faces: PyTorch 2 on cuda (Some GPU), fp16",
        "upscale: OpenVINO 1 on cpu, fp32",
    ]


def test_the_digest_of_frames_does_not_depend_on_how_they_are_cut(tmp_path: Path) -> None:
    frames = pictures(4)
    for name, part in {"whole": frames, "a": frames[:1], "b": frames[1:]}.items():
        write_chunk(tmp_path / f"{name}.mkv", part, expected=len(part))
    whole, a, b = (tmp_path / f"{name}.mkv" for name in ("whole", "a", "b"))
    assert frames_digest([whole]) == frames_digest([a, b]) != frames_digest([b, a])
