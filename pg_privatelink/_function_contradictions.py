"""Contradictions of a service's function: its subnets against the VPC, its role, its key, and where these are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from constructs_pg import _validation as rules
from pg_privatelink._search import Search, fields, good, items

if TYPE_CHECKING:
    from pg_privatelink._document import Document, Path


class FunctionSearch(Search):
    """Searches the function of one service.

    Args:
        document: The file.
        region: The Region; `None` if the file has no good one.
        account: The account; `None` if the file has no good one.
        vpc: The service's VPC as it is written.
    """

    def __init__(self, document: Document, *, region: str | None, account: str | None, vpc: dict[str, Any]) -> None:
        super().__init__(document)
        self._region = region
        self._account = account
        self._cidrs = good(rules.check_vpc_cidr, vpc.get("cidrs"))

    def service(self, path: Path, service: dict[str, Any]) -> None:
        """Search the function and the key of a service, given the service's path."""
        here = (*path, "function")
        function = fields(service.get("function"))
        if isinstance(function.get("subnets"), list):
            self._subnets((*here, "subnets"), [fields(subnet) for subnet in function["subnets"]])
        if isinstance(function.get("security_groups"), list) and function["security_groups"]:
            self._security_groups((*here, "security_groups"), function)
        self.check(
            (*here, "permissions_boundary"),
            rules.check_function_roles,
            roles_are_given={"role", "connection_role"} <= function.keys(),
            boundary_is_given="permissions_boundary" in function,
            roles="'role' and 'connection_role'",
        )
        for name in ("role", "connection_role"):
            for role in good(rules.check_role_arn, [function.get(name)]):
                self._arn((*here, name), role, "role", account=self._account)
        for policy in good(rules.check_managed_policy_arn, [function.get("permissions_boundary")]):
            # Policies that AWS keeps are in no account.
            account = None if ":iam::aws:" in policy else self._account
            self._arn((*here, "permissions_boundary"), policy, "permissions boundary", account=account)
        for key in good(rules.check_key_arn, [service.get("encryption_key")]):
            # A key may well be another account's.
            self._arn((*path, "encryption_key"), key, "encryption key", account=None)

    def _subnets(self, path: Path, subnets: list[dict[str, Any]]) -> None:
        ids: list[str] = []
        zones: list[str] = []
        for index, subnet in enumerate(subnets):
            here = (*path, index)
            for value in good(rules.check_subnet_id, [subnet.get("id")]):
                if value in ids:
                    self.check((*here, "id"), rules.check_subnet_ids, [value, value])
                ids.append(value)
            for cidr in good(rules.check_subnet_cidr, [subnet.get("cidr")]):
                self.check((*here, "cidr"), rules.check_subnet_cidr, cidr, vpc_cidrs=self._cidrs)
            for zone in good(rules.check_availability_zone, [subnet.get("zone")]):
                zones.append(zone)
                if self._region:
                    self.check((*here, "zone"), rules.check_zone_in_region, zone, region=self._region)
        if len(zones) == len(subnets):
            self.check(path, rules.check_zones, zones, what="the function's zones")
            self.check(path, rules.check_function_subnets, zones, has_public=False, what="the function")

    def _security_groups(self, path: Path, function: dict[str, Any]) -> None:
        groups = function["security_groups"]
        self.check(
            path,
            rules.check_function_security_groups,
            len(groups),
            in_vpc="subnets" in function,
            what="'security_groups'",
            subnets="'subnets'",
        )
        seen: list[str] = []
        for index, value in enumerate(items(groups)):
            for group in good(rules.check_security_group_id, [value]):
                if group in seen:
                    self.add((*path, index), f"security group {group} is given twice: remove one, or correct its id")
                seen.append(group)

    def _arn(self, path: Path, arn: str, what: str, *, account: str | None) -> None:
        """Check where the subject of an ARN is."""
        self.check(path, rules.check_arn_location, arn, what=what, region=self._region, account=account)
        if self._region:
            self.check(path, rules.check_arn_partition, arn, what=what, region=self._region)
