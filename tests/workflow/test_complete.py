"""A run that ends well has made everything."""

import shutil
from base64 import urlsafe_b64encode

import pandas as pd


def test_a_whole_file_of_a_job_that_was_killed_hides_nothing_behind_it(project):
    with project.stage("upscale") as upscale:
        upscale["outscale"] = 3
    weights = next((project.folder / "weights").glob("*.safetensors"))
    # As Snakemake notes that a job is at work, and a killed one leaves it.
    name = urlsafe_b64encode(str(weights.relative_to(project.folder)).encode()).decode()
    (project.folder / ".snakemake" / "incomplete" / name).touch()
    jobs = project.run()
    assert jobs["weight"] == 1 and jobs["upscale regular"] and jobs["encode irregular"]
    assert not project.dry()


def test_weights_that_are_fetched_again_change_nothing(project):
    shutil.rmtree(project.folder / "weights")
    assert not project.dry()
    assert set(project.run("weights")) == {"weight", "weights"}
    assert project.run() == {"plan": 1}
    assert not project.dry()


def test_a_result_that_nobody_made_is_named(project):
    project.edit("Snakefile", "in ALL_RESULTS]", "in [files[0] for files in RESULTS_OF.values()]]")
    (project.results / "regular" / "comparison.png").unlink()
    shutil.rmtree(project.results / "irregular")
    run = project.snakemake()
    assert run.code == 1
    assert "the run ended without results/regular/comparison.png, results/irregular/irregular.provenance.json, " in (
        run.output
    )
    assert "results/irregular/comparison.png" in run.output
    # Who asks for less gets less.
    project.run("weights")


def test_the_summary_says_why(project):
    chunk = next(project.work.glob("regular/frames.*/*.mkv"))
    content = bytearray(chunk.read_bytes())
    content[len(content) // 2] ^= 255
    chunk.write_bytes(content)
    restored = next(project.work.glob(f"regular/upscale.*/{chunk.name}"))
    restored.unlink()
    shutil.rmtree(project.results / "regular")
    run = project.snakemake()
    assert run.code == 1
    log = f"logs/regular/{restored.parent.name}/{restored.stem}.log"
    assert f"  regular: failed ({log}): {chunk.relative_to(project.folder)}: " in run.output
    index = (project.results / "index.html").read_text()
    assert 'href="irregular/irregular.html"' in index and 'href="regular/regular.html"' not in index
    assert str(chunk.relative_to(project.folder)) in index


def test_a_part_is_restored_alone_and_the_summary_keeps_the_others(project):
    shutil.rmtree(project.results / "irregular")
    shutil.rmtree(project.work)
    assert not [job for job in project.run("--config", "part=2/2") if job.endswith(" regular")]
    assert project.restored("irregular").exists()
    summary = pd.read_csv(project.results / "summary.tsv", sep="\t", index_col="video")
    assert summary["status"].to_dict() == {"regular": "done", "irregular": "done"}
    assert not project.dry("--config", "part=2/2")
