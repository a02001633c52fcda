"""Versions that are told are those that run here."""

import platform
import subprocess

import numpy

from restoration.provenance import software as module
from restoration.version import VERSION


def test_versions_are_told():
    told = module.software()
    assert (told["restoration"], told["python"], told["numpy"]) == (
        VERSION, platform.python_version(), numpy.__version__
    )  # fmt: skip
    assert platform.node() not in told.values()


def test_a_commit_is_told_of_what_belongs_to_a_repository_and_of_nothing_else(tmp_path, monkeypatch):
    def git(*arguments):
        who = ["-c", "user.name=a", "-c", "user.email=a@x.example"]
        subprocess.run(["git", "-C", tmp_path, *who, *arguments], check=True, capture_output=True)

    package = tmp_path / "restoration"
    package.mkdir()
    (package / "__init__.py").write_text("")
    monkeypatch.setattr(module, "PACKAGE", package)
    assert "commit" not in module.software()
    git("init")
    (tmp_path / "theirs").write_text("")
    git("add", "theirs")
    git("commit", "-m", "Theirs")
    assert "commit" not in module.software(), "that of a repository in which this project only lies"
    git("add", ".")
    git("commit", "-m", "Ours")
    commit = module.software()["commit"]
    assert len(commit) == 40
    (package / "__init__.py").write_text("changed")
    assert module.software()["commit"] == f"{commit}+"
