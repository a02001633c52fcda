"""The runner's promises: memory, numbers, counts, repeats, threads, damage."""

import gc
import logging
import threading
import time

import numpy as np
import pytest

from media_factory import packet_bytes, pictures
from restoration.errors import RestorationError
from restoration.frames import frame_hash, plain
from restoration.media.chunks import hashes_path, read_chunk, read_hashes, read_pictures, write_chunk
from restoration.pipeline.plan import Span
from restoration.stages import runner
from restoration.stages.repeats import difference
from restoration.stages.runner import Guard, prefetch, progress, restore, run_stage

FIRST = 1200
"""The chunk's place in its video: messages must count from there."""


class Invert:
    """A stage that notes what it was asked for; *capacity* is how many frames fit, *shrinks* how often tiles can."""

    def __init__(self, capacity=1000, shrinks=0):
        self.batches, self.exact, self.shrunk_for = [], [], []
        self.capacity, self.shrinks = capacity, shrinks

    takes_all = False

    def process(self, frames, *, exact=False):
        self.batches.append(len(frames))
        if len(frames) > self.capacity:
            raise MemoryError("2 GiB wanted")
        if exact:
            self.exact.append(frames)
        return self.result(frames, exact)

    def result(self, frames, exact):
        return 255 - frames

    def shrink(self, height, width):
        self.shrunk_for.append((height, width))
        self.shrinks -= 1
        if self.shrinks < 0:
            return False
        self.capacity += 1
        return True


@pytest.fixture
def paths(tmp_path):
    (tmp_path / "in").mkdir()
    return tmp_path / "in" / "0001200-0001219.mkv", tmp_path / "out" / "0001200-0001219.mkv"


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    gc.collect()
    deadline = time.monotonic() + 5
    while running := [thread for thread in threading.enumerate() if thread.name == "prefetch"]:
        assert time.monotonic() < deadline, running
        time.sleep(0.01)


def run(stage, paths, frames, batch=4):
    source, target = paths
    write_chunk(source, frames, expected=len(frames))
    run_stage(stage, source, target, Span(FIRST, FIRST + len(frames) - 1), batch=batch)
    return np.stack(list(read_chunk(target)))


def fails(stage, paths, frames, match, error=RestorationError, batch=4):
    with pytest.raises(error, match=match) as caught:
        run(stage, paths, frames, batch)
    nothing_is_left(paths[1])
    # The traceback holds the generators, and with them the threads.
    caught.value.__traceback__ = None


def nothing_is_left(target):
    assert not target.parent.exists() or list(target.parent.iterdir()) == []


@pytest.mark.parametrize("batch", [1, 2, 7, 50])
def test_frames_in_are_frames_out_whatever_the_batch(paths, batch):
    frames = pictures(20)
    stage = Invert()
    np.testing.assert_array_equal(run(stage, paths, frames, batch), 255 - frames)
    assert sum(stage.batches) == 20
    assert max(stage.batches) == min(batch, 20)


@pytest.mark.parametrize("takes_all", [True, False])
def test_a_stage_sees_pictures_or_frames_and_nothing_is_lost(paths, takes_all):
    picture = np.random.default_rng(2).integers(0, 60000, (24, 32, 4)).astype(np.uint16)
    write_chunk(paths[0], [picture], expected=1)
    stage, asked = Invert(), []
    stage.takes_all = takes_all
    stage.result = lambda frames, exact: asked.append(frames[0]) or frames
    run_stage(stage, *paths, Span(FIRST, FIRST), batch=1)
    np.testing.assert_array_equal(asked[0], picture if takes_all else plain(picture))
    np.testing.assert_array_equal(next(read_pictures(paths[1])), picture)


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_repeats_pass_through_the_stage_once(paths, batch, caplog):
    caplog.set_level(logging.INFO)
    order = [0, 0, 0, 1, 2, 1, 3, 0, 4, 4, 5, 6, 7, 8, 9, 0]
    frames = pictures(10)[order]
    stage = Invert()
    np.testing.assert_array_equal(run(stage, paths, frames, batch), 255 - frames)
    assert sum(stage.batches) == 10
    assert "6 of 16 frames repeat an earlier one" in caplog.text


def test_far_repeats_are_right_with_few_results_kept(paths, monkeypatch):
    monkeypatch.setattr(runner, "KEPT_RESULTS", 3)
    frames = pictures(12)[[*range(12), *range(12), 11, 10, 9, 0]]
    stage = Invert()
    np.testing.assert_array_equal(run(stage, paths, frames, batch=2), 255 - frames)
    assert 12 < sum(stage.batches) < len(frames)


@pytest.mark.parametrize("batch", [1, 3, 50])
def test_frames_that_are_not_wanted_pass_untouched(paths, batch):
    source, target = paths
    frames = pictures(10)[[0, 1, 1, 2, 3, 1, 4, 5, 5, 6]]
    # The same picture can be wanted in one shot and not in another.
    wanted = [True, False, True, True, False, True, False, True, False, False]
    stage = Invert()
    write_chunk(source, frames, expected=10)
    run_stage(stage, source, target, Span(FIRST, FIRST + 9), batch=batch, wanted=wanted)
    expected = [255 - frame if is_wanted else frame for frame, is_wanted in zip(frames, wanted, strict=True)]
    np.testing.assert_array_equal(list(read_chunk(target)), expected)
    assert sum(stage.batches) == 4


def drifting(count, step):
    """Flat pictures, each *step* brighter than the one before, with a network that tells them apart."""
    return np.stack([np.full((48, 64, 3), 100 + step * number, np.uint8) for number in range(count)])


def shown(frames, same_below, batch=4, hashes=None, wanted=None):
    """What is made of each frame, as the number of the frame that it was made of, and how many were computed."""
    stage = Invert()
    hashes = hashes or [frame_hash(frame) for frame in frames]
    restored = restore(Guard(stage, batch), hashes, iter(frames), FIRST, wanted, same_below)
    sources = {(255 - frame).tobytes(): number for number, frame in reversed(list(enumerate(frames)))}
    return [sources.get(frame.tobytes()) for frame in restored], sum(stage.batches)


@pytest.mark.parametrize("batch", [1, 2, 3, 50])
def test_near_repeats_get_the_result_of_the_last_frame_that_has_its_own(batch):
    """So slow change is followed, in steps, however few frames each is from the one before."""
    found, computed = shown(drifting(9, 1), 2.5, batch)
    assert found == [0, 0, 0, 3, 3, 3, 6, 6, 6]
    # One more, as evidence.
    assert computed == 3 + 1
    assert shown(drifting(9, 1), 1, batch) == (list(range(9)), 9)
    assert shown(drifting(9, 1), 0, batch) == (list(range(9)), 9)


@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize("kept", [1, 16])
def test_what_is_kept_and_the_batch_do_not_decide_who_is_like_whom(batch, kept, monkeypatch):
    monkeypatch.setattr(runner, "KEPT_RESULTS", kept)
    frames = drifting(60, 2)[[0, 20, 40, 1, 1, 0, 21, 20, 20, 41, 0, 0, 1, 41, 40]]
    assert shown(frames, 2.5, batch)[0] == [0, 1, 2, 3, 3, 3, 6, 6, 6, 9, 0, 0, 0, 9, 9]


def test_frames_that_are_not_wanted_are_like_nobody():
    frames = drifting(4, 1)
    stage = Invert()
    hashes = [frame_hash(frame) for frame in frames]
    restored = list(restore(Guard(stage, 4), hashes, frames, FIRST, [False, True, False, True], 5))
    np.testing.assert_array_equal(restored, [frames[0], 255 - frames[1], frames[2], 255 - frames[1]])


def test_something_small_that_moves_is_no_repeat():
    frames = pictures(1, 100, 70).repeat(2, axis=0)
    frames[1, 64:, 96:] ^= 15  # the last block, of 4 x 6 pixels
    apart = np.abs(frames[1, 64:, 96:].astype(int) - frames[0, 64:, 96:]).mean()
    assert apart > 3 and np.abs(frames[1].astype(int) - frames[0]).mean() < 0.05
    assert difference(*frames) == pytest.approx(apart)
    assert shown(frames, apart - 0.01)[0] == [0, 1]
    assert shown(frames, apart + 0.01)[0] == [0, 0]


def test_difference_is_in_steps_of_255_whatever_the_picture():
    deep = np.full((20, 20, 4), 257 * 50, np.uint16)
    assert difference(deep, deep + 257 * 3) == 3


def test_the_log_tells_of_near_repeats_and_what_they_lost(paths, caplog):
    caplog.set_level(logging.INFO)
    frames = drifting(6, 1)
    write_chunk(paths[0], frames, expected=6)
    run_stage(Invert(), *paths, Span(FIRST, FIRST + 5), batch=4, same_below=2.5)
    np.testing.assert_array_equal(list(read_chunk(paths[1])), 255 - frames[[0, 0, 0, 3, 3, 3]])
    assert "4 frames nearly repeat an earlier one, with blocks up to 2.00 of 255 apart" in caplog.text
    assert f"That of frame {FIRST + 2}, the furthest apart, is {20 * np.log10(255 / 2):.1f} dB (PSNR)" in caplog.text


def test_results_that_nobody_asks_for_again_are_let_go():
    hashes = [str(i) for i in range(300)]
    produced = []

    class Stage(Invert):
        def result(self, frames, exact):
            return frames

    frames = (np.full((2, 2, 3), i % 256, np.uint8) for i in range(300))
    generator = restore(Guard(Stage(), 4), hashes, frames, 0)
    for frame in generator:
        produced.append(frame[0, 0, 0])
        assert len(generator.gi_frame.f_locals["results"]) <= 4
    assert len(produced) == 300


def test_no_more_results_are_kept_than_allowed():
    hashes = [str(i) for i in range(200)] * 2
    frames = (np.full((2, 2, 3), i % 200, np.uint8) for i in range(400))
    generator = restore(Guard(Invert(), 8), hashes, frames, 0)
    for number, frame in enumerate(generator):
        assert frame[0, 0, 0] == 255 - number % 200
        assert len(generator.gi_frame.f_locals["results"]) <= runner.KEPT_RESULTS + 8


def test_out_of_memory_halves_the_batch_for_good(paths, caplog):
    frames = pictures(20)
    stage = Invert(capacity=2)
    np.testing.assert_array_equal(run(stage, paths, frames, batch=8), 255 - frames)
    assert stage.batches[:3] == [8, 4, 2]
    assert set(stage.batches[3:]) == {2}
    assert stage.shrunk_for == []
    assert "going on with 4 frames at once" in caplog.text


def test_one_frame_too_large_shrinks_the_tiles(paths):
    frames = pictures(5)
    stage = Invert(capacity=-1, shrinks=2)
    np.testing.assert_array_equal(run(stage, paths, frames, batch=2), 255 - frames)
    assert stage.shrunk_for == [(48, 64)] * 2


def test_nothing_left_to_shrink_fails(paths):
    stage = Invert(capacity=0, shrinks=0)
    fails(stage, paths, pictures(5), r"one frame of 64x48 does not fit.*2 GiB wanted.*--cores")


@pytest.mark.parametrize("batch", [1, 4])
def test_what_is_no_number_is_computed_again_exactly(paths, batch):
    class Stage(Invert):
        def result(self, frames, exact):
            if not exact and (frames[:, 0, 0, 0] == marker).any():
                raise FloatingPointError([0])
            return 255 - frames

    frames = pictures(10)
    frames[6, 0, 0] = marker = 254
    stage = Stage()
    np.testing.assert_array_equal(run(stage, paths, frames, batch), 255 - frames)
    assert any((frame[0] == frames[6]).all() for frame in stage.exact)
    assert all(len(frame) == 1 for frame in stage.exact)


def test_what_stays_no_number_fails_and_names_the_frame(paths):
    class Stage(Invert):
        def result(self, frames, exact):
            if (frames[:, 0, 0, 0] == 254).any():
                raise FloatingPointError([0])
            return 255 - frames

    frames = pictures(10)
    frames[6, 0, 0] = 254
    fails(Stage(), paths, frames, rf"frame {FIRST + 6}: the network's result is not a number.*another model")


class Blackens(Invert):
    """Turns marked frames black; *stubborn* also in fp32."""

    def __init__(self, stubborn):
        super().__init__()
        self.stubborn = stubborn

    def result(self, frames, exact):
        black = (frames[:, 0, 0, 0] == 254) & (self.stubborn or not exact)
        return np.where(black[:, None, None, None], 0, 255 - frames).astype(np.uint8)


def test_black_is_computed_again_exactly(paths, caplog):
    frames = pictures(10)
    frames[[2, 6], 0, 0] = 254
    stage = Blackens(stubborn=False)
    np.testing.assert_array_equal(run(stage, paths, frames), 255 - frames)
    assert len(stage.exact) == 2
    assert f"{FIRST + 2}" in caplog.text
    assert f"{FIRST + 6}" in caplog.text


def test_black_that_stays_fails_and_names_the_frame(paths):
    frames = pictures(10)
    frames[[6], 0, 0] = 254
    fails(Blackens(stubborn=True), paths, frames, rf"frame {FIRST + 6}: .*black")


def test_a_dark_picture_may_become_black(paths):
    frames = np.full((3, 48, 64, 3), 10, np.uint8)
    frames[:, 0, 0, 0] = 254

    class Stage(Invert):
        def result(self, frames, exact):
            return np.zeros_like(frames)

    stage = Stage()
    assert run(stage, paths, frames).max() == 0
    assert stage.exact == []


def test_numbers_in_messages_are_right_after_repeats(paths):
    frames = pictures(10)[[0, 0, 1, 1, 2, 0, 3, 4, 3, 5]]
    frames[7, 0, 0] = 254
    fails(Blackens(stubborn=True), paths, frames, f"frame {FIRST + 7}: ", batch=3)


def test_numbers_in_messages_are_right_after_halving(paths):
    frames = pictures(10)
    frames[6, 0, 0] = 254
    stage = Blackens(stubborn=True)
    stage.capacity = 2
    fails(stage, paths, frames, f"frame {FIRST + 6}: ", batch=8)


@pytest.mark.parametrize("change", [lambda frames: frames[:-1], lambda frames: frames.repeat(2, axis=0)])
def test_a_stage_that_changes_the_count_fails(paths, change):
    class Stage(Invert):
        def result(self, frames, exact):
            return change(frames)

    fails(Stage(), paths, pictures(10), None, Exception)


def test_an_error_in_the_stage_is_raised(paths):
    class Stage(Invert):
        def result(self, frames, exact):
            if len(self.batches) == 3:
                raise ZeroDivisionError("in the stage's thread")
            return frames

    fails(Stage(), paths, pictures(20), "in the stage's thread", ZeroDivisionError)


def test_an_error_in_the_decoder_is_raised(paths, monkeypatch):
    def broken(chunk):
        yield from pictures(3)
        raise OSError("the share went away")

    monkeypatch.setattr(runner, "read_chunk", broken)
    fails(Invert(), paths, pictures(20), "the share went away", OSError)


def test_an_error_in_the_encoder_is_raised(paths, monkeypatch):
    source, target = paths
    write_chunk(source, pictures(20), expected=20)
    monkeypatch.setattr("restoration.media.chunks.frame_hash", lambda frame: 1 / 0)
    with pytest.raises(ZeroDivisionError) as caught:
        run_stage(Invert(), source, target, Span(FIRST, FIRST + 19), batch=1)
    nothing_is_left(target)
    caught.value.__traceback__ = None


def flip(paths):
    content = bytearray(paths[0].read_bytes())
    content[len(content) // 2] ^= 0xFF
    paths[0].write_bytes(content)


def truncate(paths):
    paths[0].write_bytes(paths[0].read_bytes()[: paths[0].stat().st_size * 6 // 10])


def swap(paths):
    lines = hashes_path(paths[0]).read_text().split()
    lines[3], lines[4] = lines[4], lines[3]
    hashes_path(paths[0]).write_text("\n".join(lines) + "\n")


def shorten(paths):
    lines = hashes_path(paths[0]).read_text().split()
    hashes_path(paths[0]).write_text("\n".join(lines[:-2]) + "\n")


def lengthen(paths):
    with hashes_path(paths[0]).open("a") as handle:
        handle.write("0" * 32 + "\n")


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (flip, r"(frame \d+ of the chunk is not what was written|after \d+ frames)"),
        (truncate, r"(\d+ frames instead of 20|after \d+ frames|frame \d+ of the chunk)"),
        (swap, "frame 3 of the chunk is not what was written"),
        (shorten, "its hash list names 18 frames instead of 20"),
        (lengthen, "its hash list names 21 frames instead of 20"),
        (lambda paths: hashes_path(paths[0]).unlink(), "hash list cannot be read"),
        (lambda paths: paths[0].unlink(), "cannot be decoded"),
        (lambda paths: paths[0].write_bytes(b""), "cannot be decoded"),
    ],
    ids=["flipped", "truncated", "swapped", "fewer hashes", "more hashes", "no hashes", "no chunk", "empty chunk"],
)
@pytest.mark.parametrize("batch", [1, 6])
def test_a_damaged_chunk_fails_by_name(paths, damage, says, batch):
    source, target = paths
    write_chunk(source, pictures(20), expected=20)
    damage(paths)
    with pytest.raises(RestorationError, match=rf"{source}: .*{says}.*Delete the file") as caught:
        run_stage(Invert(), source, target, Span(FIRST, FIRST + 19), batch=batch)
    nothing_is_left(target)
    caught.value.__traceback__ = None


def test_two_runs_write_the_same_packets(paths):
    run(Invert(), paths, pictures(12))
    first = packet_bytes(paths[1]), read_hashes(paths[1])
    run(Invert(), paths, pictures(12), batch=3)
    assert (packet_bytes(paths[1]), read_hashes(paths[1])) == first


def test_prefetch_keeps_order_and_runs_ahead_no_further_than_told():
    taken = []

    def items():
        for number in range(50):
            taken.append(number)
            yield number

    ahead = prefetch(items(), depth=3)
    assert next(ahead) == 0
    time.sleep(0.2)
    # One handed over, three waiting, one in the producer's hands.
    assert len(taken) <= 5
    assert list(ahead) == list(range(1, 50))


def test_prefetch_ends_when_the_consumer_stops():
    closed = threading.Event()

    def endless():
        try:
            while True:
                yield 0
        finally:
            closed.set()

    ahead = prefetch(endless(), depth=2)
    next(ahead)
    ahead.close()
    assert closed.wait(5)


def test_prefetch_raises_what_was_raised():
    def broken():
        yield 1
        raise KeyError("x")

    ahead = prefetch(broken(), depth=2)
    assert next(ahead) == 1
    with pytest.raises(KeyError, match="x"):
        next(ahead)


def test_progress_tells_how_far_it_is(caplog):
    caplog.set_level(logging.INFO)
    assert list(progress(iter("abc"), 3)) == ["a", "b", "c"]
    assert "3/3 frames" in caplog.text
    assert "0 s left" in caplog.text
