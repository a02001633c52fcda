"""Pruning lists, and deletes, exactly what nothing asks for."""

import json

import pytest

from restoration.pipeline.prune import prune

CURRENT = {"plan.p1.json", "a/probe.k1.json", "a/timeline.k1.tsv", "a/frames.k2", "b/frames.k3"}
KEPT = [
    "plan.p1.json",
    "a/probe.k1.json",
    "a/timeline.k1.tsv",
    "a/frames.k2/0000000-0000009.mkv",
    "a/frames.k2/0000000-0000009.hashes",
    "a/frames.k2/0000000-0000009.invented.mkv",
    "a/frames.k2/0000000-0000009.invented.hashes",
    "b/frames.k3/0000000-0000004.mkv",
]
UNUSED = {
    "plan.p0.json": "plan.p0.json",
    ".0123.part.json": ".0123.part.json",
    "a/probe.k0.json": "a/probe.k0.json",
    "a/frames.k9/0000000-0000009.mkv": "a/frames.k9",
    "a/upscale.k4/0000000-0000009.mkv": "a/upscale.k4",
    "a/frames.k2/0000000-0000004.mkv": "a/frames.k2/0000000-0000004.mkv",
    "a/frames.k2/0000000-0000004.hashes": "a/frames.k2/0000000-0000004.hashes",
    "a/frames.k2/.4567.part.mkv": "a/frames.k2/.4567.part.mkv",
    "gone/frames.k2/0000000-0000009.mkv": "gone",
    "a/.89ab.part.tsv": "a/.89ab.part.tsv",
}
"""Files, and the topmost thing to remove for each."""


@pytest.fixture
def work(tmp_path):
    work = tmp_path / "work"
    for name in [*KEPT, *UNUSED]:
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 100_000)
    (work / "plan.p1.json").write_text(json.dumps({"a": ["0000000-0000009"], "b": ["0000000-0000004"]}))
    return work


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def listed(text):
    return [line.split(maxsplit=2)[2] for line in text.splitlines()[:-1]]


def test_listing_changes_nothing(work, capsys):
    before = files(work)
    prune(work, work.with_name("results"), CURRENT, delete=False)
    output = capsys.readouterr().out
    assert sorted(listed(output)) == sorted(str(work / name) for name in set(UNUSED.values()))
    assert output.splitlines()[-1].split(maxsplit=2) == [
        "1",
        "MB",
        "can be freed: snakemake prune --config delete=true",
    ]
    assert files(work) == before


def test_deleting_keeps_what_is_current(work, capsys):
    prune(work, work.with_name("results"), CURRENT, delete=True)
    assert files(work) == sorted(KEPT)
    assert capsys.readouterr().out.splitlines()[-1].split() == ["1", "MB", "freed"]
    prune(work, work.with_name("results"), CURRENT, delete=True)
    assert capsys.readouterr().out.split() == ["0", "B", "freed"]
    assert files(work) == sorted(KEPT)


def test_without_a_plan_no_chunk_of_a_current_folder_is_touched(work):
    (work / "plan.p1.json").unlink()
    prune(work, work.with_name("results"), CURRENT, delete=True)
    assert "a/frames.k2/0000000-0000004.mkv" in files(work)
    assert "a/frames.k9/0000000-0000009.mkv" not in files(work)


def test_a_video_may_be_called_logs(work):
    prune(work, work.with_name("results"), CURRENT | {"logs/probe.k5.json"}, delete=True)
    (work / "logs").mkdir()
    (work / "logs" / "probe.k5.json").touch()
    (work / "logs" / "probe.k4.json").touch()
    prune(work, work.with_name("results"), CURRENT | {"logs/probe.k5.json"}, delete=True)
    assert files(work) == sorted([*KEPT, "logs/probe.k5.json"])


def test_nothing_there(tmp_path, capsys):
    prune(tmp_path / "work", tmp_path / "results", CURRENT, delete=True)
    assert capsys.readouterr().out.split() == ["0", "B", "freed"]


def test_sizes_count_the_whole_folder(tmp_path, capsys):
    for name in ("x/1", "x/y/2"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * 1_500_000)
    prune(tmp_path, tmp_path / "results", set(), delete=False)
    assert capsys.readouterr().out.split()[:2] == ["3", "MB"]


def test_what_a_killed_encode_left_behind_goes_too(tmp_path):
    results = tmp_path / "results"
    (results / "a").mkdir(parents=True)
    left, restored = results / "a" / ".0123456789ab.part.mp4", results / "a" / "a.mp4"
    left.write_bytes(b"half")
    restored.write_bytes(b"whole")
    prune(tmp_path / "work", results, set(), delete=True)
    assert (left.exists(), restored.exists()) == (False, True)
