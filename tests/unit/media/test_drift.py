"""A long title of many chunks: no time is lost or gained at any chunk's border."""

from fractions import Fraction
from itertools import chain

from media_factory import Tone, pictures, sound_packets, video_times, wishes, write_clip
from restoration.media.chunks import read_chunk, write_chunk
from restoration.media.codecs import EncodeSettings
from restoration.media.encode import encode
from restoration.media.extract import extract
from restoration.media.probe import probe
from restoration.pipeline.plan import chunks

RATE = Fraction(1000, 1001)
HOUR = 3600


def test_an_hour_does_not_drift(tmp_path):
    count = int(HOUR * RATE)
    scene = pictures(97, 32, 24)
    # Every seventh frame comes late: the hour cannot be told from a frame rate.
    pts = [1001 * number + 313 * (number % 7 == 3) for number in range(count)]
    source = write_clip(
        tmp_path / "a.mp4",
        (scene[number % 97] for number in range(count)),
        rate=RATE,
        time_base=Fraction(1, 1000),
        pts=pts,
        codec="mpeg4",
        sound=[Tone(seconds=HOUR, rate=8000)],
    )
    description, timeline = probe(source, wishes())
    spans = chunks(description["shots"], 60)
    assert len(spans) > 50
    for span in spans:
        frames = extract(source, description, timeline, span.first, span.last)
        write_chunk(tmp_path / f"{span}.mkv", frames, expected=len(span))
    restored = chain.from_iterable(read_chunk(tmp_path / f"{span}.mkv") for span in spans)
    target = tmp_path / "out.mp4"
    settings = EncodeSettings("h264", 18, "ultrafast")
    encode(target, restored, timeline, source, description, settings, trimmed=False, strict=True)
    assert video_times(target) == video_times(source) == [when * Fraction(1, 1000) for when in pts]
    assert sound_packets(target) == sound_packets(source)
    assert sound_packets(target)[0][-1][0] > HOUR - 1
