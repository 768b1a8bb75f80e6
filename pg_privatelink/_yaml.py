"""Reading YAML: the values of YAML 1.2, which editors use, and the place of each.

Differs from PyYAML's own loaders on purpose. A field given twice is a mistake. `NO`, `on` and `22:30` are text, as in
YAML 1.2; PyYAML follows 1.1 and makes a boolean or a number of them. Tags (`!name`) are not supported. Anchors, aliases
and merge keys are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from pg_privatelink._document import Document, Path, Place, mistake
from pg_privatelink.errors import ConfigurationError, Mistake, all_at_once

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from yaml.error import Mark

_TAG = "tag:yaml.org,2002:"
_MERGE = f"{_TAG}merge"
_MAX_VALUES = 20_000
"""An alias repeats what it stands for, so that a short file can unfold without end. Fifty listeners take some 1,000."""

# What PyYAML says, and what a user can do about it.
_ADVICE = (
    ("'\\t' that cannot start", "YAML indents with spaces: replace the tab"),
    (
        "mapping values are not allowed",
        "check the indentation, put text that contains ': ' into quotes, and a space after each colon, also a line up",
    ),
    ("expected <block end>", "check the indentation"),
    ("could not find expected ':'", "check the indentation, and that the field's name ends in a colon and a space"),
    ("',' or ']'", "a bracket or a comma is missing"),
    ("',' or '}'", "a brace or a comma is missing"),
    ("expected a single document", "remove the line '---' and put everything into one document"),
    ("cannot start any token", "put text that begins with this character into quotes"),
    ("while scanning a quoted scalar", "a quotation mark is missing"),
)


class _Loader(yaml.SafeLoader):
    """PyYAML's parser with the plain values of YAML 1.2's core schema."""

    yaml_implicit_resolvers = {}  # noqa: RUF012  (PyYAML's own, declared there)


for _kind, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
    ("merge", r"<<", ["<"]),
):
    _Loader.add_implicit_resolver(f"{_TAG}{_kind}", re.compile(rf"(?:{_pattern})\Z"), _first)


def _integer(text: str) -> int:
    return int(text, 0 if text[:2] in ("0o", "0x") else 10)


def _float(text: str) -> float:
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


_SCALARS: dict[str, Callable[[str], object]] = {
    f"{_TAG}str": str,
    f"{_TAG}null": lambda _: None,
    f"{_TAG}bool": lambda text: text.lower() == "true",
    f"{_TAG}int": _integer,
    f"{_TAG}float": _float,
}


def read(path: str | os.PathLike[str]) -> Document:
    """Read a YAML file whose top level is a mapping.

    Args:
        path: The file.

    Returns:
        Its content. What is wrong with single values (a field given twice) is in the document's `mistakes`.

    Raises:
        ConfigurationError: There is no such file, or it cannot be read as YAML at all.
    """
    name = str(path)
    text = _text(name)
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.reader.ReaderError as error:
        raise _syntax_error(
            name, text, error.position, f"the character {chr(error.character)!r} is not allowed"
        ) from None
    except yaml.MarkedYAMLError as error:
        raise _marked_error(name, error) from None
    except RecursionError:
        raise ConfigurationError(f"{name}: nested too deeply to be read") from None
    except (ValueError, OverflowError) as error:
        # PyYAML converts escapes and version numbers without a check; it does not say where.
        raise ConfigurationError(f"{name}: not valid YAML: {error}") from None
    if node is None:
        raise ConfigurationError(f"{name}: the file is empty: give at least 'region' and 'services'")
    if not isinstance(node, MappingNode):
        raise all_at_once(
            [mistake(name, _place(node.start_mark), (), "the file must consist of fields, as in region: eu-central-1")]
        )
    return _Reader(name).document(node)


def _text(name: str) -> str:
    try:
        with open(name, "rb") as file:  # noqa: PTH123  (a Path would lose the user's spelling of the name)
            content = file.read()
    except FileNotFoundError:
        raise ConfigurationError(
            f"{name}: there is no such file: run in the folder that has it, name it (-c config=FILE), or write one "
            "(pg-privatelink init IDENTIFIER)"
        ) from None
    except IsADirectoryError:
        raise ConfigurationError(f"{name}: is a directory, not a file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigurationError(f"{name}: cannot be read: {reason}") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ConfigurationError(f"{name}:{line}:1: not UTF-8 text: save the file in this encoding") from None


def _marked_error(name: str, error: yaml.MarkedYAMLError) -> ConfigurationError:
    problem = error.problem or error.context or "it cannot be parsed"
    said = f"{error.context} {problem}"
    if problem.startswith("but "):
        problem = f"{error.context}, {problem}"
    advice = next((f": {advice}" for sign, advice in _ADVICE if sign in said), "")
    # Where the quotation mark stands that has no other one, not where the file ends.
    open_quote = error.context == "while scanning a quoted scalar"
    mark = error.context_mark if open_quote else error.problem_mark or error.context_mark
    place = Place(1, 1) if mark is None else _place(mark)
    return all_at_once([mistake(name, place, (), f"not valid YAML: {problem}{advice}")])


def _syntax_error(name: str, text: str, position: int, problem: str) -> ConfigurationError:
    before = text[:position]
    place = Place(before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1)
    return all_at_once([mistake(name, place, (), f"not valid YAML: {problem}")])


def _place(mark: Mark) -> Place:
    return Place(mark.line + 1, mark.column + 1)


class _Reader:
    """Turns the parsed nodes of one file into data and places."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._keys: dict[Path, Place] = {}
        self._values: dict[Path, Place] = {}
        self._texts: dict[Path, str] = {}
        self._mistakes: dict[Path, tuple[Mistake, ...]] = {}
        self._unfolding: set[int] = set()
        self._steps = 0

    def document(self, node: MappingNode) -> Document:
        data = self._value(node, ())
        return Document(self._name, data, self._keys, self._values, self._texts, self._mistakes)

    def _value(self, node: Node, path: Path) -> object:
        self._step()
        self._values[path] = _place(node.start_mark)
        if isinstance(node, ScalarNode):
            return self._scalar(node, path)
        if id(node) in self._unfolding:
            return self._wrong(node, path, "an alias stands for something that contains it")
        if node.tag not in (f"{_TAG}map", f"{_TAG}seq"):
            return self._wrong(node, path, f"the tag {node.tag!r} is not supported: remove it")
        self._unfolding.add(id(node))
        value: object
        if isinstance(node, MappingNode):
            value = self._mapping(node, path)
        else:
            value = [self._value(item, (*path, index)) for index, item in enumerate(node.value)]
        self._unfolding.discard(id(node))
        return value

    def _scalar(self, node: ScalarNode, path: Path) -> object:
        text = str(node.value)
        self._texts[path] = text
        convert = _SCALARS.get(node.tag)
        if convert is None:
            return self._wrong(node, path, f"the tag {node.tag!r} is not supported: remove it")
        try:
            return convert(text)
        except ValueError:
            return self._wrong(node, path, "a number that cannot be used")

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, object]:
        mapping: dict[str, object] = {}
        merged: list[Node] = []
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                merged += value_node.value if isinstance(value_node, SequenceNode) else [value_node]
                continue
            if not isinstance(key_node, ScalarNode):
                self._wrong(key_node, path, "a field's name must be text, not a list or a mapping")
                continue
            key = str(key_node.value)
            key_path = (*path, key)
            if key in mapping:
                first = self._keys[key_path].line
                self._wrong(key_node, key_path, f"given twice, first in line {first}: remove one of them")
                continue
            self._keys[key_path] = _place(key_node.start_mark)
            mapping[key] = self._value(value_node, key_path)
        for source in merged:
            self._merge(source, path, mapping)
        return mapping

    def _merge(self, source: Node, path: Path, mapping: dict[str, object]) -> None:
        """Add the entries of another mapping that this one does not have itself."""
        self._step()
        if not isinstance(source, MappingNode):
            self._wrong(source, path, "'<<' needs an alias of a mapping, as in <<: *defaults")
            return
        if id(source) in self._unfolding:
            self._wrong(source, path, "an alias stands for something that contains it")
            return
        self._unfolding.add(id(source))
        for key_node, value_node in source.value:
            if key_node.tag == _MERGE:
                nested = value_node.value if isinstance(value_node, SequenceNode) else [value_node]
                for inner in nested:
                    self._merge(inner, path, mapping)
            elif isinstance(key_node, ScalarNode) and key_node.value not in mapping:
                key_path = (*path, str(key_node.value))
                self._keys[key_path] = _place(key_node.start_mark)
                mapping[str(key_node.value)] = self._value(value_node, key_path)
        self._unfolding.discard(id(source))

    def _step(self) -> None:
        self._steps += 1
        if self._steps > _MAX_VALUES:
            raise ConfigurationError(f"{self._name}: more than {_MAX_VALUES} values once all aliases are unfolded")

    def _wrong(self, node: Node, path: Path, message: str) -> object:
        """Note a mistake. What is returned stands for the value that cannot be used."""
        found = mistake(self._name, _place(node.start_mark), path, message)
        self._mistakes[path] = (*self._mistakes.get(path, ()), found)
        return None
