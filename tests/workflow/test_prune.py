"""`snakemake prune` finds what no setting names any more, and nothing else."""

import re


def files(project):
    """Intermediates and their times, without logs."""
    found = (path.relative_to(project.folder) for path in project.work.rglob("*") if path.is_file())
    return {path: (project.folder / path).stat().st_mtime_ns for path in found if path.parts[1] != "logs"}


def listed(run):
    """Size and path in every line that has both."""
    assert run.code == 0, run.output
    return {path: size for size, path in re.findall(r"^ *([\d.]+ [kM]?B)  (work/\S+)$", run.output, re.MULTILINE)}


def test_prune(finished, retiled_project):
    project = retiled_project
    of_first_tile = {path for path in files(finished.project) if path.parent.name.startswith("upscale.")}
    remains = next(project.work.glob("regular/frames.*")) / ".0123456789ab.part.mkv"
    remains.write_bytes(bytes(1000))
    before = files(project)

    sizes = listed(project.snakemake("prune"))
    assert files(project) == before
    folders = {str(path.parent) for path in of_first_tile}
    assert len(folders) == 2
    assert set(sizes) == folders | {str(remains.relative_to(project.folder))}
    assert sizes[str(remains.relative_to(project.folder))] == "1 kB"

    assert listed(project.snakemake("prune", "--config", "delete=true")) == sizes
    left = files(project)
    assert left == {
        path: time for path, time in before.items() if path not in of_first_tile and ".part" not in str(path)
    }
    assert not any((project.folder / folder).exists() for folder in folders)
    assert not project.dry()
    assert not listed(project.snakemake("prune"))


def test_prune_finds_removed_videos(project):
    with project.manifest() as rows:
        rows.pop()
    # The old plan is of the videos as they were.
    sizes = listed(project.snakemake("prune"))
    assert sizes.pop("work/irregular")
    assert len(sizes) == 1 and next(iter(sizes)).startswith("work/plan.")
