"""Colour through the whole workflow: gray becomes coloured, luma stays, colour footage is left alone."""

import hashlib
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import av
import cv2
import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from media_factory import pictures
from restoration.models.deoldify import DeOldify
from workflow.project import REPOSITORY, Project

COUNT = 30


@pytest.fixture
def project(tmp_path):
    """Two gray shots, and a clip that has colour; chunks of 7 frames, lossless delivery."""
    project = Project.create(tmp_path)
    shutil.copytree(REPOSITORY / "config" / "weights", project.folder / "config" / "weights")
    sources = {
        "gray": pictures(COUNT, 160, 128, shots=2, gray=True),
        "coloured": pictures(12, 160, 128),
    }
    for name, frames in sources.items():
        write(project.source(name), frames)
    with project.config() as settings:
        settings["chunk_frames"] = 7
        settings["recipes"]["colour"] = {"colorize": {}, "encode": {"codec": "ffv1", "container": "mkv"}}
    with project.manifest() as rows:
        rows[:] = [{"video": name, "source": f"sources/{name}.mp4", "recipe": "colour"} for name in sources]
    return project


def write(path, frames):
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"qp": "0"})
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv444p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())


def read(path):
    with av.open(path) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def luma(frames):
    return np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2YUV)[..., 0] for frame in frames]).astype(int)


def test_colour(project):
    run = project.snakemake()
    assert run.code == 0, run.output
    assert "auto takes embedded-colorizer, because the weights of deoldify-video are not here" in run.output
    restored = {name: project.results / name / f"{name}.mkv" for name in ("gray", "coloured")}
    source, result = read(project.source("gray")), read(restored["gray"])
    assert np.ptp(result, axis=-1).mean() > np.ptp(source, axis=-1).mean() + 2
    assert np.abs(luma(result) - luma(source)).max() <= 1
    np.testing.assert_array_equal(read(restored["coloured"]), read(project.source("coloured")))
    assert "SKIPPED: frames 0 to 11 have colour already" in run.output
    assert not project.dry()

    # Other chunks, the same pictures.
    with project.config() as settings:
        settings["chunk_frames"] = 100
    project.run()
    np.testing.assert_array_equal(read(restored["gray"]), result)

    # Colour footage is coloured on demand.
    with project.manifest() as rows:
        rows[1]["colorize.force"] = "true"
    assert set(project.run()) == {
        f"{step} coloured" for step in ("colorize", "stabilize", "encode", "comparison", "measure", "judge")
    }
    forced, coloured = read(restored["coloured"]), read(project.source("coloured"))
    assert (forced != coloured).mean() > 0.5 and np.abs(luma(forced) - luma(coloured)).max() <= 1

    with project.manifest() as rows:
        rows[0]["colorize.render_factor"] = "10"
    jobs = project.dry()
    assert set(jobs) == {
        f"{step} gray" for step in ("colorize", "stabilize", "encode", "comparison", "measure", "judge")
    }


@pytest.fixture
def mirror(tmp_path):
    """A folder, and the address under which a server offers what is in it."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_deoldify_is_fetched_checked_converted_and_mixed(project, mirror, monkeypatch):
    folder, address = mirror
    monkeypatch.setenv("no_proxy", "*")
    torch.manual_seed(4)
    # As fastai's `learn.save` writes it: in the old format, with the state of an optimizer that is not to be run.
    saved = {"model": DeOldify(wide=False).state_dict(), "opt": {"function": partial(print, 1)}}
    torch.save(saved, folder / "good.pth", _use_new_zipfile_serialization=False)
    content = (folder / "good.pth").read_bytes()
    (folder / "wrong.pth").write_bytes(content[:-1] + b"x")
    registry = project.folder / "config" / "models.yaml"
    models = yaml.safe_load(registry.read_text())
    models["deoldify-artistic"] |= {
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "sources": [{"url": f"{address}/{name}.pth"} for name in ("gone", "wrong")],
    }
    registry.write_text(yaml.safe_dump(models))
    with project.config() as settings:
        settings["chunk_frames"] = 100
        mixed = {"model": "deoldify-artistic", "mix_with": "embedded-colorizer", "mix_weight": 0.5, "render_factor": 2}
        settings["recipes"]["colour"]["colorize"] = mixed
    with project.manifest() as rows:
        rows[:] = rows[:1]

    run = project.snakemake()
    assert run.code != 0
    assert "NOTICE: colorize uses deoldify-artistic, whose weights are not here and will be fetched" in run.output
    for name in ("gone", "wrong"):
        assert f"deoldify-artistic: {address}/{name}.pth: " in run.output
    assert "put it at weights/downloads/deoldify-artistic.fastai; it will be verified and used" in run.output
    assert not list((project.folder / "weights").glob("deoldify*.safetensors"))

    models["deoldify-artistic"]["sources"].append({"url": f"{address}/good.pth"})
    registry.write_text(yaml.safe_dump(models))
    project.run()
    result = read(project.results / "gray" / "gray.mkv")
    source = read(project.source("gray"))
    assert np.abs(luma(result) - luma(source)).max() <= 1
    assert np.ptp(result, axis=-1).mean() > np.ptp(source, axis=-1).mean() + 2


def test_hints(project):
    """Reference pictures and points steer gray shots, whatever the chunks; changing them does not colorize again."""
    with project.manifest() as rows:
        rows[0]["colorize.hints"] = "hints/gray.yaml"
        rows[1]["colorize.palette"] = "warm"
    with project.config() as settings:
        settings["palettes"] = {"warm": ["hints/warm.png"]}
    folder = project.folder / "hints"
    folder.mkdir()
    Image.fromarray(np.full((40, 40, 3), (190, 120, 60), np.uint8)).save(folder / "warm.png")
    Image.fromarray(np.full((40, 40, 3), (50, 90, 200), np.uint8)).save(folder / "cold.png")
    points = [{"frame": 20, "x": 80, "y": 64, "colour": "#30c030", "radius": 30}]
    (folder / "gray.yaml").write_text(yaml.safe_dump({"references": ["cold.png"], "points": points}))
    project.run()
    restored = {name: project.results / name / f"{name}.mkv" for name in ("gray", "coloured")}
    source, result = read(project.source("gray")), read(restored["gray"])
    assert np.abs(luma(result) - luma(source)).max() <= 1
    red, green, blue = (result[..., channel].astype(float).mean() for channel in range(3))
    assert blue > green > red
    near = result[20, 60:68, 76:84].reshape(-1, 3).astype(float).mean(axis=0)
    assert near[1] == near.max()
    # Colour footage is not steered either.
    np.testing.assert_array_equal(read(restored["coloured"]), read(project.source("coloured")))
    assert not project.dry()

    with project.config() as settings:
        settings["chunk_frames"] = 100
    project.run()
    np.testing.assert_array_equal(read(restored["gray"]), result)

    (folder / "gray.yaml").write_text(yaml.safe_dump({"references": ["warm.png"]}))
    jobs = project.dry()
    assert {job.split()[0] for job in jobs if job.endswith("gray")} == {
        *("hints", "steer", "stabilize", "encode", "comparison", "measure", "judge")
    }
    assert not [job for job in jobs if job.endswith("coloured")]

    # Another picture under the same name is another hint; one that is missing is a mistake.
    Image.fromarray(np.full((40, 40, 3), (60, 60, 60), np.uint8)).save(folder / "warm.png")
    assert [job for job in project.dry() if job.endswith("coloured")]
    (folder / "warm.png").unlink()
    run = project.snakemake("--dry-run")
    assert run.code == 1 and "reference image hints/warm.png: no such file" in run.output


def test_black_borders_stay_black(project):
    gray = read(project.source("gray"))
    gray[:, :, :32] = gray[:, :, -32:] = 3
    write(project.source("gray"), gray)
    project.run()
    result = read(project.results / "gray" / "gray.mkv")
    bars = np.concatenate([result[:, :, :31], result[:, :, -31:]], axis=2)
    assert np.ptp(bars, axis=-1).max() <= 1
    assert np.ptp(result[:, :, 40:120], axis=-1).mean() > 5
