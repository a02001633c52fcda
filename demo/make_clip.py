"""Make the demo clip: two public-domain pictures as a kinescope might have kept them, and the clean original.

    python demo/make_clip.py [FOLDER]

Writes to FOLDER (by default the script's own), 96 frames at 24000/1001 fps each, frame for frame the same moments:

    kinescope_clean.mp4   640x480, colour, no sound: the truth to measure a restoration against
    kinescope.mp4         320x240, gray, soft, haloed, grainy, vignetted, compressed; a tone that jumps at the cut
"""

import argparse
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import cv2
import numpy as np
import numpy.typing as npt
import skimage.data
from av.filter import Graph
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

Image = npt.NDArray[np.uint8]  # RGB, (height, width, 3)

TIME_BASE = Fraction(1, 24000)  # of the pts; one frame lasts 1001 ticks
FRAME_TICKS = 1001
FRAMES_PER_SHOT = 48
BT709 = np.array([0.2126, 0.7152, 0.0722], np.float32)  # luma of R, G, B
WIDTH, HEIGHT = 640, 480  # of the clean original; the kinescope has half of each
AUDIO_RATE = 48000
SAMPLES_PER_FRAME = AUDIO_RATE * FRAME_TICKS // 24000


class View(NamedTuple):
    """What the camera sees of a picture: the centre and the width in picture pixels, 4:3."""

    x: float
    y: float
    width: float


class Shot(NamedTuple):
    picture: str  # name of the function in skimage.data
    start: View
    end: View
    tone: float  # Hz


SHOTS = (
    Shot("astronaut", View(256, 200, 504), View(228, 160, 420), 440),
    Shot("rocket", View(288, 214, 560), View(336, 226, 480), 880),
)


def render(shot: Shot) -> Iterator[Image]:
    """Frames of a camera that glides from the shot's start to its end."""
    picture = getattr(skimage.data, shot.picture)()
    start, end = np.array(shot.start), np.array(shot.end)
    for t in np.linspace(0, 1, FRAMES_PER_SHOT):
        x, y, width = start + (end - start) * t * t * (3 - 2 * t)
        zoom = width / WIDTH
        # OpenCV counts from the middle of the first pixel: the middle of the frame is (WIDTH - 1) / 2.
        left, top = x - 0.5 - zoom * (WIDTH - 1) / 2, y - 0.5 - zoom * (HEIGHT - 1) / 2
        to_picture = np.array([[zoom, 0, left], [0, zoom, top]])
        frame = cv2.warpAffine(picture, to_picture, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)
        yield frame.astype(np.uint8)


def degrade(frames: Iterable[Image]) -> Iterator[Image]:
    """Frames of half the size as filmed from a television tube: soft, haloed, grainy, darker in the corners."""
    rng = np.random.default_rng(1948)
    height, width = HEIGHT // 2, WIDTH // 2
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    vignette = 1 - 0.04 * (x * x + y * y)
    for frame in frames:
        luma = frame.astype(np.float32) @ BT709
        soft = cv2.GaussianBlur(cv2.resize(luma, (width, height), interpolation=cv2.INTER_AREA), (0, 0), 0.8)
        # The television chain's aperture correction overshoots along the line: a dark and a bright rim.
        halo = soft + 0.25 * (soft - cv2.GaussianBlur(soft, (0, 0), 2, sigmaY=0.01))
        # Grain is coarser than a pixel (the blur halves its strength) and strongest in the mid-tones.
        grain = cv2.GaussianBlur(rng.standard_normal((height, width)).astype(np.float32), (0, 0), 0.6)
        strength = 7 + 21 * (halo / 255) * (1 - halo / 255)
        gray = (4 + 0.97 * halo) * vignette + strength * grain
        yield np.repeat(np.clip(np.rint(gray), 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def tones() -> npt.NDArray[np.float32]:
    """Mono samples in -1..1, as long as the picture: each shot's own tone."""
    count = FRAMES_PER_SHOT * SAMPLES_PER_FRAME
    seconds = np.arange(count) / AUDIO_RATE
    return np.concatenate([0.2 * np.sin(2 * np.pi * shot.tone * seconds) for shot in SHOTS]).astype(np.float32)


def to_yuv420p(width: int, height: int) -> Graph:
    """Filter from RGB to limited-range BT.709; by default swscale would write BT.601 and round carelessly."""
    graph = Graph()
    graph.link_nodes(
        graph.add_buffer(width=width, height=height, format=av.VideoFormat("rgb24"), time_base=TIME_BASE),
        graph.add("scale", "out_color_matrix=bt709:out_range=tv:flags=+accurate_rnd+full_chroma_int"),
        graph.add("format", "yuv420p"),
        graph.add("buffersink"),
    ).configure()
    return graph


def write(
    path: Path, frames: Iterable[Image], size: tuple[int, int], crf: int, audio: npt.NDArray[np.float32] | None = None
) -> None:
    """Encode frames of size (width, height), and audio if given, to an MP4 file."""
    with av.open(path, "w", options={"fflags": "+bitexact"}) as container:
        # Both make x264 repeatable: its macroblock tree gives other bits from run to run at 320x240.
        repeatable = {"threads": "1", "mbtree": "0"}
        options = {"crf": str(crf), "preset": "slow", **repeatable}
        video = container.add_stream("libx264", Fraction(24000, FRAME_TICKS), options)
        video.width, video.height = size
        video.pix_fmt = "yuv420p"
        video.sample_aspect_ratio = Fraction(1)
        video.time_base = video.codec_context.time_base = TIME_BASE
        video.codec_context.color_primaries = ColorPrimaries.BT709
        video.codec_context.color_trc = ColorTrc.BT709
        video.codec_context.colorspace = Colorspace.ITU709
        video.codec_context.color_range = ColorRange.MPEG
        sound = None if audio is None else container.add_stream("aac", AUDIO_RATE, layout="mono")

        graph = to_yuv420p(*size)
        for i, rgb in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(rgb, "rgb24")
            frame.pts, frame.time_base = i * FRAME_TICKS, TIME_BASE
            graph.vpush(frame)
            container.mux(video.encode(graph.vpull()))
        container.mux(video.encode())
        if sound is not None and audio is not None:
            samples = av.AudioFrame.from_ndarray(audio[None], "fltp", "mono")
            samples.sample_rate, samples.time_base = AUDIO_RATE, Fraction(1, AUDIO_RATE)
            samples.pts = 0  # lets the muxer cut off the encoder's delay
            container.mux(sound.encode(samples))
            container.mux(sound.encode())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent)
    folder = parser.parse_args().folder
    clean = [frame for shot in SHOTS for frame in render(shot)]
    write(folder / "kinescope_clean.mp4", clean, (WIDTH, HEIGHT), crf=20)
    write(folder / "kinescope.mp4", degrade(clean), (WIDTH // 2, HEIGHT // 2), crf=23, audio=tones())


if __name__ == "__main__":
    main()
