"""Contradictions of a service's consumers: of kinds and names, with each other, and with what the service does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from constructs_pg import _validation as rules
from constructs_pg.consumer import Consumer
from pg_privatelink._consumers import CONSUMER_KINDS, CONSUMER_NAME
from pg_privatelink._search import Search, fields, good, items

if TYPE_CHECKING:
    from pg_privatelink._document import Document, Path

_PRINCIPALS = "principals"
_WITH_REGIONS = ("clickpipes", _PRINCIPALS)
# Stands for a good account or Region where the file has none, to learn what the product's consumer is called.
_ANY_ACCOUNT, _ANY_REGION = "000000000000", "eu-central-1"
_DBT_TWICE = "the dbt platform is given twice: remove one, its environments share a principal"


class ConsumerSearch(Search):
    """Searches the consumers of one service.

    Args:
        document: The file.
        region: The Region; `None` if the file has no good one.
        service: The service as it is written.

    Attributes:
        principals: The principals of all consumers; `None` where a mistake hides some.
    """

    def __init__(self, document: Document, *, region: str | None, service: dict[str, Any]) -> None:
        super().__init__(document)
        self._region = region
        self._acceptance_required = service.get("acceptance_required") is not False
        supported = items(service.get("supported_regions"))
        self._supported = good(rules.check_region, supported)
        # A Region that is misspelled may be the one that a consumer needs.
        self._knows_regions = region is not None and len(self._supported) == len(supported)
        self.principals: list[str] | None = []
        self._names: list[str] = []
        self._products: list[str] = []
        self._ranges: dict[str, list[str]] = {}
        self._asking: dict[str, bool] = {}

    def consumers(self, path: Path, consumers: list[Any]) -> None:
        """Search all consumers, given the path of the field that holds them."""
        for index, entry in enumerate(consumers):
            if not isinstance(entry, dict):
                self.principals = None
                continue
            here = (*path, index)
            kinds = [kind for kind in CONSUMER_KINDS if kind in entry]
            if len(kinds) == 1:
                self._consumer(here, entry, kinds[0])
                continue
            self.principals = None
            allowed = ", ".join(CONSUMER_KINDS)
            if kinds:
                self.add(
                    here,
                    f"one kind of consumer is needed, got {', '.join(kinds)}: keep one of them, and give each other an "
                    f"entry of its own (allowed: {allowed})",
                )
            else:
                self.add(here, f"one kind of consumer is needed, got none: give exactly one of {allowed}")

    def _consumer(self, path: Path, entry: dict[str, Any], kind: str) -> None:
        own, where = entry, path
        if kind != _PRINCIPALS:
            own, where = fields(entry[kind]), (*path, kind)
            self._only_with_principals(path, entry, kind)
        name, principals = _known(kind, own)
        self._name(path, name, kind)
        self._note_principals(where, own, principals)
        self._acceptance((*path, "requires_acceptance"), name, own if kind == _PRINCIPALS else {})
        if kind in _WITH_REGIONS:
            self._regions(where, name, own.get("regions"))
        if kind == "databricks_serverless":
            self._region_of((*where, "region"), name, own.get("region"))
        self._ranges.setdefault(name, ["given"] if "source_ranges" in own else [])
        if len(self._ranges) > 1:
            first = next(iter(self._ranges))
            self.check(path, rules.check_consumers, {first: self._ranges[first], name: self._ranges[name]})

    def _only_with_principals(self, path: Path, entry: dict[str, Any], kind: str) -> None:
        for field in ("name", "source_ranges", "requires_acceptance", "regions"):
            if field in entry:
                inside = field == "source_ranges" or (field == "regions" and kind in _WITH_REGIONS)
                advice = f"those of this consumer go inside '{kind}'" if inside else "remove it"
                self.add((*path, field), f"only with 'principals': {advice}", of_key=True)

    def _name(self, path: Path, name: str, kind: str) -> None:
        if kind in self._products:
            self.add(
                path,
                _DBT_TWICE
                if kind == "dbt_platform"
                else f"'{kind}' is given twice: remove one, or give the other by its principals",
            )
        elif kind != _PRINCIPALS and name in self._names:
            self.add(path, f"'{kind}' is named {name}, and so is another consumer: give that one another name")
        else:
            self.check((*path, "name"), rules.check_consumer_name, name, existing=self._names)
        if kind != _PRINCIPALS:
            self._products.append(kind)
        self._names.append(name)

    def _note_principals(self, path: Path, own: dict[str, Any], principals: list[str] | None) -> None:
        if principals is None or self.principals is None:
            self.principals = None
        else:
            self.principals += principals
        for position, principal in enumerate(items(own.get(_PRINCIPALS))):
            self.check(
                (*path, _PRINCIPALS, position),
                rules.check_acceptance,
                [principal],
                acceptance_required=self._acceptance_required,
            )

    def _acceptance(self, path: Path, name: str, own: dict[str, Any]) -> None:
        required = own.get("requires_acceptance")
        if not isinstance(required, bool):
            return
        other = next((each for each, asked in self._asking.items() if asked is not required), None)
        asking = {name: required} if other is None or other == name else {other: self._asking[other], name: required}
        self.check(path, rules.check_consumer_acceptance, asking, acceptance_required=self._acceptance_required)
        self._asking.setdefault(name, required)

    def _regions(self, path: Path, name: str, regions: object) -> None:
        for index, region in enumerate(items(regions)):
            self._region_of((*path, "regions", index), name, region)

    def _region_of(self, path: Path, name: str, value: object) -> None:
        for region in good(rules.check_region, [value]):
            if self._knows_regions:
                self.check(
                    path,
                    rules.check_consumer_regions,
                    {name: [region]},
                    service_region=self._region,
                    supported_regions=self._supported,
                )


def _known(kind: str, own: dict[str, Any]) -> tuple[str, list[str] | None]:
    """Return a consumer's name, and its principals as far as the file gives them without a mistake."""
    account = next(iter(good(rules.check_account_id, [own.get("account")])), None)
    region = next(iter(good(rules.check_region, [own.get("region")])), None)
    match kind:
        case "dbt_platform":
            consumer, is_known = Consumer.dbt_platform(), True
        case "dbt_single_tenant":
            consumer, is_known = Consumer.dbt_single_tenant(account_id=account or _ANY_ACCOUNT), account is not None
        case "dbt_self_hosted":
            consumer, is_known = Consumer.dbt_self_hosted(account_id=account or _ANY_ACCOUNT), account is not None
        case "clickpipes":
            consumer, is_known = Consumer.clickpipes(), True
        case "databricks_serverless":
            consumer, is_known = Consumer.databricks_serverless(region=region or _ANY_REGION), region is not None
        case _:
            principals = good(rules.check_principal, own.get(_PRINCIPALS))
            given = own.get("name")
            named = given if isinstance(given, str) else CONSUMER_NAME
            if kind == "materialize":
                named = Consumer.materialize().name
            is_known = _PRINCIPALS not in own or len(principals) == len(items(own[_PRINCIPALS])) > 0
            return named, principals if is_known else None
    return consumer.name, list(consumer.principals) if is_known else None
