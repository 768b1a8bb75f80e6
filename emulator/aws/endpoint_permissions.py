"""Who may connect to an endpoint service.

Rules from the Amazon EC2 API reference (ModifyVpcEndpointServicePermissions).
"""

from emulator.aws.apis import EC2
from emulator.aws.endpoint_services import own
from emulator.aws.wire import ApiError, Arguments, Result


@EC2.action
def modify_vpc_endpoint_service_permissions(given: Arguments) -> Result:
    """Add and remove principals; what is connected stays connected."""
    service = own(given.get("ServiceId"))
    added = given.get("AddAllowedPrincipals", [])
    for principal in added:
        resource = principal.partition("::")[2].partition(":")[2]
        # "Principal ARNs with path components aren't supported" (ModifyVpcEndpointServicePermissions).
        if principal != "*" and (not principal.startswith("arn:aws:iam::") or resource.count("/") > 1):
            raise ApiError("InvalidPrincipal", f"Invalid Principal: '{principal}'")
    kept = set(service.principals) - set(given.get("RemoveAllowedPrincipals", []))
    service.principals = sorted(kept | set(added))
    new = [{"Principal": principal, "ServiceId": service.id} for principal in added]
    return {"AddedPrincipals": new, "ReturnValue": True}


@EC2.action
def describe_vpc_endpoint_service_permissions(given: Arguments) -> Result:
    """List the principals of one of the caller's services."""
    service = own(given.get("ServiceId"))
    kinds = {"*": "All", "root": "Account", "role": "Role", "user": "User"}
    return {
        "AllowedPrincipals": [
            {
                "PrincipalType": kinds.get(principal.rpartition(":")[2].partition("/")[0], "Service"),
                "Principal": principal,
                "ServiceId": service.id,
            }
            for principal in service.principals
        ]
    }
