"""What the function that follows DNS sees now, asked with one invocation that changes nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pg_privatelink.cli.problem import Problem

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

    from pg_privatelink.cli.aws import Aws


def observe(aws: Aws, function_name: str) -> dict[str, Any]:
    """Have the function take one look at each listener.

    Args:
        aws: Where it is.
        function_name: The function's name.

    Returns:
        Its report: `listeners` by name, each with `hostname`, `port`, `nameservers`, `followed`, `answer`
        (`addresses`, `ttl`, `aliases`; None: no answer), `failure`, `targets`, `register`, `unnamed`; and `broken`, the
        target groups whose tags cannot be read.

    Raises:
        Problem: The function failed, or is gone.
    """
    client: LambdaClient = aws.client("lambda")
    try:
        answer = client.invoke(FunctionName=function_name, Payload=json.dumps({"action": "observe"}).encode())
    except client.exceptions.ResourceNotFoundException as gone:
        raise Problem(
            f"the function {function_name} does not exist any more",
            "somebody deleted it, and a deployment does not notice. Make one of that name by hand, with any code; the "
            "next release then puts code, role and settings right (npx cdk deploy --all)",
        ) from gone
    report = json.loads(answer["Payload"].read() or b"null")
    if "FunctionError" in answer or not isinstance(report, dict) or "listeners" not in report:
        why = report.get("errorMessage", report) if isinstance(report, dict) else report
        raise Problem(
            f"the function {function_name} fails ({str(why).strip()})",
            "see its log: 'pg-privatelink logs'; a deployment ('npx cdk deploy --all') puts its code and role right",
        )
    return report
