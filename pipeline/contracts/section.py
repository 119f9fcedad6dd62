"""One table of a contract file: typed values are taken out of it, and what is left is refused."""

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any, cast

from pipeline.contracts.model import ANY_LANGUAGE, LARGEST_NUMBER, Headers
from pipeline.errors import ContractError


class Section:
    """One table of a contract file: values are taken out, and what is left over is refused.

    Every method that takes a value raises ContractError where it is of another kind, or is
    missing and has no default; the message names the file and the field.
    """

    def __init__(self, file_name: str, place: str, values: Mapping[str, Any]) -> None:
        self._file_name = file_name
        self._place = place
        self._values = dict(values)

    def take_text(self, name: str, *, default: str | None = None, allow_empty: bool = False) -> str:
        """A text; not empty unless that is allowed."""
        value = self._take(name, default)
        if not isinstance(value, str) or not (value or allow_empty):
            self.refuse(name, value, "a text")
        return cast(str, value)

    def take_choice(self, name: str, choices: Iterable[str], *, default: str | None = None) -> str:
        """One of some texts."""
        value = self._take(name, default)
        if value not in tuple(choices):
            self.refuse(name, value, "one of " + ", ".join(choices))
        return cast(str, value)

    def take_texts(
        self, name: str, *, default: tuple[str, ...] = (), allowed: Set[str] | None = None
    ) -> tuple[str, ...]:
        """A list of texts, each one of `allowed` where given."""
        value = self._take(name, list(default))
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.refuse(name, value, "a list of texts")
        unknown = [item for item in value if allowed is not None and item not in allowed]
        if unknown:
            self.refuse(name, unknown[0], "one of " + ", ".join(sorted(allowed or ())))
        return tuple(value)

    def take_choices(
        self, name: str, choices: Sequence[str], *, default: tuple[str, ...] | None = None
    ) -> tuple[str, ...]:
        """A list of at least one of some texts."""
        values = self.take_texts(name, default=default or (), allowed=set(choices))
        if not values:
            self.refuse(name, [], "at least one of " + ", ".join(choices))
        return values

    def take_headers(self, name: str, *, default: str | None = None) -> Headers:
        """A list of names, or a table of lists by language; nothing where no default is given."""
        value = self._take(name, [] if default is None else [default])
        by_language = value if isinstance(value, dict) else {ANY_LANGUAGE: value}
        for names in by_language.values():
            if not isinstance(names, list) or not all(
                isinstance(item, str) and item.strip() for item in names
            ):
                self.refuse(name, value, "a list of names, or a table of such lists by language")
        return Headers({key: tuple(names) for key, names in by_language.items() if names})

    def take_flag(self, name: str, *, default: bool = False) -> bool:
        """True or false."""
        value = self._take(name, default)
        if not isinstance(value, bool):
            self.refuse(name, value, "true or false")
        return bool(value)

    def take_number(self, name: str, *, default: int | None, most: int = LARGEST_NUMBER) -> Any:
        """A whole number from 0 to `most`; None where that is the default."""
        value = self._take(name, default if default is not None else _ABSENT)
        if value is _ABSENT:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            self.refuse(name, value, f"a whole number from 0 to {most:,}")
        return value

    def take_section(self, name: str) -> "Section":
        """A table; empty where it is absent."""
        value = self._take(name, {})
        if not isinstance(value, dict):
            self.refuse(name, value, "a table")
        return Section(self._file_name, f"{self._place}{name}.", cast(dict[str, Any], value))

    def take_sections(self, name: str) -> "list[Section]":
        """A list of tables; empty where it is absent."""
        values = self._take(name, [])
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            self.refuse(name, values, "a list of tables")
        return [
            Section(self._file_name, f"{self._place}{name}[{number}].", value)
            for number, value in enumerate(values)
        ]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in it."""
        return not self._values

    def names(self, allowed: Set[str] | None = None) -> list[str]:
        """The names in it, in the file's order; each must be one of `allowed`, where given."""
        for name in self._values:
            if allowed is not None and name not in allowed:
                self.refuse(name, "a name", "one of " + ", ".join(sorted(allowed)))
        return list(self._values)

    def refuse_rest(self) -> None:
        """Refuses a field that nobody took."""
        for name in self._values:
            raise ContractError(
                f"contract {self._file_name}: {self._place}{name} is not a known field"
            )

    def refuse(self, name: str, got: object, expected: str) -> None:
        """Raises the error for a field's value."""
        raise ContractError(
            f"contract {self._file_name}: {self._place}{name} is {got!r}; expected {expected}"
        )

    def _take(self, name: str, default: object) -> Any:
        value = self._values.pop(name, default)
        if value is None:
            raise ContractError(f"contract {self._file_name}: {self._place}{name} is missing")
        return value


_ABSENT = object()
