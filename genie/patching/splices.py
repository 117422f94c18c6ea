"""One replaced part of a text: the way there and the exact way back."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Splice:
    """At character ``start``, ``before`` stands in one text and ``after`` in the other."""

    start: int
    before: str
    after: str

    @classmethod
    def between(cls, before: str, after: str) -> Splice:
        """The smallest one part whose replacement makes one text the other."""
        shorter = min(len(before), len(after))
        start = 0
        while start < shorter and before[start] == after[start]:
            start += 1
        kept = 0
        while kept < shorter - start and before[-1 - kept] == after[-1 - kept]:
            kept += 1
        return cls(start, before[start : len(before) - kept], after[start : len(after) - kept])

    @property
    def inverse(self) -> Splice:
        """The way back."""
        return Splice(self.start, self.after, self.before)

    def applied(self, text: str) -> str:
        """The text with the part replaced. Raises ValueError where ``before`` does not stand."""
        end = self.start + len(self.before)
        if text[self.start : end] != self.before:
            raise ValueError("the text is not the one that this part was taken from")
        return text[: self.start] + self.after + text[end:]
