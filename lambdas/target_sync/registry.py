"""Target groups as Elastic Load Balancing holds them: what is registered, and changing it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, cast

import botocore.config
import botocore.exceptions
import botocore.session

from .listener import FOLLOWED_TAG, Listener
from .settings import SettingsError
from .target import Endpoint, Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client
    from mypy_boto3_elbv2.type_defs import TargetDescriptionTypeDef

    from .settings import Settings

ERRORS = (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError)
"""What a call may raise."""

MISSING = frozenset({"TargetGroupNotFound", "TargetGroupNotFoundException"})
"""Codes for a target group that does not exist."""

CONNECTIONS = 50
"""As many as listeners: none of them waits for another one's connection."""

SHARED_SECONDS = 2.0
"""Tags read for one target group serve those read with them for so long."""

_TAGS_AT_ONCE = 20  # DescribeTags takes no more
_TARGETS_AT_ONCE = 100  # RegisterTargets and DeregisterTargets take no more


def client() -> ElasticLoadBalancingv2Client:
    """A client whose calls end in bounded time.

    Retries are in standard mode: adaptive mode slows all listeners when one target group is throttled.
    """
    # As boto3 makes it, but without importing its resources and transfers: a sixth of a cold start's CPU time.
    made = botocore.session.get_session().create_client(
        "elbv2",
        config=botocore.config.Config(
            connect_timeout=2,
            read_timeout=5,
            max_pool_connections=CONNECTIONS,
            retries={"mode": "standard", "total_max_attempts": 4},
        ),
    )
    return cast("ElasticLoadBalancingv2Client", made)


def code(error: BaseException) -> str:
    """AWS's code for an error, such as AccessDenied; the class for one that did not come from AWS."""
    # Some errors of the connection have the attribute without a value.
    response: Mapping[str, Mapping[str, str]] = getattr(error, "response", None) or {}
    return response.get("Error", {}).get("Code", type(error).__name__)


class _Tags:
    """The tags of target groups that are read with one call."""

    def __init__(self, arns: list[str]) -> None:
        self.arns = arns
        self.at = float("-inf")
        self.claimed_at = float("-inf")
        self.tags: dict[str, dict[str, str]] = {}


class Registry:
    """The target groups of one load balancer. Safe to use from several threads.

    Attributes:
        calls: How many calls were made, retries not counted.
    """

    def __init__(self, elbv2: ElasticLoadBalancingv2Client, settings: Settings) -> None:
        """Makes no call yet."""
        self._elbv2 = elbv2
        self._settings = settings
        self._known: dict[str, _Tags] = {}
        self._lock = threading.Lock()
        self.calls = 0

    def listeners(self, now: float) -> tuple[list[Listener], dict[str, str]]:
        """Reads which target groups are ours and what their tags say.

        Args:
            now: The time, in seconds.

        Returns:
            The listeners, and for each target group with unusable tags its ARN and what is wrong.
        """
        arns: list[str] = []
        marker: dict[str, str] = {}
        while True:
            self._count()
            page = self._elbv2.describe_target_groups(LoadBalancerArn=self._settings.load_balancer_arn, **marker)  # type: ignore[arg-type]
            arns += [group["TargetGroupArn"] for group in page["TargetGroups"] if group.get("TargetType", "ip") == "ip"]
            if not page.get("NextMarker"):
                break
            marker = {"Marker": page["NextMarker"]}
        found: list[Listener] = []
        broken: dict[str, str] = {}
        self._known = {}
        for start in range(0, len(arns), _TAGS_AT_ONCE):
            together = _Tags(arns[start : start + _TAGS_AT_ONCE])
            self._read(together, now)
            for arn, tags in together.tags.items():
                try:
                    listener = Listener.from_tags(arn, tags, self._settings.vpc_ranges)
                except SettingsError as error:
                    broken[arn] = str(error)
                else:
                    found += [listener] if listener else []
        return found, broken

    def knows(self, target_group_arn: str, now: float) -> bool:
        """Whether a target group's tags were read so lately, for another one's sake, that reading costs no call."""
        known = self._known.get(target_group_arn)
        return known is not None and now <= known.at + SHARED_SECONDS

    def claim(self, target_group_arn: str, now: float) -> bool:
        """Whether a caller is to read a target group's tags: nobody is about to, for it and others with one call."""
        known = self._known.get(target_group_arn)
        if known is None:
            return True
        with self._lock:
            if now < known.claimed_at + SHARED_SECONDS:
                return False
            known.claimed_at = now
            return True

    def listener(self, target_group_arn: str, now: float) -> Listener | None:
        """Reads a target group's tags again, and with the same call those of others, unless one of them just did.

        Args:
            target_group_arn: The target group.
            now: The time, in seconds.

        Returns:
            The listener; None if the group is no longer ours.

        Raises:
            SettingsError: A tag is unusable.
        """
        together = self._known.get(target_group_arn) or _Tags([target_group_arn])
        if now > together.at + SHARED_SECONDS:
            try:
                self._read(together, now)
            except ERRORS as error:
                if len(together.arns) == 1 or code(error) not in MISSING:
                    raise
                # One that is gone must not hide the others.
                together = _Tags([target_group_arn])
                self._read(together, now)
        return Listener.from_tags(target_group_arn, together.tags.get(target_group_arn, {}), self._settings.vpc_ranges)

    def targets(self, target_group_arn: str) -> tuple[Target, ...]:
        """Reads all rows of a target group, draining ones included."""
        self._count()
        rows = self._elbv2.describe_target_health(TargetGroupArn=target_group_arn)["TargetHealthDescriptions"]
        return tuple(
            Target(
                Endpoint(row["Target"]["Id"], row["Target"].get("Port", 0)),
                health.get("State", "unavailable"),
                health.get("Reason", ""),
                health.get("Description", ""),
                row["Target"].get("AvailabilityZone", ""),
            )
            for row in rows
            for health in [row.get("TargetHealth", {})]
        )

    def register(self, listener: Listener, endpoints: Iterable[Endpoint]) -> None:
        """Registers targets; one that is registered already stays as it is."""
        for batch in _batches([_description(endpoint, listener.zone(endpoint.address)) for endpoint in endpoints]):
            self._count()
            self._elbv2.register_targets(TargetGroupArn=listener.target_group_arn, Targets=batch)

    def deregister(self, listener: Listener, targets: Iterable[Target]) -> None:
        """Deregisters targets; one that is not registered is no error."""
        batch = [
            _description(target.endpoint, target.zone and listener.zone(target.endpoint.address) and target.zone)
            for target in targets
        ]
        for part in _batches(batch):
            self._count()
            self._elbv2.deregister_targets(TargetGroupArn=listener.target_group_arn, Targets=part)

    def record(self, listener: Listener, followed: str) -> None:
        """Writes the tag that says whose addresses are registered."""
        self._count()
        self._elbv2.add_tags(ResourceArns=[listener.target_group_arn], Tags=[{"Key": FOLLOWED_TAG, "Value": followed}])

    def _count(self) -> None:
        with self._lock:
            self.calls += 1

    def _read(self, together: _Tags, now: float) -> None:
        self._count()
        answer = self._elbv2.describe_tags(ResourceArns=together.arns)["TagDescriptions"]
        together.tags = {
            description["ResourceArn"]: {tag["Key"]: tag.get("Value", "") for tag in description.get("Tags", [])}
            for description in answer
        }
        together.at = now
        self._known |= dict.fromkeys(together.arns, together)


def _description(endpoint: Endpoint, zone: str) -> TargetDescriptionTypeDef:
    if zone:
        return {"Id": endpoint.address, "Port": endpoint.port, "AvailabilityZone": zone}
    return {"Id": endpoint.address, "Port": endpoint.port}


def _batches(targets: list[TargetDescriptionTypeDef]) -> list[list[TargetDescriptionTypeDef]]:
    return [targets[start : start + _TARGETS_AT_ONCE] for start in range(0, len(targets), _TARGETS_AT_ONCE)]
