"""The strict YAML reader: text -> nodes with positions.

It works on PyYAML's events, before anything is composed, so that bombs, cycles and tags never come to life.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from nnctl.document.node import UNKNOWN, Entry, Mapping, Node, Scalar, Sequence
from nnctl.document.scalars import AmbiguousScalarError, instead_of, resolve
from nnctl.document.slips import Slip, folded, hint_of, slip_of
from nnctl.errors import COMMAND_LINE, Position, Problem, SpecError

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32
MAX_NODES = 50_000
MAX_SCALAR = 4096

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Characters that reorder text, hide in it or break lines that an editor does not: what a reviewer sees would not be
# what the program reads.
_HIDDEN = re.compile(
    "[\u202a-\u202e\u2066-\u2069\u200b\u200e\u200f\u2060\u061c\ufeff\u0000\u0085\u2028\u2029\ud800-\udfff]"
)
FREE_KEYS = ("columns",)
"""Mappings whose keys are a file's own headings, not names of the language."""


def read_file(path: Path, problems: list[Problem], shown: str | None = None) -> Mapping:
    """Return the mapping in a YAML file. `shown` is the name that errors give it.

    Mistakes that leave the rest readable are added to `problems`. Raises SpecError where the file is missing,
    too large, not UTF-8 or not YAML.
    """
    name = shown or str(path)
    where = Position(file=name)
    try:
        if path.is_dir():
            raise SpecError(Problem("file", f"{name} is a folder, not a spec", hint="name the .yaml file in it"))
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise SpecError(Problem("file", f"there is no file {name}", hint=_nearby(path))) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SpecError(Problem("file", f"{name} cannot be read: {reason}")) from None
    if len(raw) > MAX_BYTES:
        raise SpecError(
            Problem(
                "limit", f"the file is larger than {MAX_BYTES // 1024} KiB", where, hint="use `repeat` and `extends`"
            )
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        place = Position(name, line, error.start - (raw.rfind(b"\n", 0, error.start) + 1) + 1)
        raise SpecError(Problem("yaml", "the file is not UTF-8 text", place, hint="save it as UTF-8")) from None
    return read_text(text, name, problems)


def read_text(text: str, name: str, problems: list[Problem]) -> Mapping:
    """Return the mapping that a whole document holds, as `read_file` does."""
    node = _Reader(text, name, problems).document()
    if isinstance(node, Mapping):
        return node
    empty = isinstance(node, Scalar) and node.value is None
    what = "the file is empty" if empty else "a spec is a mapping of keys to values"
    raise SpecError(Problem("yaml", what, Position(name, 1, 1), hint="begin with `name: …` and `model:`"))


def read_value(text: str, column: int, problems: list[Problem], free: bool = False) -> Node:
    """Return the node that the VALUE of an override holds; `column` is where it begins in its argument.

    With `free` the keys of a mapping are a file's own headings.
    """
    return _Reader(text, COMMAND_LINE, problems, first_column=column).document(free)


def hidden_character(text: str) -> str | None:
    """Return the code of a character that reorders text or hides in it, as no text of a spec may, if there is one."""
    match = _HIDDEN.search(text)
    return _code(match) if match else None


def _nearby(path: Path) -> str | None:
    from nnctl.document.suggest import suggest

    try:
        names = {file.stem: file.name for file in path.parent.iterdir() if file.suffix in (".yaml", ".yml")}
    except OSError:
        return f"there is no folder {path.parent} either"
    nearest = suggest(path.stem, names)  # the suffix alone makes no names alike
    return f"did you mean {path.parent / names[nearest]}?" if nearest else None


class _Reader:
    """One pass over the events of one document."""

    def __init__(self, text: str, name: str, problems: list[Problem], first_column: int | None = None) -> None:
        self.name = name
        self.problems = problems
        self.first_column = first_column
        self.nodes = 0
        self.text = text
        self._refuse_hidden(text)
        self.events: Iterator[Event] = iter(yaml.parse(text, Loader=yaml.SafeLoader))

    def document(self, free: bool = False) -> Node:
        try:
            node = self._document(free)
        except yaml.MarkedYAMLError as error:
            self._refuse_syntax(error)
        except yaml.YAMLError as error:  # a character that YAML forbids
            self._fail("yaml", f"this is not valid YAML: {str(error).splitlines()[0]}", Position(self.name))
        return node

    def _document(self, free: bool) -> Node:
        next(self.events)  # the stream's start
        event = next(self.events)
        if not isinstance(event, DocumentStartEvent):
            return Scalar(None, Position(self.name))
        if event.version or event.tags:
            self._fail("yaml", "directives (%YAML, %TAG) are not part of a spec", self._at(event), "remove the line")
        node = self._node(next(self.events), 1, free)
        next(self.events)  # the document's end
        after = next(self.events)
        if isinstance(after, DocumentStartEvent):
            self._fail("yaml", "a second document begins here", self._at(after), "one file holds one spec")
        return node

    def _node(self, event: Event, depth: int, free: bool) -> Node:
        position = self._at(event)
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self._fail("limit", f"the document has more than {MAX_NODES:,} values", position, "use `repeat`")
        if isinstance(event, AliasEvent):
            self._note(
                "yaml", f"aliases (*{event.anchor}) are not part of a spec", position, "use `params` or `blocks`"
            )
            return Scalar(UNKNOWN, position)
        assert isinstance(event, NodeEvent)
        if event.anchor:
            self._note(
                "yaml", f"anchors (&{event.anchor}) are not part of a spec", position, "use `params` or `blocks`"
            )
        tag = getattr(event, "tag", None)
        if tag:
            self._note("yaml", f"tags ({tag}) are not part of a spec", position, "remove the tag")
            if isinstance(event, ScalarEvent):
                return Scalar(UNKNOWN, position)
        if depth > MAX_DEPTH:
            self._fail("limit", f"values are nested more than {MAX_DEPTH} deep", position, "use `blocks`")
        if isinstance(event, ScalarEvent):
            return self._scalar(event, position)
        if isinstance(event, SequenceStartEvent):
            items: list[Node] = []
            while not isinstance(event := next(self.events), SequenceEndEvent):
                self._refuse_folded(event)
                items.append(self._node(event, depth + 1, free=False))
            return Sequence(items, position)
        return self._mapping(position, depth, free)

    def _mapping(self, position: Position, depth: int, free: bool) -> Mapping:
        mapping = Mapping(position)
        while not isinstance(event := next(self.events), MappingEndEvent):
            key, place = self._key(event, free, next(reversed(mapping.entries.values()), None))
            if key is None:
                self._node(next(self.events), depth + 1, free=False)
                continue
            if key in mapping.entries:
                first = f"its first place is {mapping.entries[key].key}"
                self._note("duplicate-key", f"the key `{key}` is written twice", place, "remove one of them", (first,))
            value = next(self.events)
            if key != "description":
                self._refuse_folded(value)
            node = self._node(value, depth + 1, free=key in FREE_KEYS)
            mapping.entries[key] = Entry(place, node)
        return mapping

    def _key(self, event: Event, free: bool, before: Entry | None) -> tuple[str | None, Position]:
        """Return a key and its place; None for the key of an entry that is refused and left out."""
        place = self._at(event)
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None) or getattr(event, "tag", None):
            self._note("yaml", "anchors, aliases and tags are not part of a spec", place, "write the key as plain text")
            if isinstance(event, AliasEvent):
                return None, place
        if not isinstance(event, ScalarEvent):
            self._fail("yaml", "a key must be a single word", place, "write `key: value`")
        key: str = event.value
        if key == "<<" and not free:
            self._note("yaml", "merge keys (<<) are not part of a spec", place, "use `extends` or `blocks`")
            return None, place
        if len(key) > MAX_SCALAR or (not free and not _KEY.fullmatch(key)):
            shown = key if len(key) <= 40 else key[:40] + "…"
            hint = "keys have letters, digits and `_`, and begin with no digit"
            whole = before.node.value if before and isinstance(before.node, Scalar) else None
            if "\u00a0" in key:
                hint = "write plain spaces: there is a no-break space"
            if key.isdecimal() and type(whole) is int:  # {lr: 0,01}
                hint = f"write a decimal point: {whole}.{key}"
            self._note("key", f'"{shown}" is not a key', place, hint)
            return None, place
        return unicodedata.normalize("NFC", key), place

    def _scalar(self, event: ScalarEvent, position: Position) -> Scalar:
        text: str = event.value
        hidden = _HIDDEN.search(text)
        if hidden:  # written as an escape, "\u202e"
            self._fail("yaml", f"the text holds the hidden character {_code(hidden)}", position, "remove it")
        if len(text.encode()) > MAX_SCALAR:
            self._fail("limit", f"a value is longer than {MAX_SCALAR} bytes", position, "shorten it")
        if event.style is not None:
            return Scalar(unicodedata.normalize("NFC", text), position)
        try:
            value = resolve(text)
        except AmbiguousScalarError as error:
            self._note("ambiguous", f"`{text}` is ambiguous: {error}", position, instead_of(text))
            return Scalar(UNKNOWN, position)
        return Scalar(unicodedata.normalize("NFC", value) if isinstance(value, str) else value, position)

    def _at(self, event: Event) -> Position:
        mark = event.start_mark
        assert mark is not None
        if self.first_column is not None:
            return Position(self.name, None, mark.column + self.first_column)
        return Position(self.name, mark.line + 1, mark.column + 1)

    def _refuse_hidden(self, text: str) -> None:
        match = _HIDDEN.search(text)
        if match:
            start = match.start()
            line, column = text.count("\n", 0, start) + 1, start - (text.rfind("\n", 0, start) + 1) + 1
            place = (
                Position(self.name, line, column)
                if self.first_column is None
                else Position(self.name, None, start + self.first_column)
            )
            self._fail("yaml", f"the text holds the hidden character {_code(match)}", place, "remove it")

    def _refuse_syntax(self, error: yaml.MarkedYAMLError) -> NoReturn:
        mark = error.problem_mark or error.context_mark
        slip = slip_of(error, self.text)
        if slip is not None:
            self._fail("yaml", f"this is not valid YAML: {slip.message}", self._place(slip), slip.hint)
        place = Position(self.name)
        if mark is not None and self.first_column is not None:
            place = Position(self.name, None, mark.column + self.first_column)
        elif mark is not None:
            place = Position(self.name, mark.line + 1, mark.column + 1)
        problem = error.problem or error.context or "it cannot be read"
        self._fail("yaml", f"this is not valid YAML: {problem}", place, hint_of(problem))

    def _refuse_folded(self, event: Event) -> None:
        """Refuse a word with more lines below it: to YAML all of them are one text, which nobody means."""
        start, end = event.start_mark, event.end_mark
        if isinstance(event, ScalarEvent) and event.style is None and start is not None and end is not None:
            slip = folded(self.text, start.line, start.column, end.line) if end.line > start.line else None
            if slip is not None:
                self._fail("yaml", slip.message, self._place(slip), slip.hint)

    def _place(self, slip: Slip) -> Position:
        if self.first_column is not None:
            return Position(self.name, None, slip.column + self.first_column)
        return Position(self.name, slip.line + 1, slip.column + 1)

    def _note(
        self, code: str, message: str, place: Position, hint: str | None = None, details: tuple[str, ...] = ()
    ) -> None:
        self.problems.append(Problem(code, message, place, details=details, hint=hint))

    def _fail(self, code: str, message: str, place: Position, hint: str | None = None) -> NoReturn:
        raise SpecError([*self.problems, Problem(code, message, place, hint=hint)])


def _code(match: re.Match[str]) -> str:
    return f"U+{ord(match.group()):04X}"
