"""RDS DB instances: each has an endpoint name of RDS's form, as stock has only for those that CloudFormation makes.

Nothing resolves the name by itself; a test's or demo's name server does, as the database's owner sees fit.
"""

import hashlib

from ministack.core.responses import get_account_id, get_region
from ministack.services import rds

from emulator.aws.apis import RDS
from emulator.aws.wire import Arguments, Result


@RDS.action
def create_db_instance(given: Arguments) -> Result | None:
    """Give a DB instance its name: identifier, a part of the account's and Region's own, Region."""
    if "DBClusterIdentifier" in given:
        return None  # its cluster's endpoints are stock's
    result = RDS.stock("CreateDBInstance", given)  # DEBUG
    identifier: str = result["DBInstance"]["DBInstanceIdentifier"]
    own = hashlib.sha256(f"{get_account_id()}/{get_region()}".encode()).hexdigest()[:12]
    instance = rds._instances[identifier]
    endpoint = {**instance["Endpoint"], "Address": f"{identifier.lower()}.{own}.{get_region()}.rds.amazonaws.com"}
    instance["Endpoint"] = result["DBInstance"]["Endpoint"] = endpoint
    return result
