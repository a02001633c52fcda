"""Another engine runs the networks: the same pictures, from the same files."""

import numpy as np

from restoration.media.chunks import read_chunk


def test_openvino(project):
    chunks = {
        chunk: np.stack(list(read_chunk(chunk))).astype(int) for chunk in project.chunks("regular/upscale.*/*.mkv")
    }
    for chunk in chunks:
        chunk.unlink()
    project.restored("regular").unlink()
    made = project.run("--config", "engine=auto")
    assert made["upscale regular"] == len(chunks) == 3
    for chunk, expected in chunks.items():
        log = project.folder / "logs" / chunk.relative_to(project.work).with_suffix(".log")
        assert "OpenVINO" in log.read_text()
        assert np.abs(np.stack(list(read_chunk(chunk))) - expected).max() <= 1
    assert len(list(project.folder.glob("weights/*.openvino"))) == 1
    assert not project.dry()
