"""Files are called what they are called."""

import shutil

from workflow.media import frames, make_clip
from workflow.project import Project

NAMES = [
    "two words 'single' \"double\" $(touch made-by-the-shell) `touch made-by-the-shell`.mp4",
    "-leading dash.mp4",
    "{video} {braces} {.mp4",
    "%05d per%20cent.mp4",
    "12:30.mp4",
    "ünï文.mp4",
    "glob[0-9]*?.mp4",
    "back\\slash.mp4",
    "new\nline.mp4",
    "long" * 50 + ".mp4",
]


def test_any_file_name_works(tmp_path):
    project = Project.create(tmp_path)
    make_clip(project.source("plain"), shots=(4,), pts=[3600 * i for i in range(4)], seed=1)
    for name in NAMES:
        shutil.copy(project.source("plain"), project.folder / name)
    with project.manifest() as rows:
        rows[:] = [
            rows[0] | {"video": f"v{number}", "source": name, "upscale": "off"} for number, name in enumerate(NAMES)
        ]
    project.run()
    for number in range(len(NAMES)):
        assert len(frames(project.restored(f"v{number}"))[1]) == 4
    assert not list(project.folder.rglob("made-by-the-shell"))
