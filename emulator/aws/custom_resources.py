"""Custom resources of AWS Lambda: their function is invoked as an event, and a stack goes on with what it answered.

Rules from AWSCloudFormation/latest/UserGuide/template-custom-resources-lambda.html. Stock waits for the function's end,
too, which can be minutes after its answer.
"""

import contextvars
import threading
from typing import Any

from ministack.services import lambda_svc

_ANSWERS = "/_ministack/cfn-response/"


def install() -> None:
    """Let functions that CloudFormation invokes run beside it."""
    stock = lambda_svc._execute_function_with_config_scope

    def execute(function: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
        if _ANSWERS not in str(event.get("ResponseURL", "")):
            answer: dict[str, Any] = stock(function, event)
            return answer
        # Account and Region of the request go along.
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(stock, function, event), daemon=True).start()
        return {}

    lambda_svc._execute_function_with_config_scope = execute
