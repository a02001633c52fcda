"""Jobs say what they cost, and are heard."""

from restoration.pipeline.cost import Cost, read_cost, spent


def test_what_was_said_is_read(tmp_path):
    log = tmp_path / "a.log"
    log.write_text(
        f"tape upscale 0000000-0000011: 12/12 frames\ntape upscale 0000000-0000011: {Cost(1.25, 2.5, 700)}\n"
    )
    assert read_cost(log) == Cost(1.25, 2.5, 700)


def test_a_job_that_failed_has_said_nothing(tmp_path):
    log = tmp_path / "a.log"
    for text in ("", "ERROR: a.mp4: the file is empty\n", "a upscale 0: 3/12 frames, 2 s left\n"):
        log.write_text(text)
        assert read_cost(log) is None


def test_a_process_knows_what_it_spent():
    before = spent()
    held = bytearray(64 * 2**20)
    sum(held)
    after = spent()
    assert after.cpu_seconds > before.cpu_seconds
    assert after.seconds > before.seconds > 0
    assert after.megabytes >= 64
