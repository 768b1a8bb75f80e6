"""What packs find in a default service, and the setting that mends it. The library acknowledges none of this."""

from __future__ import annotations

from dataclasses import dataclass

from tests.policies.report import Finding

_NIST_AND_HIPAA = ("NIST.800.53.R5", "HIPAA.Security")
_ALL = (*_NIST_AND_HIPAA, "PCI.DSS.321")


@dataclass(frozen=True, kw_only=True)
class Mended:
    """A rule that a setting keeps.

    Args:
        rule: Its name in each of the packs.
        packs: The packs that have it.
        paths: What breaks it, below the service.
        setting: What mends it.
    """

    rule: str
    packs: tuple[str, ...]
    paths: tuple[str, ...]
    setting: str

    @property
    def findings(self) -> set[Finding]:
        """What the packs find."""
        return {
            Finding(f"{pack}-{self.rule}", f"Stack/Orders/{path}/Resource")
            for pack in self.packs
            for path in self.paths
        }


NO_INLINE_POLICY = Mended(
    rule="IAMNoInlinePolicy",
    packs=_ALL,
    paths=("TargetSync/Role/DefaultPolicy",),
    setting="`function_role`, one that CDK may not change: a warning and `service.target_sync.required_policy` say "
    "what it needs",
)
MENDED = (
    Mended(
        rule="ELBDeletionProtectionEnabled",
        packs=_NIST_AND_HIPAA,
        paths=("LoadBalancer",),
        setting="`deletion_protection=True`, once the stack stands",
    ),
    Mended(
        rule="CloudWatchLogGroupEncrypted",
        packs=_ALL,
        paths=("Connections/Gate/LogGroup", "TargetSync/LogGroup"),
        setting="`encryption_key`",
    ),
    Mended(
        rule="LambdaInsideVPC",
        packs=_ALL,
        paths=("Connections/Gate/Function", "TargetSync/Function"),
        setting="`function_vpc_subnets`",
    ),
    Mended(rule="SNSEncryptedKMS", packs=_ALL, paths=("Connections/Topic",), setting="`notification_key`"),
    Mended(
        rule="CloudWatchAlarmAction",
        packs=_NIST_AND_HIPAA,
        paths=(
            "Alarms/FunctionFails",
            "Alarms/FunctionSilent",
            "Alarms/NoHealthyTarget-main",
            "Connections/ConnectionWaits",
        ),
        setting="`alarm_actions`",
    ),
    NO_INLINE_POLICY,
)
