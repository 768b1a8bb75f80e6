"""The fields of a service's functions: where in the VPC they run, and as which roles."""

from __future__ import annotations

from pydantic import Field

from constructs_pg import _validation as rules
from pg_privatelink._fields import Fields, ManagedPolicyArn, RoleArn, SecurityGroupId, SubnetCidr, SubnetId, Zone


class FunctionSubnetConfiguration(Fields):
    """A subnet in which the functions run."""

    id: SubnetId = Field(description="The subnet's id.")
    zone: Zone = Field(description="The subnet's zone: a zone name (eu-central-1a) or a zone id (euc1-az1).")
    cidr: SubnetCidr = Field(description="The subnet's IPv4 range, to check that it is one of the VPC's.")


class FunctionConfiguration(Fields):
    """Where functions run and as which roles: the one that follows DNS names, and the connection function."""

    subnets: tuple[FunctionSubnetConfiguration, ...] = Field(
        default=(),
        min_length=1,
        description="Private subnets of the VPC for the functions, in at least two zones, with a route to a NAT "
        "gateway, or else with interface endpoints for elasticloadbalancing and ec2; rds if you follow cluster readers "
        "or leave out an RDS database's zones; cloudformation if you set reject_connections_on_delete; and a gateway "
        "endpoint for s3. Needed for publicly accessible databases and for name servers that only the VPC reaches "
        "(default: outside the VPC).",
        json_schema_extra={"minItems": rules.MIN_ZONES, "maxItems": rules.MAX_FUNCTION_SUBNETS},
    )
    security_groups: tuple[SecurityGroupId, ...] = Field(
        default=(),
        min_length=1,
        description="With subnets: the functions' security groups, which must let them out to AWS's API on port 443 "
        "and to DNS servers on port 53 (default: one made here for each, which does).",
        json_schema_extra={"uniqueItems": True, "maxItems": rules.MAX_FUNCTION_SECURITY_GROUPS},
    )
    role: RoleArn | None = Field(
        default=None,
        description="The ARN of a role of the account, which AWS Lambda may assume, for the function that follows DNS "
        "names. It is used as it is: a warning says what it must be allowed (default: a role made here, with no more "
        "than the function needs).",
    )
    connection_role: RoleArn | None = Field(
        default=None,
        description="The same for the connection function: it has the service learn its zones, compares them with the "
        "databases', and answers connections where it is told to (default: a role made here).",
    )
    permissions_boundary: ManagedPolicyArn | None = Field(
        default=None,
        description="The ARN of a managed policy, of the account or of AWS, that bounds the roles made here. Not "
        "together with role and connection_role (default: none).",
    )
