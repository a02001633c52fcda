"""Tiny clips for the tests, and what is in a media file, exactly."""

import hashlib
from fractions import Fraction

import av
import numpy as np

SIZE = 48, 32
AUDIO_RATE = 48000
TIME_BASE = Fraction(1, 90000)


def make_clip(path, *, shots, pts, seed, padding=0, options=None):
    """Write H.264 and AAC: `shots` holds each shot's number of frames, `pts` every frame's time in 1/90000 s.

    `padding` bytes that mean nothing make the file larger.
    """
    rng = np.random.default_rng(seed)
    width, height = SIZE
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(path, "w", options=options or {}) as container:
        video = container.add_stream("libx264", rate=25)
        video.options = {"x264-params": "mbtree=0"}  # the same bytes at every call
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.time_base = video.codec_context.time_base = TIME_BASE
        sound = container.add_stream("aac", rate=AUDIO_RATE, layout="mono")
        times = iter(pts)
        for length in shots:
            blocks = rng.integers(0, 256, (height // 8, width // 8, 3)).repeat(8, axis=0).repeat(8, axis=1)
            for number in range(length):
                frame = av.VideoFrame.from_ndarray(np.roll(blocks, number, axis=1).astype(np.uint8), format="rgb24")
                frame.pts, frame.time_base = next(times), TIME_BASE
                container.mux(video.encode(frame))
        container.mux(video.encode())
        samples = int(AUDIO_RATE * max(pts) * TIME_BASE)
        wave = 0.3 * np.sin(np.arange(samples) * 2 * np.pi * 440 / AUDIO_RATE).astype(np.float32)
        for begin in range(0, samples, 1024):
            frame = av.AudioFrame.from_ndarray(wave[None, begin : begin + 1024], format="fltp", layout="mono")
            frame.sample_rate, frame.pts = AUDIO_RATE, begin
            container.mux(sound.encode(frame))
        container.mux(sound.encode())
    if padding:
        with path.open("ab") as file:
            file.write(padding.to_bytes(4, "big") + b"free" + bytes(padding - 8))


def frames(path):
    """Time base, and every decoded frame as (pts, hash of its pixels)."""
    with av.open(path) as container:
        found = [(f.pts, hashlib.sha256(f.to_ndarray().tobytes()).hexdigest()) for f in container.decode(video=0)]
        return container.streams.video[0].time_base, found


def packets(path, kind):
    """Every packet of the first stream of this kind as (time in seconds, bytes)."""
    with av.open(path) as container:
        stream = next(stream for stream in container.streams if stream.type == kind)
        return [(packet.pts * packet.time_base, bytes(packet)) for packet in container.demux(stream) if packet.size]
