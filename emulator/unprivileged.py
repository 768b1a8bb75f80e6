"""Programs that refuse to run as root, run from root all the same: in a user namespace, or as another user.

PostgreSQL is one. Where we are not root, nothing is done. Where we are, a user namespace in which root appears as user
1000 needs no change of owners; where those are forbidden, as in many containers, the program runs as `nobody` from a
copy in a place that everybody may read, since a user's own folders are mostly closed to others.
"""

from __future__ import annotations

import atexit
import os
import shutil
import stat
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
_NOBODY = 65534


@cache
def is_root() -> bool:
    """Tell whether this process is root."""
    return os.geteuid() == 0


@cache
def may_use_namespaces() -> bool:
    """Tell whether a user namespace can be made here."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*_NAMESPACE, "true"], capture_output=True, check=False).returncode == 0


class ClosedFolderError(Exception):
    """Programs are to work in a folder that the user they run as cannot reach."""


class Unprivileged:
    """Runs the programs of one installation as a user who is not root.

    Args:
        installation: The folder with `bin` and what it needs.
        namespaces: Whether to use a user namespace where we are root (default: if one can be made).
    """

    def __init__(self, installation: Path, *, namespaces: bool | None = None) -> None:
        self._namespace = is_root() and (may_use_namespaces() if namespaces is None else namespaces)
        self._as_nobody = is_root() and not self._namespace
        self._installation = _copy(installation) if self._as_nobody else installation

    def program(self, name: str) -> str:
        """Return the path of one of the programs."""
        return str(self._installation / "bin" / name)

    def popen(self, command: Sequence[str], **how: Any) -> subprocess.Popen[bytes]:  # noqa: ANN401 - subprocess.Popen's
        """Start a command; `how` is what subprocess.Popen takes."""
        prefix = _NAMESPACE if self._namespace else ()
        if self._as_nobody:
            how |= {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
        return subprocess.Popen([*prefix, *command], cwd="/", **how)

    def make(self, folder: Path) -> None:
        """Make a folder that the programs own, if it is not there.

        Raises:
            ClosedFolderError: They could not reach it: one above it is closed to others.
        """
        if self._as_nobody and (closed := closed_to_others(folder.parent)) is not None:
            raise ClosedFolderError(
                "PostgreSQL does not run as root; it runs as 'nobody' here, where no user namespace can be made, but "
                f"{closed} is closed to other users. Open it to them (chmod o+x {closed}), use a checkout elsewhere, "
                "or run this as a user who is not root"
            )
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._as_nobody:
            os.chown(folder, _NOBODY, _NOBODY)

    def write(self, file: Path, text: str) -> None:
        """Write a file that the programs can read."""
        file.write_text(text)
        if self._as_nobody:
            os.chown(file, _NOBODY, _NOBODY)


def closed_to_others(folder: Path) -> Path | None:
    """Return the topmost of a folder and those above it that other users may not pass; None if there is none.

    Those that are not there yet do not count.
    """
    above = [folder, *folder.parents][::-1]
    return next((each for each in above if each.exists() and not each.stat().st_mode & stat.S_IXOTH), None)


@cache
def _copy(installation: Path) -> Path:
    """Copy an installation, with the libraries that its wheel keeps beside the package, to where everybody may read."""
    place = Path(tempfile.mkdtemp(prefix="postgres-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    place.chmod(0o755)
    package = installation.parent
    shutil.copytree(installation, place / package.name / installation.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, place / libraries.name)
    return place / package.name / installation.name
