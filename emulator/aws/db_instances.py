"""RDS DB instances: each has an endpoint name of RDS's form, as stock has only for those that CloudFormation makes.

Nothing resolves the name by itself; a test's or demo's name server does, as the database's owner sees fit.
"""

import hashlib
from collections.abc import Callable
from http import HTTPStatus

from ministack.core.responses import get_account_id, get_region
from ministack.services import rds

from emulator.aws.apis import RDS
from emulator.aws.wire import Form, Response


def _create(form: Form, stock: Callable[[Form], Response]) -> Response:
    """Give an instance its name: identifier, a part of the account's and Region's own, Region."""
    answer = stock(form)
    if answer[0] != HTTPStatus.OK or "DBClusterIdentifier" in form:
        return answer  # refused; or named by its cluster
    instance = rds._instances[form["DBInstanceIdentifier"][0]]
    own = hashlib.sha256(f"{get_account_id()}/{get_region()}".encode()).hexdigest()[:12]
    name = f"{instance['DBInstanceIdentifier'].lower()}.{own}.{get_region()}.rds.amazonaws.com"
    instance["Endpoint"] = {**instance["Endpoint"], "Address": name}
    changed: Response = rds._single_instance_response("CreateDBInstanceResponse", "CreateDBInstanceResult", instance)
    return changed


RDS.around("CreateDBInstance", _create)
