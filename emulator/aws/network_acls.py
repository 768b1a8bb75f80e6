"""Network ACLs: each subnet is associated with exactly one, at first with its VPC's own.

Rules from the Amazon EC2 API reference (DescribeNetworkAcls, ReplaceNetworkAclAssociation) and the Amazon VPC user
guide's page vpc-network-acls.html.
"""

from typing import Any

from ministack.services import ec2

from emulator.aws.apis import EC2, new_id
from emulator.aws.wire import ApiError, Arguments, Result


def _associate() -> None:
    """Associate each subnet that has no network ACL with that of its VPC."""
    associated = {each["SubnetId"] for acl in ec2._network_acls.values() for each in acl["Associations"]}
    for subnet_id, subnet in ec2._subnets.items():
        for acl in ec2._network_acls.values():
            if acl["IsDefault"] and acl["VpcId"] == subnet["VpcId"] and subnet_id not in associated:
                acl["Associations"].append({"NetworkAclAssociationId": new_id("aclassoc"), "SubnetId": subnet_id})


@EC2.action
def describe_network_acls(given: Arguments) -> Result | None:  # noqa: ARG001 - stock filters and answers
    """Show the associations too; the rest is stock's."""
    _associate()
    return None


@EC2.action
def replace_network_acl_association(given: Arguments) -> Result:
    """Associate a subnet with another network ACL, and with that one only."""
    _associate()
    acl = ec2._network_acls.get(given.get("NetworkAclId", ""))
    if acl is None:
        raise ApiError("InvalidNetworkAclID.NotFound", f"The network ACL '{given.get('NetworkAclId')}' does not exist")
    row: dict[str, Any] | None = None
    for each in ec2._network_acls.values():
        for association in list(each["Associations"]):
            if association["NetworkAclAssociationId"] == given.get("AssociationId"):
                each["Associations"].remove(association)
                row = association
    if row is None:
        raise ApiError(
            "InvalidAssociationID.NotFound", f"The association ID '{given.get('AssociationId')}' does not exist"
        )
    acl["Associations"].append({"NetworkAclAssociationId": new_id("aclassoc"), "SubnetId": row["SubnetId"]})
    return {"NewAssociationId": acl["Associations"][-1]["NetworkAclAssociationId"]}
