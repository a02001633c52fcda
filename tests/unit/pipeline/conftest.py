"""A small project in a folder of its own, as a user would write it."""

from pathlib import Path

import pytest
import yaml

from restoration.pipeline.configuration import Configuration

WORKFLOW = Path(__file__).parents[3] / "workflow"


def model(number, **more):
    return {
        "task": "upscale",
        "scale": 4,
        "licence": "MIT",
        "format": "pth",
        "bytes": 1,
        "sha256": str(number) * 64,
        "sources": [{"file": "x.pth"}],
    } | more


class Project:
    """Writes manifest, registry and sources into the current folder; `configuration()` reads them."""

    def __init__(self):
        self.workflow = WORKFLOW
        self.config = {
            "manifest": "manifest.tsv",
            "models": "models.yaml",
            "recipes": {
                "film": {"upscale": {"model": "small", "outscale": 2}, "encode": {"crf": 20}},
                "copy": {},
            },
        }
        self.models = {"small": model(1), "large": model(2), "realesr-animevideov3-fp16": model(3)}
        self.rows("a\ta.mp4\tfilm", "b\tb.mp4\tfilm", "c\tc.mp4\tcopy")
        for name in "abc":
            Path(f"{name}.mp4").write_bytes(name.encode() * 1000)

    def rows(self, *rows, columns="video\tsource\trecipe"):
        Path("manifest.tsv").write_text("\n".join([columns, *rows]) + "\n")

    def configuration(self):
        Path("models.yaml").write_text(yaml.safe_dump(self.models))
        return Configuration(self.config, self.workflow)

    def keys(self, *videos):
        """Every key of every step of *videos*, or of all, by video and step."""
        configuration = self.configuration()
        return {
            (video, step): configuration.key(video, step)
            for video in videos or configuration.videos
            for step in configuration.videos[video].steps
        }


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Project()
