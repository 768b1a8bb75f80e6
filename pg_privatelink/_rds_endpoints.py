"""Which endpoint of RDS a name is: the file must not say one thing and the name another.

Names outside rds.amazonaws.com (a CNAME of the user's) tell nothing and pass. For DB instances see
`check_rds_instance_endpoint`.
"""

from __future__ import annotations

import re

from constructs_pg.errors import PostgresEndpointServiceError
from pg_privatelink._fields import READER, WRITER

# "Amazon Aurora endpoint connections" and "Working with Amazon RDS Proxy endpoints" in the Aurora user guide.
# The writer endpoint of a global database has no Region: it passes.
_ENDPOINT = re.compile(
    r"(?P<name>[^.]+)\.(?P<added>endpoint\.)?(?P<kind>cluster-ro-|cluster-custom-|cluster-|proxy-|)[^.]+"
    r"\.(?P<region>(?!global\.)[^.]+)\.rds\.amazonaws\.com"
)
_ROLES = {"cluster-": WRITER, "cluster-ro-": READER}
_SPELLED = {WRITER: ".cluster-", READER: ".cluster-ro-"}
_KINDS = {
    "": "a DB instance",
    "cluster-": "a DB cluster",
    "cluster-ro-": "a DB cluster",
    "cluster-custom-": "a DB cluster",
    "proxy-": "an RDS Proxy",
}


def check_rds_cluster_endpoint(endpoint: str, *, identifier: str, role: str, region: str | None) -> str:
    """Require that an endpoint is the one of a DB cluster that its role needs.

    Args:
        endpoint: The host name to follow, normalised.
        identifier: The DB cluster's identifier, in lower case.
        role: `WRITER` or `READER`.
        region: The Region of the endpoint service; `None` if not known.
    """
    parts = _ENDPOINT.fullmatch(endpoint)
    if parts is None:
        return endpoint
    kind = parts["kind"]
    wanted = f"give the {role} endpoint of DB cluster '{identifier}' ({_SPELLED[role]})"
    problems: list[str] = []
    if kind == "cluster-custom-":
        problems.append(f"endpoint {endpoint} is a custom one, whose members can have either role: {wanted}")
    elif kind not in _ROLES:
        problems.append(f"endpoint {endpoint} is that of {_KINDS[kind]}: {wanted}")
    else:
        actual = _ROLES[kind]
        if actual != role:
            problems.append(
                f"endpoint {endpoint} is the {actual} endpoint ({_SPELLED[actual]}), but the role is {role}: "
                f"give the {role} endpoint ({_SPELLED[role]}), or role: {actual}"
            )
        if parts["name"] != identifier:
            problems.append(
                f"endpoint {endpoint} is that of DB cluster '{parts['name']}', but the identifier is '{identifier}': "
                "both must name the same cluster, or its events would be missed"
            )
    return _without(problems, endpoint, parts["region"], region)


def check_rds_proxy_endpoint(endpoint: str, *, name: str, region: str | None) -> str:
    """Require that an endpoint is one of an RDS Proxy.

    Args:
        endpoint: The host name to follow, normalised.
        name: The proxy's name, in lower case.
        region: The Region of the endpoint service; `None` if not known.
    """
    parts = _ENDPOINT.fullmatch(endpoint)
    if parts is None:
        return endpoint
    problems: list[str] = []
    if parts["kind"] != "proxy-":
        problems.append(
            f"endpoint {endpoint} is that of {_KINDS[parts['kind']]}: give an endpoint of RDS Proxy '{name}' (.proxy-)"
        )
    elif not parts["added"] and parts["name"] != name:  # an endpoint that was added has a name of its own
        problems.append(
            f"endpoint {endpoint} is that of RDS Proxy '{parts['name']}', but the name is '{name}': "
            "both must name the same proxy"
        )
    return _without(problems, endpoint, parts["region"], region)


def _without(problems: list[str], endpoint: str, actual: str, region: str | None) -> str:
    """Return the endpoint if it has no problems, its Region's included."""
    if region is not None and actual != region:
        problems.append(
            f"endpoint {endpoint} is in Region {actual}, but the endpoint service is in {region}: "
            "events and security groups do not cross Regions, so put the service where the database is"
        )
    if problems:
        raise PostgresEndpointServiceError(problems)
    return endpoint
