"""Running emulators, one of each kind for all tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.running import Emulator
from tools.install import install_tools


@pytest.fixture(scope="session")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[bool, bool], Emulator]]:
    """Emulators by (stock, authorization), started when first asked for."""
    install_tools()
    running = _Emulators(tmp_path_factory.mktemp("emulators"))
    yield running
    for emulator in running.values():
        emulator.stop()


class _Emulators(dict[tuple[bool, bool], Emulator]):
    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def __missing__(self, kind: tuple[bool, bool]) -> Emulator:
        stock, authorization = kind
        emulator = Emulator(self._folder / f"{len(self)}", stock=stock, authorization=authorization)
        emulator.start()
        self[kind] = emulator
        if not stock:
            # Rules are about what happens, not about how long it takes: the shortest delays that leave an order.
            emulator.control.set(health_check_interval_scale=0.01, drain_scale=0.01, failover_seconds=0.1)
            emulator.control.set(metric_period_scale=0.01)
        return emulator


@pytest.fixture
def extended(emulators: dict[tuple[bool, bool], Emulator]) -> Emulator:
    """The emulator with this project's extension."""
    return emulators[False, False]
