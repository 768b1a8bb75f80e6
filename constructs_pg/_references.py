"""What a token refers to: resources that are created in CDK can be looked at while they are synthesized."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Reference, Tokenization
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds

from ._validation import check_security_group_ids, is_token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import IConstruct

_POSTGRES_ENGINES = ("postgres", "aurora-postgresql")
_POSTGRES_PORT = 5432
"""What RDS takes for them where no port is given: CreateDBInstance and CreateDBCluster in its API reference."""


def referenced(value: str | None) -> IConstruct | None:
    """Return the construct that a text refers to as a whole; None for literal text and any other token."""
    if value is None or not is_token(value):
        return None
    fragments = Tokenization.reverse_string(value)
    token = fragments.first_token
    if fragments.length != 1 or not isinstance(token, Reference):
        return None
    return token.target


def are_different_vpcs(first: str, second: str) -> bool:
    """Tell whether two VPC ids surely name two VPCs: both are literal, or both refer to a VPC created in CDK."""
    if first == second:
        return False
    if not is_token(first) and not is_token(second):
        return True
    vpcs = [referenced(first), referenced(second)]
    paths = {vpc.node.path for vpc in vpcs if isinstance(vpc, ec2.CfnVPC)}
    return len(paths) == len(vpcs)


def literal_cidrs(cidrs: Sequence[str]) -> list[str]:
    """Return VPC CIDRs, with the text in place of a reference to a VPC that was created in CDK with it."""
    return [_literal_cidr(cidr) for cidr in cidrs]


def subnets_of_group(db_subnet_group_name: str | None) -> list[str]:
    """Return the subnet ids of a DB subnet group that was created in CDK, otherwise nothing."""
    group = referenced(db_subnet_group_name)
    return list(group.subnet_ids) if isinstance(group, rds.CfnDBSubnetGroup) else []


def different_groups(security_groups: Sequence[ec2.ISecurityGroup]) -> tuple[ec2.ISecurityGroup, ...]:
    """Return security groups that were given one by one, none of them twice."""
    check_security_group_ids([group.security_group_id for group in security_groups])
    return tuple(security_groups)


def port_of(database: IConstruct | None) -> int | None:
    """Return the port of a Postgres instance or cluster that was created in CDK, as far as it is known."""
    if not isinstance(database, rds.CfnDBInstance | rds.CfnDBCluster):
        return None
    port = database.port
    if port is not None:
        return None if is_token(port) else int(port)
    # A read replica has its source's port, and says neither.
    return _POSTGRES_PORT if database.engine in _POSTGRES_ENGINES else None


def _literal_cidr(cidr: str) -> str:
    vpc = referenced(cidr)
    # A VPC that takes its range from IPAM has none in the template.
    return (isinstance(vpc, ec2.CfnVPC) and vpc.cidr_block) or cidr
