"""Chunks: whole shots as long as they fit, every frame once."""

import itertools
import json

import pytest

from restoration.pipeline.plan import Span, chunks, spread, write_plan


def shots(*lengths):
    ends = list(itertools.accumulate(lengths))
    return [(end - length, end - 1) for end, length in zip(ends, lengths, strict=True)]


def lengths(*arguments):
    return [len(span) for span in chunks(*arguments)]


@pytest.mark.parametrize(
    ("shot_lengths", "longest", "expected"),
    [
        ([10], 10, [10]),
        ([5, 5], 10, [10]),
        ([5, 6], 10, [5, 6]),
        ([3, 3, 3, 3], 6, [6, 6]),
        ([11], 10, [5, 6]),
        ([25], 10, [8, 8, 9]),
        ([4, 25, 4, 4], 10, [4, 8, 8, 9, 8]),
        ([15, 1, 2], 10, [7, 8, 3]),
        ([1] * 7, 3, [3, 3, 1]),
        ([3], 1, [1, 1, 1]),
        ([], 10, []),
    ],
)
def test_cutting(shot_lengths, longest, expected):
    assert lengths(shots(*shot_lengths), longest) == expected


@pytest.mark.parametrize("longest", [1, 2, 3, 7, 24, 1000])
def test_every_frame_is_in_one_chunk_and_none_is_too_long(longest):
    for counts in itertools.product((1, 2, 5, 13), repeat=4):
        spans = chunks(shots(*counts), longest)
        assert [frame for span in spans for frame in range(span.first, span.last + 1)] == list(range(sum(counts)))
        assert max(map(len, spans)) <= longest
        # A border that is no cut is only within a shot that does not fit.
        cuts = {first for first, _ in shots(*counts)}
        for span in spans:
            if span.first not in cuts:
                (shot,) = [(a, b) for a, b in shots(*counts) if a < span.first <= b]
                assert shot[1] - shot[0] + 1 > longest


def test_names_of_spans():
    assert str(Span(0, 239)) == "0000000-0000239"
    assert Span.parse("0000240-0000479") == Span(240, 479)
    assert len(Span(7, 7)) == 1
    assert sorted([Span(240, 300), Span(0, 239)])[0] == Span(0, 239)


@pytest.mark.parametrize(
    "text", ["", "0-1", "0000000-0000239x", "0000000_0000239", "00000000-0000239", "0000000-0000239\n"]
)
def test_what_is_no_span(text):
    with pytest.raises(ValueError, match="is not a span of frames"):
        Span.parse(text)


def test_the_plan_lists_all_videos_and_no_chunks_of_unreadable_ones(tmp_path):
    probes = []
    for video, content in {
        "b": {"shots": shots(5, 6)},
        "a": {"error": "no such file"},
        "c": {"shots": shots(30)},
    }.items():
        path = tmp_path / video / "probe.0123456789.json"
        path.parent.mkdir()
        path.write_text(json.dumps(content))
        probes.append(str(path))
    write_plan(probes, tmp_path / "plan.json", 10)
    plan = json.loads((tmp_path / "plan.json").read_text())
    assert plan == {
        "a": [],
        "b": ["0000000-0000004", "0000005-0000010"],
        "c": ["0000000-0000009", "0000010-0000019", "0000020-0000029"],
    }
    first = (tmp_path / "plan.json").read_bytes()
    write_plan(reversed(probes), tmp_path / "plan.json", 10)
    assert (tmp_path / "plan.json").read_bytes() == first


@pytest.mark.parametrize(
    ("count", "expected"), [(0, []), (1, [0]), (3, [0, 1, 2]), (4, [0, 1, 2, 3]), (10, [0, 3, 6, 9])]
)
def test_a_few_of_many_evenly_spread(count, expected):
    assert spread(range(count), 4) == expected


def test_one_of_many_is_the_first():
    assert spread("abc", 1) == ["a"]
