"""RDS Proxy: endpoint names whose own part is the account's and Region's, as those of databases are."""

from collections.abc import Callable
from http import HTTPStatus

from ministack.services import rds

from emulator.aws.apis import RDS
from emulator.aws.db_instances import endpoint_name, own_part
from emulator.aws.wire import Form, Response


def _create(form: Form, stock: Callable[[Form], Response]) -> Response:
    answer = stock(form)
    if answer[0] != HTTPStatus.OK:
        return answer
    name = form["DBProxyName"][0]
    proxy, endpoint = rds._db_proxies[name], rds._db_proxy_endpoints[name]
    proxy |= {"Endpoint": endpoint_name(name, "proxy-"), "_EndpointSuffix": own_part()}
    endpoint["Endpoint"] = proxy["Endpoint"]
    body = f"<CreateDBProxyResult><DBProxy>{rds._db_proxy_xml(proxy)}</DBProxy></CreateDBProxyResult>"
    changed: Response = rds._xml(HTTPStatus.OK, "CreateDBProxyResponse", body)
    return changed


RDS.around("CreateDBProxy", _create)
