"""Which code runs, told by a work tree, by whoever installed it, or by nobody."""

import hashlib
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from tonnage.code_identity import code_identity


def git(root: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    said = subprocess.run(
        ["git", "-C", str(root), *identity, *arguments], check=True, capture_output=True, text=True
    )
    return said.stdout.strip()


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A work tree with one commit."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    root = tmp_path / "tree"
    root.mkdir()
    git(root, "init", "--quiet")
    (root / "uv.lock").write_text("locked\n")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", "first")
    return root


def test_a_work_tree_tells_its_commit_and_its_lock_file(tree: Path) -> None:
    found = code_identity(None, tree)
    assert found.version == version("tonnage")
    assert found.commit == git(tree, "rev-parse", "HEAD")
    assert found.lock == hashlib.sha256(b"locked\n").hexdigest()


def test_files_that_differ_from_the_commit_are_told(tree: Path) -> None:
    (tree / "uv.lock").write_text("other\n")
    assert code_identity(None, tree).commit == git(tree, "rev-parse", "HEAD") + "+dirty"
    git(tree, "checkout", "--quiet", "--", "uv.lock")
    (tree / "forecast.csv").write_text("left here\n")
    assert code_identity(None, tree).commit == git(tree, "rev-parse", "HEAD")


def test_whoever_installed_it_knows_better(tree: Path) -> None:
    assert code_identity("0123abc", tree).commit == "0123abc"
    assert code_identity("", tree).commit == ""


def test_somebody_elses_repository_around_a_package_says_nothing(tree: Path) -> None:
    packages = tree / ".venv/site-packages"
    packages.mkdir(parents=True)
    found = code_identity(None, packages)
    assert (found.commit, found.lock) == ("", "")


def test_a_hooks_variables_name_no_other_tree(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = git(tree, "rev-parse", "HEAD")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    assert code_identity(None, tree).commit == expected


def test_without_git_nobody_can_tell(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert code_identity(None, tree).commit == ""
