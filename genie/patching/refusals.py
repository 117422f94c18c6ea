"""How an edit says that it cannot be made."""

from __future__ import annotations

from transforms.errors import InvalidInputError
from transforms.patches import Patch


class ImpossiblePatchError(InvalidInputError):
    """The content has no place for this patch; nothing was changed. Exit code 2."""


def impossible(what: str, patch: Patch, remedy: str) -> ImpossiblePatchError:
    """The error for a patch that cannot be made, with what to do instead."""
    return ImpossiblePatchError(what, where=f"{patch.patch_type} {patch.target}", remedy=remedy)
