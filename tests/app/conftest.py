"""The stack of a YAML file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aws_cdk import Stack

from pg_privatelink.app import PgPrivateLinkApp

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def stack(tmp_path: Path) -> Callable[[str], Stack]:
    """Make the only stack of a YAML file."""

    def make(text: str) -> Stack:
        path = tmp_path / "privatelink.yaml"
        path.write_text(text)
        app = PgPrivateLinkApp(configuration=path, outdir=str(tmp_path / "cdk.out"))
        made = app.node.find_child("PgPrivateLink-orders")
        assert isinstance(made, Stack)
        return made

    return make
