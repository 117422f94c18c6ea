"""What a patch makes of the content of its homes, as pure functions, and the exact way back."""

from genie.patching.changes import DocumentKind, changed, current_comment, found_instead
from genie.patching.splices import Splice

__all__ = ["DocumentKind", "Splice", "changed", "current_comment", "found_instead"]
