"""The sample as a repository, a catalog and a live space, all of one content."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import yaml
from databricks.sdk import WorkspaceClient

from genie.homes import Place
from genie.homes.catalog import CatalogHome
from genie.homes.files import RepoHome
from genie.homes.live_space import LiveSpaceHome
from genie.homes.space_homes import SpaceHomes
from genie.patching.create_statements import statements
from genie.warehouse_sql import warehouse_sql
from tests.genie.homes.fake_catalog import FakeCatalog

ROOT = Path(__file__).parents[3] / "samples" / "wanderbricks"
WAREHOUSE = "0000000000000001"


def copy_repo(folder: Path) -> Path:
    """The sample's files in a folder of their own."""
    repo = folder / "repo"
    if repo.exists():
        shutil.rmtree(repo)
    shutil.copytree(ROOT / "assets", repo / "assets")
    for name in ("space.json", "questions.jsonl"):
        shutil.copy(ROOT / name, repo / name)
    return repo


def fill(catalog: FakeCatalog) -> None:
    """The catalog as the files say."""
    catalog.comments, catalog.views, catalog.functions = {}, {}, {}
    for path in sorted((ROOT / "assets/tables").glob("*.yml")):
        table = yaml.safe_load(path.read_text())
        columns = {one["name"]: one.get("comment") or "" for one in table["columns"]}
        catalog.add_table(table["table"], columns, table.get("comment") or "")
    for path in sorted((ROOT / "assets").glob("*/*.sql")):
        (found,) = statements(path.read_text())
        held = catalog.views if found.kind == "view" else catalog.functions
        held[".".join(found.name)] = path.read_text()


@dataclass
class Sample:
    """The homes of the sample, and what is behind them."""

    client: WorkspaceClient
    catalog: FakeCatalog
    folder: Path

    def reset(self) -> None:
        """Everything as in the sample; a new space."""
        self.repo = copy_repo(self.folder)
        fill(self.catalog)
        text = (ROOT / "space.json").read_text()
        made = self.client.genie.create_space(warehouse_id=WAREHOUSE, serialized_space=text)
        self.space_id = str(made.space_id)

    def homes(self, run=None) -> SpaceHomes:
        """Opened anew, as by another process."""
        catalog = CatalogHome(run or warehouse_sql(self.client, WAREHOUSE))
        live = {
            "comment": catalog,
            "metric_view": catalog,
            "function": catalog,
            "space": LiveSpaceHome(self.client),
        }
        return SpaceHomes(live, Place("live", "space", self.space_id), RepoHome(self.repo))

    def state(self):
        """The content of every home."""
        files = {
            str(path.relative_to(self.repo)): path.read_bytes()
            for path in sorted(self.repo.rglob("*"))
            if path.is_file()
        }
        space = self.client.genie.get_space(self.space_id, include_serialized_space=True)
        return files, self.described(), space.serialized_space

    def described(self):
        """The catalog, definitions as a home reads them: however they were created."""
        home = self.homes().live["metric_view"]
        views = {n: home.read(Place("live", "metric_view", n)) for n in self.catalog.views}
        functions = {n: home.read(Place("live", "function", n)) for n in self.catalog.functions}
        return dict(self.catalog.comments), views, functions
