"""RDS DB instances: each has an endpoint name of RDS's form, where stock's are `localhost` or random.

Nothing resolves a name by itself; a test's or demo's name server does, as the database's owner sees fit.
"""

import hashlib
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import rds

from emulator.aws.apis import RDS
from emulator.aws.wire import Form, Response

Record = dict[str, Any]


def endpoint_name(identifier: str, kind: str = "") -> str:
    """Return the name a database is reached by.

    Args:
        identifier: Of the instance, cluster or proxy.
        kind: What RDS writes before the part that is the account's and Region's own: nothing for an instance,
            `cluster-`, `cluster-ro-` or `proxy-`.
    """
    return f"{identifier.lower()}.{kind}{own_part()}.{get_region()}.rds.amazonaws.com"


def own_part() -> str:
    """Return the part of every endpoint's name that is the account's and Region's own."""
    return hashlib.sha256(f"{get_account_id()}/{get_region()}".encode()).hexdigest()[:12]


def name_endpoint(instance: Record) -> None:
    """Give an instance its name; a cluster's member answers on the cluster's port."""
    cluster = rds._clusters.get(instance.get("DBClusterIdentifier") or "")
    port = cluster["Port"] if cluster is not None else instance["Endpoint"]["Port"]
    address = endpoint_name(instance["DBInstanceIdentifier"])
    instance["Endpoint"] = {**instance["Endpoint"], "Address": address, "Port": port}


def _create(form: Form, stock: Callable[[Form], Response]) -> Response:
    answer = stock(form)
    if answer[0] != HTTPStatus.OK:
        return answer
    instance = rds._instances[form["DBInstanceIdentifier"][0]]
    name_endpoint(instance)
    changed: Response = rds._single_instance_response("CreateDBInstanceResponse", "CreateDBInstanceResult", instance)
    return changed


RDS.around("CreateDBInstance", _create)


def _modify(form: Form, stock: Callable[[Form], Response]) -> Response:
    """Change the port too, at once, whatever ApplyImmediately says (API_ModifyDBInstance.html); the rest is stock's."""
    answer = stock(form)
    port = form.get("DBPortNumber", [""])[0]
    if answer[0] != HTTPStatus.OK or not port:
        return answer
    instance = rds._instances[form["DBInstanceIdentifier"][0]]
    instance["Endpoint"] = {**instance["Endpoint"], "Port": int(port)}
    changed: Response = rds._single_instance_response("ModifyDBInstanceResponse", "ModifyDBInstanceResult", instance)
    return changed


RDS.around("ModifyDBInstance", _modify)
