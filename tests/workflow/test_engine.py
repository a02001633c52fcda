"""Another engine runs the networks: the same pictures, from the same files."""

from collections import Counter

import numpy as np

from restoration.media.chunks import read_chunk
from workflow.project import jobs


def test_both_give_the_same(project):
    chunks = {
        chunk: np.stack(list(read_chunk(chunk))).astype(int) for chunk in project.chunks("regular/upscale.*/*.mkv")
    }
    (prepared,) = project.folder.glob("weights/*.openvino")
    for engine in ("torch", "auto"):
        for file in (*chunks, project.restored("regular"), *([prepared] if engine == "auto" else [])):
            file.unlink()
        made = project.run("--config", f"engine={engine}")
        assert made["upscale regular"] == len(chunks) == 3
        for chunk, expected in chunks.items():
            log = project.folder / "logs" / chunk.relative_to(project.work).with_suffix(".log")
            assert ("OpenVINO" in log.read_text()) == (engine == "auto")
            assert np.abs(np.stack(list(read_chunk(chunk))) - expected).max() <= 1
    assert prepared.exists(), "made by the first job that misses it"
    assert not project.dry()
    assert not project.dry("--config", "engine=torch")


def test_a_draft_in_int8(project):
    chunk = min(project.chunks("irregular/upscale.*/*.mkv"))
    expected = np.stack(list(read_chunk(chunk))).astype(int)
    with project.manifest() as rows:
        rows[1]["upscale.precision"] = "int8"
    made = project.run()
    again = jobs("upscale", "encode", "comparison", of=("irregular",))
    assert made == again + Counter({"quantize irregular": 1})
    (log,) = project.folder.glob("logs/irregular/quantize.*.log")
    assert "int8 is a draft" in log.read_text()
    (draft,) = (other for other in project.chunks(f"irregular/upscale.*/{chunk.name}") if other != chunk)
    error = np.square(np.stack(list(read_chunk(draft))) - expected).mean()
    assert 0 < error < 255**2 / 10**3, "30 dB"
    assert not project.dry()
