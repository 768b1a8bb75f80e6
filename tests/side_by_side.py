"""How pytest-xdist deals the tests to its processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    import pytest
    from xdist.remote import Producer

# Where a fixture of the whole session is dear: a folder, and the files in it that have a deployment of their own.
_TOGETHER = {"tests/cli": ("test_doctor_faults.py",)}


class ByFile(LoadScopeScheduling):
    """Deals whole files, in the order in which they were collected."""

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        folder, _, name = path.rpartition("/")
        return path if name in _TOGETHER.get(folder, (name,)) else folder
