"""The JSON Schema of the YAML file, from which editors complete and check it.

python -m pg_privatelink.schema docs/privatelink.schema.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import GenerateJsonSchema

from pg_privatelink._models import Configuration

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import core_schema


class _Generator(GenerateJsonSchema):
    """Leaves out what says nothing to an editor: null for fields that can be left out, and generated titles."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        described = super().default_schema(schema)
        if described.get("default", ...) in (None, []):
            del described["default"]
        return described

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401, ARG002  (pydantic's signature)
        return False


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the YAML file (draft 2020-12)."""
    return {
        "$schema": _Generator.schema_dialect,
        **Configuration.model_json_schema(schema_generator=_Generator),
    }


def json_schema_text() -> str:
    """Return the JSON Schema as the file in `docs/` holds it."""
    return json.dumps(json_schema(), indent=2) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json_schema_text(), encoding="utf-8", newline="\n")
