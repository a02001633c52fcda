"""Another engine runs the networks: the same pictures, from the same files."""

import numpy as np

from restoration.media.chunks import read_chunk


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
