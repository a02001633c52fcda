"""Several files from the same restored frames."""

from collections import Counter

import av

from workflow.media import frames, packets
from workflow.project import CLIPS


def test_a_copy_is_encoded_and_nothing_else(project):
    with project.config() as settings:
        settings["recipes"]["tiny"]["copies"] = {"master": {"codec": "ffv1", "container": "mkv"}}
    assert project.run() == Counter(f"{rule} {video}" for rule in ("encode", "provenance", "page") for video in CLIPS)
    for video in CLIPS:
        master = project.results / video / f"{video}.master.mkv"
        assert master.with_name(f"{master.name}.delivery.json").exists()
        access = [pts for pts, _ in frames(project.restored(video))[1]]
        assert len(packets(master, "video")) == len(access)
        assert [data for _, data in packets(master, "audio")] == [
            data for _, data in packets(project.source(video), "audio")
        ]
        with av.open(master) as container:
            assert container.streams.video[0].codec_context.name == "ffv1"
    assert not project.dry()
