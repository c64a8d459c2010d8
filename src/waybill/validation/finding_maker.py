"""Makes the findings of one rule quickly: its texts are filled in once, the value per cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from waybill.model.finding import Finding
from waybill.validation.codes import make_finding
from waybill.validation.hints import hint_for
from waybill.validation.rules import MASK

if TYPE_CHECKING:
    from waybill.model.entity import Field
    from waybill.validation.compiled import NumberedRule

SHOWN_CHARACTERS: Final = 200
"""How much of a value messages show."""

_BOUND_CHARACTERS: Final = 300
_REMEMBERED: Final = 1_000


class _Slot(str):
    """Stands for the value while a message is filled in; its repr is itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


_SLOT: Final = _Slot("\x00value\x00")
_HINT_SLOT: Final = "\x00hint\x00"


class FindingMaker:
    """The findings of one rule in one column; safe to share between threads."""

    def __init__(self, numbered: NumberedRule) -> None:
        plan, rule = numbered.plan, numbered.rule
        self.code = rule.code
        self.field: Field | None = plan.field if plan else None
        self.index = numbered.index
        self._is_secret = plan is not None and plan.field.secret
        self._hints: dict[str, str] = {}
        self._model = make_finding(
            rule.code,
            field=plan.field.name if plan else None,
            column=self.index + 1,
            value=_SLOT,
            bound=shorten(rule.bound, _BOUND_CHARACTERS),
            expected=plan.grammar.expected if plan else "",
            unit=plan.grammar.unit if plan else "",
            type=plan.field.type.value if plan else "",
            hint=_HINT_SLOT,
        )

    def make(self, value: str | None) -> Finding:
        """The finding for a cell, masked for a secret field."""
        model = self._model
        shown = MASK if self._is_secret and value is not None else value
        hint = model.hint
        if hint is not None and _HINT_SLOT in hint:
            hint = hint.replace(_HINT_SLOT, self._hint(value)) or None
        return Finding(
            code=model.code,
            level=model.level,
            message=model.message.replace(_SLOT, repr(shorten(shown or "", SHOWN_CHARACTERS))),
            field=model.field,
            column=model.column,
            value=shown,
            expected=model.expected,
            hint=hint,
        )

    def _hint(self, value: str | None) -> str:
        if self._is_secret or self.field is None or value is None:
            return ""
        known = self._hints.get(value)
        if known is None:
            known = hint_for(self.field, self.code, value)
            if len(self._hints) < _REMEMBERED:
                self._hints[value] = known
        return known


def shorten(text: str, characters: int) -> str:
    """The text, cut with an ellipsis where it is longer."""
    return text if len(text) <= characters else text[: characters - 1] + "…"
