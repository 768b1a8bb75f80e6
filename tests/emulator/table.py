"""The conformance table as a document: `python -m tests.emulator.table` writes it into `docs/emulator.md`."""

import importlib
import sys
from pathlib import Path

from tests.emulator.rule import RULES, Rule

DOCUMENT = Path(__file__).parents[2] / "docs" / "emulator.md"
_BEGIN, _END = "<!-- table: begin -->", "<!-- table: end -->"
_FILES = {
    "endpoint_services": "Endpoint services",
    "endpoint_connections": "Endpoints and connections",
    "load_balancers": "Load balancers and listeners",
    "target_groups": "Target groups",
    "targets": "Targets",
    "instances": "Instances and Auto Scaling groups",
    "security_groups": "Network",
    "networks": "Route tables and network ACLs",
    "databases": "Databases",
    "failovers": "Failovers",
    "alarms": "Metrics and alarms",
    "permissions": "Authorization",
    "stack_load_balancing": "CloudFormation: Elastic Load Balancing",
    "stack_privatelink": "CloudFormation: AWS PrivateLink",
    "stack_network": "CloudFormation: network",
    "stack_monitoring": "CloudFormation: monitoring",
    "stack_functions": "CloudFormation: functions",
    "stacks": "CloudFormation: deployments and deletions",
}


def rules() -> list[Rule]:
    """Return all rules, in the table's order."""
    for name in _FILES:
        importlib.import_module(f"tests.emulator.rules.{name}")
    return RULES


def table() -> str:
    """Return the table in Markdown."""
    lines = []
    for name, title in _FILES.items():
        lines += ["", f"### {title}", "", "| AWS's rule | source | stock |", "|---|---|---|"]
        for rule in rules():
            if rule.check.__module__.endswith(f".{name}"):
                page = rule.source.rpartition("/")[2].removesuffix(".html")
                text = rule.text.replace("|", "\\|")
                kept = "yes" if rule.stock else "no"
                lines.append(f"| {text} | [{page}](https://docs.aws.amazon.com/{rule.source}) | {kept} |")
    return "\n".join([*lines, ""])


def document() -> str:
    """Return the document with the table as it is now."""
    before, _, rest = DOCUMENT.read_text().partition(_BEGIN)
    return f"{before}{_BEGIN}\n{table()}\n{_END}{rest.partition(_END)[2]}"


if __name__ == "__main__":
    DOCUMENT.write_text(document())
    sys.stdout.write(table())
