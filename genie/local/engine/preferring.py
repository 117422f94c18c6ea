"""What the text instruction does to the choice of an asset and to the words of a question."""

from __future__ import annotations

from collections.abc import Sequence

from genie.local.engine.rules import Rules
from genie.local.engine.words import Token, stem, stems_of, tokenise

_PREFERRED_FOR = 2.0
_PREFERRED = 0.6
_AVOIDED = -3.0
MAX_ADDED = 40  # tokens that definitions may add to a question


def preference_for(rules: Rules, identifier: str, tokens: Sequence[Token]) -> float:
    """What the instruction adds to the score of an asset for this question."""
    said = {token.stem for token in tokens}
    short = identifier.split(".")[-1].lower()
    score = 0.0
    for one in rules.preferences:
        is_meant = one.name in (short, identifier.lower()) or identifier.lower().endswith(
            "." + one.name
        )
        is_asked = not one.terms or any(set(term) <= said for term in one.terms)
        if not is_meant or not is_asked:
            continue
        if one.kind == "avoid":
            score += _AVOIDED
        else:
            score += _PREFERRED_FOR if one.terms else _PREFERRED
    return score


def narrowed(tokens: Sequence[Token], rules: Rules) -> tuple[Token, ...]:
    """The question with the words that a definition adds to the term it defines."""
    said = [token.stem for token in tokens]
    added: list[Token] = []
    for definition in rules.definitions:
        term = stems_of(definition.term)
        is_said = bool(term) and any(
            tuple(said[i : i + len(term)]) == term for i in range(len(said) - len(term) + 1)
        )
        if definition.rest and is_said:
            mark = Token("mark", ",", ",", stem(","))
            added += [mark, *tokenise(definition.rest)]
    return (*tokens, *added[:MAX_ADDED])
