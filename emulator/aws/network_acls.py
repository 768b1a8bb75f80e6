"""Network ACLs: each subnet is associated with exactly one, at first with its VPC's own; rules keep their ports.

Rules from the Amazon EC2 API reference (DescribeNetworkAcls, CreateNetworkAclEntry, ReplaceNetworkAclAssociation) and
the Amazon VPC user guide's page vpc-network-acls.html.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from ministack.services import ec2

from emulator.aws.apis import EC2, new_id
from emulator.aws.wire import ApiError, Arguments, Form, Response, Result


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


def _create_entry(form: Form, stock: Callable[[Form], Response]) -> Response:
    """Keep the range of ports, which stock drops."""
    answer = stock(form)
    first, last = form.get("PortRange.From", [""])[0], form.get("PortRange.To", [""])[0]
    if answer[0] == HTTPStatus.OK and first and last:
        entries = ec2._network_acls[form["NetworkAclId"][0]]["Entries"]
        entries[-1]["PortRange"] = {"From": int(first), "To": int(last)}
    return answer


EC2.around("CreateNetworkAclEntry", _create_entry)


def install() -> None:
    """Show the range of ports."""
    stock = ec2._network_acl_entry_xml

    def entry_xml(entry: dict[str, Any]) -> str:
        text, ports = str(stock(entry)), entry.get("PortRange")
        if not ports:
            return text
        shown = f"<portRange><from>{ports['From']}</from><to>{ports['To']}</to></portRange>"
        return text.replace("</item>", f"{shown}</item>")

    ec2._network_acl_entry_xml = entry_xml
