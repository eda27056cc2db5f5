"""Which code runs: the package's version, its commit, and the hash of its lock file."""

import hashlib
import os
import subprocess
from importlib.metadata import version
from pathlib import Path

from retrain.registry import CodeIdentity

_ROOT = Path(__file__).resolve().parents[1]
_SECONDS = 10
DIRTY = "+dirty"


def code_identity(commit: str | None, root: Path = _ROOT) -> CodeIdentity:
    """Who we are: `commit` where somebody says it, else what the work tree says that `root` is.

    An installed package lies in no work tree of its own, and has no lock file beside it.
    """
    lock = root / "uv.lock"
    return CodeIdentity(
        version("tonnage"),
        _commit_of(root) if commit is None else commit,
        hashlib.sha256(lock.read_bytes()).hexdigest() if lock.is_file() else "",
    )


def _commit_of(root: Path) -> str:
    """The commit of a work tree, marked where files differ from it; empty where nobody can tell."""
    # Somebody else's repository around an installed package says nothing about it.
    if not (root / ".git").exists():
        return ""
    commit = _git(root, "rev-parse", "HEAD")
    if not commit:
        return ""
    return commit + (DIRTY if _git(root, "status", "--porcelain", "--untracked-files=no") else "")


def _git(root: Path, *arguments: str) -> str:
    # Inside a hook, git's own variables name another work tree.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        said = subprocess.run(  # noqa: S603  # our own arguments
            ["git", "-C", str(root), *arguments],  # noqa: S607  # wherever it is installed
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
            env=environment,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return said.stdout.strip() if said.returncode == 0 else ""
