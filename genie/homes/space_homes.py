"""The homes of one space: where each type of patch lands, in the repository and live."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from genie.homes.base import Home, Place
from genie.homes.files import RepoHome
from genie.patching.changes import DocumentKind
from genie.patching.refusals import impossible
from genie.patching.spaces import SPACE_PATCHES
from transforms.patches import (
    CorrectBenchmark,
    Patch,
    QuarantineBenchmark,
    SetColumnComment,
    SetFunctionComment,
    SetFunctionDefault,
    SetMetricViewDimension,
    SetMetricViewMeasure,
    SetMlTableComment,
    SetMonitoringComment,
    SetTableComment,
)


@dataclass(frozen=True)
class SpaceHomes:
    """``live`` by kind of document; ``space`` is where the space's own configuration is.

    ``repo`` is None for a space without a repo home: its changes have one home.
    """

    live: Mapping[DocumentKind, Home]
    space: Place
    repo: RepoHome | None = None

    def of(self, place: Place) -> Home:
        """The home that a place is in. Raises KeyError for one that the space does not have."""
        if place.home == "repo":
            if self.repo is None:
                raise KeyError(str(place))
            return self.repo
        return self.live[place.kind]

    def places(self, patch: Patch) -> tuple[Place, ...]:
        """Where the patch lands, in order: the repository's file, then the live object.

        Raises MissingObjectError where no file of the repository defines the object.
        """
        repo, live = self.repo, self._live_place(patch)
        if repo is None:
            return (live,)
        match live.kind:
            case "comment":
                file = repo.table_file(live.name)
            case "metric_view" | "function":
                file = repo.definition(live.name, live.kind)
            case "benchmark" | "benchmark_status":
                file = repo.questions_file()
            case _:
                file = repo.space_file()
        return (file, live)

    def _live_place(self, patch: Patch) -> Place:
        match patch:
            case SetTableComment():
                return Place("live", "comment", patch.table)
            case SetColumnComment() | SetMonitoringComment() | SetMlTableComment():
                return Place("live", "comment", patch.table, patch.column)
            case SetMetricViewMeasure() | SetMetricViewDimension():
                return Place("live", "metric_view", patch.metric_view)
            case SetFunctionComment() | SetFunctionDefault():
                return Place("live", "function", patch.function)
            case CorrectBenchmark():
                return Place("live", "benchmark", f"{patch.space_id}/{patch.question_id}")
            case QuarantineBenchmark():
                return Place("live", "benchmark_status", f"{patch.space_id}/{patch.question_id}")
            case _ if isinstance(patch, SPACE_PATCHES):
                return self.space
        raise impossible("nothing is known that it changes", patch, "propose another change")
