"""The CDK app of the integration test, for the CDK CLI; what differs from run to run comes as context."""

from __future__ import annotations

from pathlib import Path

import aws_cdk as cdk

from tests.integ.stacks import CIDR, PORT, Settings, build


def settings_of(app: cdk.App) -> Settings:
    """Return the settings that the runner gave as context: `-c account=... -c zones=a,b`.

    `cidr`, `port` and `nameservers` are for the emulator, where addresses are loopback's.
    """
    given = {name: str(app.node.get_context(name)) for name in ("account", "region", "zones", "wheel", "revision")}
    nameservers = app.node.try_get_context("nameservers")
    return Settings(
        account=given["account"],
        region=given["region"],
        zones=tuple(given["zones"].split(",")),
        wheel=Path(given["wheel"]),
        revision=given["revision"],
        cidr=str(app.node.try_get_context("cidr") or CIDR),
        port=int(app.node.try_get_context("port") or PORT),
        nameservers=tuple(str(nameservers).split(",")) if nameservers else (),
    )


if __name__ == "__main__":
    main = cdk.App(analytics_reporting=False)
    build(main, settings_of(main))
    main.synth()
