"""Whole jobs of this project and of others, each a process of its own, in a temporary folder."""

import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import yaml
from measuring import DEMO, ENGINES, PRECISIONS, ROOT, read, spend

from restoration.frames import Frame
from restoration.media.chunks import write_chunk
from restoration.pipeline.configuration import Configuration
from restoration.pipeline.cost import Cost
from restoration.pipeline.plan import Span

LOOPS = Path(__file__).parent / "loops.py"
REGISTRY = ROOT / "config" / "models.yaml"
WORKFLOW = ROOT / "workflow"
SCALE = 4
CRF, PRESET = "23", "medium"
"""x264's own defaults, which inference_realesrgan_video.py leaves as they are."""
FRAMELIFT = {
    "realesr-animevideov3-fp16": ("realesr-animevideov3", "realesr-animevideov3.pth"),
    "RealESRGAN_x4plus-fp16": ("realesrgan-x4plus", "RealESRGAN_x4plus.pth"),
    "RealESRGAN_x4plus_anime_6B-fp16": ("realesrgan-x4plus-anime-6B", "RealESRGAN_x4plus_anime_6B.pth"),
}
"""What framelift calls a network, and the file that it looks for."""
INSTALL_FRAMELIFT = "pip install --no-deps -r requirements-bench.txt"


@dataclass(frozen=True)
class Clip:
    """The same *frames* as a video and, losslessly, as our chunk."""

    video: Path
    chunk: Path
    frames: int


class Jobs:
    """What it takes to run jobs with one network of super-resolution, in *folder*."""

    def __init__(self, folder: Path, model: str, threads: int) -> None:
        self.folder, self.model, self.threads = folder, model, threads
        self.official = folder / "official" / FRAMELIFT.get(model, (model, f"{model}.pth"))[1]
        self._runs = 0
        encode = {"crf": int(CRF), "preset": PRESET}
        for precision in PRECISIONS:
            upscale = {"model": model, "outscale": SCALE, "precision": precision}
            settings = {
                "manifest": str(folder / "manifest.tsv"),
                "models": str(REGISTRY),
                "threads": threads,
                "recipes": {"bench": {"upscale": upscale, "encode": encode}},
            }
            (folder / f"{precision}.yaml").write_text(yaml.safe_dump(settings))
        # A first run makes what all others find beside their work.
        self.workflow(self.clip("first", read(DEMO, 1)), ENGINES[-1], "fp32")
        self.configured = {
            precision: Configuration(yaml.safe_load((folder / f"{precision}.yaml").read_text()), WORKFLOW)
            for precision in PRECISIONS
        }
        self.weights = folder / self.configured["fp32"].networks.weights(model)
        self.official.parent.mkdir()
        self._spend([LOOPS, "save", model, self.weights, self.official])

    def clip(self, name: str, frames: Iterable[Frame]) -> Clip:
        """A new clip of these *frames*, without loss beyond that of its colours' resolution."""
        video = self.folder / f"{name}.mp4"
        count = write_video(video, frames, {"crf": "0", "preset": "veryfast"})
        chunk = self.folder / name / f"{Span(0, count - 1)}.mkv"
        chunk.parent.mkdir()
        # As the official loop and framelift see them: decoded.
        write_chunk(chunk, read(video), expected=count)
        return Clip(video, chunk, count)

    def job(self, clip: Clip, engine: str, precision: str) -> tuple[Cost, Path]:
        """Our upscaling of a chunk into a chunk, as Snakemake calls it."""
        target = self._target() / clip.chunk.name
        configuration = self.configured[precision]
        command = [WORKFLOW / "scripts" / "upscale.py", "--video", "clip"]
        # Settings, of which the source is none.
        command += ["--spec", configuration.spec("clip", "upscale")]
        command += ["--weights", self.weights, "--device", "cpu", "--engine", engine, "--threads", self.threads]
        command += ["--batch", configuration.settings["batch"], "--input", clip.chunk, target]
        return self._spend(command)[0], target

    def workflow(self, clip: Clip, engine: str, precision: str) -> tuple[Cost, Path]:
        """The whole workflow, from the file to the delivered file; its intermediates lie in `work` beside `results`."""
        folder = self._target()
        self._list(clip.video)
        options = [f"{name}={folder / name}" for name in ("work", "logs", "results")]
        cost = self._snakemake(precision, "--config", f"engine={engine}", *options)
        return cost, folder / "results" / "clip" / "clip.mp4"

    def official_loop(self, clip: Clip) -> tuple[Cost, Path]:
        """Real-ESRGAN's own way: decode, enhance, encode, one frame after the other."""
        target = self._target() / "result.mp4"
        command = [LOOPS, "official", self.model, self.official, clip.video, target, "--threads", self.threads]
        return self._spend(command)[0], target

    def framelift(self, clip: Clip, backend: str) -> tuple[Cost, Path]:
        """The command line of framelift-video, its picture as it comes from the network."""
        import imageio_ffmpeg

        target = self._target() / "result.mp4"
        command = ["-m", "framelift", "-i", clip.video, "-o", target, "--no-audio", "--quiet"]
        command += ["--model", FRAMELIFT[self.model][0], "--scale", SCALE, "--ai-strength", 1, "--tile", 0]
        command += ["--crf", CRF, "--x264-preset", PRESET, "--device", "cpu", "--backend", backend]
        command += ["--torch-threads", self.threads, "--weights-dir", self.official.parent]
        # It asks for a program of just this name.
        (ffmpeg := self.folder / "ffmpeg").unlink(missing_ok=True)
        ffmpeg.symlink_to(imageio_ffmpeg.get_ffmpeg_exe())
        path = f"{self.folder}{os.pathsep}{os.environ['PATH']}"
        return self._spend(command, {"PATH": path})[0], target

    def bare(self, clip: Clip, engine: str, precision: str) -> Cost:
        """What a frame takes in the engine alone: no codec, no process to start, pictures in memory."""
        command = [LOOPS, "bare", self.model, self.weights, clip.video, "--threads", self.threads]
        _, said = self._spend([*command, "--engine", engine, "--precision", precision])
        return Cost(float(said.split()[-1]), 0)

    def has_framelift(self) -> bool:
        """Whether it is installed, and knows the network."""
        return self.model in FRAMELIFT and all(map(importlib.util.find_spec, ("framelift", "imageio_ffmpeg")))

    def _target(self) -> Path:
        self._runs += 1
        folder = self.folder / "runs" / f"{self._runs}"
        folder.mkdir(parents=True)
        return folder

    def _spend(self, command: list[Any], environment: dict[str, str] | None = None) -> tuple[Cost, str]:
        environment = {"PYTHONPATH": str(ROOT / "src")} | (environment or {})
        return spend([sys.executable, *command], self.folder, environment)

    def _snakemake(self, precision: str, *arguments: Any) -> Cost:
        command = ["-m", "snakemake", *arguments, "--configfile", self.folder / f"{precision}.yaml"]
        command += ["-s", ROOT / "Snakefile", "--workflow-profile", ROOT / "profiles" / "default"]
        return self._spend([*command, "--cores", self.threads])[0]

    def _list(self, source: Path) -> None:
        (self.folder / "manifest.tsv").write_text(f"video\tsource\trecipe\nclip\t{source}\tbench\n")


@contextmanager
def jobs(model: str, threads: int) -> Iterator[Jobs]:
    """Jobs in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        yield Jobs(Path(folder), model, threads)


def write_video(path: Path, frames: Iterable[Frame], options: dict[str, str]) -> int:
    """Encode by x264; how many frames there were."""
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(24000, 1001), options=options)
        stream.pix_fmt = "yuv420p"
        count = 0
        for count, frame in enumerate(frames, start=1):  # noqa: B007 (told to the caller)
            if not stream.codec_context.is_open:
                stream.height, stream.width = frame.shape[:2]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return count
