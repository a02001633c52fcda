"""Two users, each with a checkout, configuration and umask of their own, share the folders of results and work."""

import os
import shutil
import stat
from pathlib import Path
from tempfile import mkdtemp

import pandas as pd
import pytest

from workflow.media import make_clip
from workflow.project import Project, jobs, kill

GROUP = 4000
# Where PYTHONPATH leads to it, every Python begins with it: scripts whose name and output are those of a file stop,
# say so, and go on when it is gone.
HOLD = """
import os, sys, time
if len(sys.argv) > 1 and "RESTORATION_HOLD" in os.environ:
    script, output = os.path.basename(sys.argv[0]), os.path.basename(sys.argv[-1])
    hold = os.path.join(os.environ["RESTORATION_HOLD"], f"{script}.{output}")
    if os.path.exists(hold):
        open(f"{hold}.here", "w").close()
        while os.path.exists(hold):
            time.sleep(0.02)
"""

pytestmark = pytest.mark.skipif(
    os.getuid() != 0 or not shutil.which("setpriv"), reason="needs root, to be two other users"
)


class UsersProject(Project):
    """A project that belongs to a user, by whom snakemake is called; it may read, but not write, what is of others."""

    def __init__(self, root, user):
        super().__init__(root)
        self.user, self.shared, self.hold = user, root.parent / "shared", root / "hold"
        self.results, self.work = self.shared / "results", self.shared / "work"

    def command(self):
        reading = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
        user = ["setpriv", f"--reuid={self.user}", f"--regid={GROUP}", "--clear-groups", *reading]
        return [*user, "sh", "-c", 'umask 002 && exec "$0" "$@"', *super().command()]

    def environment(self):
        path = os.pathsep.join([str(self.hold), super().environment()["PYTHONPATH"]])
        ours = {
            "HOME": str(self.hold),
            "LOGNAME": str(self.user),
            "RESTORATION_HOLD": str(self.hold),
            "PYTHONPATH": path,
        }
        return super().environment() | ours

    def stop_at(self, *places):
        for place in places:
            (self.hold / place).touch()

    def stopped_at(self, place):
        return (self.hold / f"{place}.here").exists

    def go_on_at(self, place):
        (self.hold / place).unlink()


@pytest.fixture
def users():
    """Two of them, with the same manifest: one video of two chunks."""
    mask = os.umask(0)  # of what this process makes for them
    tmp_path = Path(mkdtemp())  # pytest's are for root alone
    tmp_path.chmod(0o755)
    first = Project.create(tmp_path / "first")
    make_clip(first.source("regular"), shots=(12, 12), pts=[3600 * i for i in range(24)], seed=5)
    shared = tmp_path / "shared"
    shared.mkdir()
    os.chown(shared, 0, GROUP)
    shared.chmod(0o2775)
    with first.config() as settings:
        settings |= {"results": str(shared / "results"), "work": str(shared / "work")}
    with first.manifest() as rows:
        rows[:] = [{"video": "both", "source": "sources/regular.mp4", "recipe": "tiny", "upscale": "off"}]
    first.copy(tmp_path / "second")
    found = []
    for number, name in enumerate(("first", "second"), start=4001):
        user = UsersProject(tmp_path / name, number)
        user.hold.mkdir()
        (user.hold / "sitecustomize.py").write_text(HOLD)
        (tmp_path / name / "runs").mkdir()
        for path in [tmp_path / name, *(tmp_path / name).rglob("*")]:
            os.chown(path, number, GROUP)
        found.append(user)
    yield found
    os.umask(mask)
    shutil.rmtree(tmp_path)


def modes(folder):
    """Everything in *folder* that its group cannot write, or that is not its."""
    return [
        path
        for path in [folder, *folder.rglob("*")]
        if not path.stat().st_mode & stat.S_IWGRP or path.stat().st_gid != GROUP
    ]


def owners(folder):
    return {path.stat().st_uid for path in folder.rglob("*") if path.is_file()}


def test_one_makes_a_chunk_again_that_the_other_reads(users):
    one, two = users
    chunks = {"frames.py.0000000-0000011.mkv", "frames.py.0000012-0000023.mkv"}
    encoding = "encode.py.both.mp4"
    two.stop_at(*chunks)
    one.stop_at(encoding)
    late = two.start()
    try:
        # Which comes first is a matter of chance.
        first = two.until(lambda: next(filter(lambda chunk: two.stopped_at(chunk)(), chunks), None), late)
        (second,) = chunks - {first}
        early = one.start()
        try:
            # The other has planned for what is made meanwhile.
            one.until(one.stopped_at(encoding), early)
            two.go_on_at(first)
            two.until(two.stopped_at(second), late)
            one.go_on_at(encoding)
            run = one.wait(early)
            assert run.code == 0, run.output
        finally:
            kill(early)
        two.go_on_at(second)
        run = two.wait(late)
        assert run.code == 0, run.output
    finally:
        kill(late)
    assert not modes(one.results) and not modes(one.work)
    assert len(owners(one.shared)) == 2
    assert not one.dry() and not two.dry()


def test_each_may_replace_what_the_other_made_and_keeps_the_others_rows(users):
    one, two = users
    one.run()
    with two.manifest() as rows:
        rows[:] = [{**rows[0], "video": "theirs"}, rows[0]]
    assert set(two.run("--forcerun", "encode")) > set(jobs("encode", "comparison", of=["both"]))
    assert (one.results / "both" / "both.mp4").stat().st_uid == two.user
    assert not one.dry()
    with one.manifest() as rows:
        rows[:] = [{**rows[0], "video": "ours", "source": "gone.mp4"}]
    assert one.snakemake().code == 1
    table = pd.read_csv(one.results / "summary.tsv", sep="\t", index_col="video", keep_default_na=False)
    assert table["status"].to_dict() == {"ours": "failed", "both": "done", "theirs": "done"}
    assert not modes(one.results) and not modes(one.work)
