"""What a Genie Space is made of: the JSON string ``serialized_space``, version 2.

``SpaceConfig`` reads, checks and writes it; ``edits`` changes it. Whatever is not changed keeps its
bytes: a config lives in a repository too, and a change there must be the change and nothing else.
"""

from transforms.serialized_space.config import Counts, SpaceConfig
from transforms.serialized_space.rules import Violation
from transforms.serialized_space.text import join_text, split_text

__all__ = ["Counts", "SpaceConfig", "Violation", "join_text", "split_text"]
