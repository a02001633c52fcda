"""The summary tells what became of each video, by results and logs alone."""

import os
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest

from restoration.pipeline.cost import Cost
from restoration.pipeline.summary import MOST_NAMED, Outcome, outcomes, write_summary

CURRENT = {"a/probe.0123456789.json", "a/upscale.abcdef0123"}


@pytest.fixture
def put(tmp_path):
    """Writes files one after the other, each a second younger."""
    count = 0

    def write(name, text=""):
        nonlocal count
        count += 1
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (count, count))
        return path

    return write


def of_a(tmp_path):
    files = (tmp_path / name for name in ("a.mp4", "a.json"))
    made = [file.stat().st_mtime_ns if file.exists() else None for file in files]
    (one,) = outcomes({"a": made}, tmp_path / "logs", CURRENT)
    return one.status, one.why, one.log.removeprefix(f"{tmp_path}/")


def test_nothing_was_begun(tmp_path):
    assert of_a(tmp_path) == ("not begun", "", "")


def test_done_whatever_went_wrong_before(tmp_path, put):
    put("logs/a/upscale.abcdef0123/0000000-0000009.log", "ERROR: no memory\n")
    put("a.mp4")
    put("a.json")
    log = put("logs/a/comparison.log", f"a comparison a: {Cost(1, 1)}\n")
    assert of_a(tmp_path) == ("done", "", "")
    # One that was killed since cannot say so.
    log.write_text("a comparison a: 3/10 frames\n")
    assert of_a(tmp_path)[:2] == ("unfinished", "last words: a comparison a: 3/10 frames")


def test_what_was_made_on_request_says_nothing_about_a_video(tmp_path, put):
    put("a.mp4")
    put("a.json")
    for name in ("clip.wipe.log", "stages.log", "sheet.log"):
        put(f"logs/a/{name}", "ERROR: no memory\n")
    assert of_a(tmp_path) == ("done", "", "")


def test_doubts_are_told_until_they_are_gone(tmp_path, put):
    put("a.mp4")
    put("a.json")
    log = put("logs/a/judge.log", f"a judge a: WARNING: ssim is 0.5\na judge a: WARNING: psnr is 3\na: {Cost(1, 1)}\n")
    assert of_a(tmp_path) == ("doubtful", "ssim is 0.5; and 1 more", "logs/a/judge.log")
    log.write_text(f"a judge a: WARNING: ssim is 0.5\na: {Cost(1, 1)}\n")
    assert of_a(tmp_path)[1] == "ssim is 0.5"
    log.write_text(f"a: {Cost(1, 1)}\n")
    assert of_a(tmp_path) == ("done", "", "")


def test_the_last_error_is_named_with_its_log(tmp_path, put):
    put("logs/a/probe.0123456789.log", "ERROR: an old one\n")
    put("logs/a/upscale.abcdef0123/0000000-0000009.log", "ERROR: first\n5/10 frames\nERROR: frame 3 is black\n")
    put("logs/a/upscale.abcdef0123/0000010-0000019.log", "10/10 frames\n")
    put("a.mp4")
    log = "logs/a/upscale.abcdef0123/0000000-0000009.log"
    assert of_a(tmp_path) == ("failed", "frame 3 is black", log)


def test_results_of_before_do_not_hide_a_failure(tmp_path, put):
    put("a.mp4")
    put("a.json")
    put("logs/a/encode.mp4.log", "a encode a: ERROR: the disk is full\n")
    assert of_a(tmp_path) == ("failed", "the disk is full", "logs/a/encode.mp4.log")


def test_settings_that_are_gone_do_not_count(tmp_path, put):
    put("a.mp4")
    put("a.json")
    put("logs/a/upscale.fedcba9876/0000000-0000009.log", "ERROR: no memory\n")
    put("logs/a/probe.9999999999.log", "ERROR: unreadable\n")
    assert of_a(tmp_path) == ("done", "", "")


def test_a_job_that_was_killed_has_no_error(tmp_path, put):
    log = put("logs/a/upscale.abcdef0123/0000000-0000009.log", "start\n3/10 frames\n\n")
    assert of_a(tmp_path) == ("unfinished", "last words: 3/10 frames", str(log.relative_to(tmp_path)))
    log.write_text("")
    assert of_a(tmp_path)[1] == "last words: none"


def test_the_table_begins_with_what_is_amiss(tmp_path):
    rows = [
        Outcome("good", "done"),
        Outcome("bad", "failed", 'no\ttable "x"', "logs/bad/x.log"),
        Outcome("c", "not begun"),
    ]
    text = write_summary(rows, tmp_path / "summary.tsv")
    assert text.splitlines() == [
        f"Videos: 1 done, 1 failed, 1 not begun; see {tmp_path / 'summary.tsv'}",
        '  bad: failed (logs/bad/x.log): no\ttable "x"',
        "  c: not begun",
    ]
    table = pd.read_csv(tmp_path / "summary.tsv", sep="\t", keep_default_na=False)
    assert table["video"].tolist() == ["bad", "c", "good"]
    assert table["why"].tolist() == ['no\ttable "x"', "", ""]


def test_thousands_of_failures_do_not_flood_the_screen(tmp_path):
    rows = [Outcome(str(number), "failed", "why", "log") for number in range(MOST_NAMED + 5)]
    lines = write_summary(rows, tmp_path / "summary.tsv").splitlines()
    assert len(lines) == MOST_NAMED + 2 and lines[-1] == "  and 5 more"


def test_rows_of_other_people_stay(tmp_path):
    table = tmp_path / "summary.tsv"
    write_summary([Outcome("theirs", "done"), Outcome("bad", "failed", "no\ttable", "log")], table)
    assert write_summary([Outcome("ours", "not begun"), Outcome("bad", "done")], table).startswith(
        "Videos: 1 done, 1 not"
    )
    rows = pd.read_csv(table, sep="\t", keep_default_na=False)
    assert rows["video"].tolist() == ["ours", "bad", "theirs"]
    assert rows["status"].tolist() == ["not begun", "done", "done"]


def test_who_ends_at_the_same_time_loses_no_rows(tmp_path):
    table, names = tmp_path / "summary.tsv", [str(number) for number in range(16)]
    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(lambda name: write_summary([Outcome(name, "done")], table), names))
    assert set(pd.read_csv(table, sep="\t", dtype=str)["video"]) == set(names)
