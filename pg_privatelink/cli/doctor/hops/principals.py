"""Who may make an endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pg_privatelink.cli.doctor.facts import known
from pg_privatelink.cli.doctor.finding import ok, problem
from pg_privatelink.cli.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pg_privatelink.cli.doctor.facts import Facts
    from pg_privatelink.cli.doctor.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Everybody whom the stack admits is admitted, and there is somebody."""
    principals = known(facts.principals)
    expected = [] if isinstance(facts.template, Problem) else facts.template.principals()
    missing = [each for each in expected if each not in principals]
    if missing:
        yield problem(
            f"{', '.join(missing)} may not make an endpoint, though the stack admits {_them(missing)}",
            "somebody took the permission away; give it back (to the account that asks, the service does not exist)",
            facts.aws(
                f"ec2 modify-vpc-endpoint-service-permissions --service-id {facts.service.id} "
                f"--add-allowed-principals {' '.join(missing)}"
            ),
        )
    elif not principals:
        yield problem(
            "nobody may make an endpoint: the service has no principal",
            "name your consumer under 'consumers' in privatelink.yaml and deploy: npx cdk deploy --all",
        )
    if isinstance(facts.template, Problem):
        raise facts.template
    if principals and not missing:
        yield ok(f"may make an endpoint: {', '.join(principals)}")


def _them(names: list[str]) -> str:
    return "it" if len(names) == 1 else "them"
