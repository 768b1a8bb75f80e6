"""Every kind of Postgres, created in CDK, imported, and by the YAML file: deployed, followed, unchanged, destroyed.

The tests build on each other, since a deployment costs seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.deployment.kinds import (
    Kinds,
    add_created,
    add_imported,
    every_kind,
    make_kinds,
    synthesize,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.deployment.conftest import Site


@pytest.fixture(scope="module")
def kinds(site: Site) -> Iterator[Kinds]:
    """Return the account with every kind of Postgres."""
    with make_kinds(site) as made:
        yield made


def test_a(kinds: Kinds) -> None:
    """x."""
    synthesize(kinds, every_kind(kinds), add_created, add_imported)
    import time
    t=time.time()
    kinds.site.cdk.deploy()
    print(time.time()-t)
    import json
    json.dump(kinds.site.emulator.control.calls(), open("/tmp/helpers/kinds-calls.json","w"))
    json.dump(kinds.logged("Imported","changed"), open("/tmp/helpers/kinds-log.json","w"))
    for s in ("Created", "Imported", "PgPrivateLink-kinds", "PgPrivateLink-fixed"):
        print(s, kinds.health(s))
    t=time.time()
    print(kinds.site.cdk.diff())
    print(time.time()-t)
    print(kinds.minute("Imported"))
    t=time.time()
    kinds.site.cdk.destroy()
    print(time.time()-t)
    assert 0
