"""The fields of a service's connectivity check: where its endpoint stands, and what it tries."""

from __future__ import annotations

from pydantic import Field

from constructs_pg import _validation as rules
from pg_privatelink._fields import CheckMinutes, Fields, Port, SubnetId, Switch, VpcId, Zone


class CheckSubnetConfiguration(Fields):
    """A subnet in which the check's endpoint gets an address."""

    id: SubnetId = Field(description="The subnet's id.")
    zone: Zone = Field(description="The subnet's zone, one of the service's: a zone name or a zone id.")


class ConnectivityCheckConfiguration(Fields):
    """An endpoint in a VPC of yours, and a function that connects through it as consumers do."""

    vpc: VpcId = Field(
        description="The id of the VPC of the endpoint and the function; its DNS support must be on. Another one than "
        "the load balancer's, to go the consumer's way."
    )
    subnets: tuple[CheckSubnetConfiguration, ...] = Field(
        min_length=1, description="Private subnets of that VPC, one in each zone to check, at least one."
    )
    ports: tuple[Port, ...] = Field(
        default=(),
        min_length=1,
        description="The listeners' ports to check (default: all of them).",
        json_schema_extra={"uniqueItems": True, "maxItems": rules.MAX_LISTENERS},
    )
    interval: CheckMinutes = Field(default=5, description="The time between two checks, in minutes.")
    tls_required: Switch = Field(
        default=False, description="Whether a server that can do no TLS counts as failed, and not only as unencrypted."
    )
