"""Which model is asked where the rules of judging are silent: nobody, unless one is configured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from genie.chat_endpoint import ChatEndpoint, ChatModel
from pipelines.kept_texts import KeptTexts
from pipelines.opinion_budget import OpinionPolicy
from pipelines.second_opinions import ModelJudge
from transforms.errors import InvalidInputError

if TYPE_CHECKING:
    from jobs.context import JobContext

_KEPT = Path("evaluate", "opinions")  # in the folder of the checkpoints
_MAX_KEPT = 20_000
_PREFIX = "GENIE_LOOP_JUDGE_"
_BOUNDS = {
    f"{_PREFIX}{name.upper()}": name
    for name in ("max_calls", "max_tokens", "max_seconds", "max_rows")
}


@dataclass(frozen=True, slots=True)
class ModelJudgeConfig:
    """A model that may be asked, and how much."""

    model: ChatModel
    policy: OpinionPolicy = field(default_factory=OpinionPolicy)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> ModelJudgeConfig | None:
        """``GENIE_LOOP_JUDGE_URL``, ``_MODEL``, ``_TOKEN`` and the bounds of ``OpinionPolicy``.

        None without URL and model. Raises InvalidInputError for a setting that is none.
        """
        url, name = (environ.get(f"{_PREFIX}{key}") or None for key in ("URL", "MODEL"))
        if name is None:
            if url is not None:
                raise InvalidInputError(
                    "an endpoint for the model judge, and no model",
                    where=f"{_PREFIX}URL",
                    remedy=f"name the model in {_PREFIX}MODEL, or unset {_PREFIX}URL",
                )
            return None
        policy = OpinionPolicy()
        for variable, bound in _BOUNDS.items():
            if given := environ.get(variable):
                policy = replace(policy, **{bound: _number(variable, given)})
        return cls(ChatModel(name, url, environ.get(f"{_PREFIX}TOKEN") or None), policy)


def _number(variable: str, given: str) -> int:
    try:
        number = int(given)
    except ValueError:
        number = -1
    if number < 0:
        raise InvalidInputError(
            f"not a whole number: {given!r}", where=variable, remedy="give 0 or more"
        )
    return number


def model_judge_of(context: JobContext) -> ModelJudge | None:
    """What asks the model that is configured; its replies are kept beside the checkpoints."""
    config = context.model_judge
    if config is None:
        return None
    return ModelJudge(ChatEndpoint(config.model), _kept(context), config.policy)


@contextmanager
def opened_model_judge(context: JobContext) -> Iterator[ModelJudge | None]:
    """``model_judge_of``; when the block ends, the replies that nobody needed are forgotten."""
    yield model_judge_of(context)
    _kept(context).forget_oldest()


def _kept(context: JobContext) -> KeptTexts:
    return KeptTexts(context.checkpoints / _KEPT, max_files=_MAX_KEPT)
