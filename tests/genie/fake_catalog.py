"""A catalog in memory that does what deploying asks for, and tells it as Spark does."""

from __future__ import annotations

import re
from dataclasses import replace

from genie.catalog import Member, Relation, Routine, StatementFailedError
from genie.definition_files import read_definition
from genie.local.seams import Column, SqlFailedError, SqlResult

COMMENT_ON = re.compile(r"COMMENT ON TABLE (\S+) IS (.*)", re.DOTALL)
ALTER = re.compile(r"ALTER TABLE (\S+) ALTER COLUMN (\S+) COMMENT (.*)", re.DOTALL)
PROPERTY = re.compile(r"ALTER TABLE (\S+) SET TBLPROPERTIES \('(.*)' = '(.*)'\)")


class FakeCatalog:
    """``run`` is a ``RunSql``; ``changes`` are the statements that changed something.

    ``breaks_after`` changes, every further one fails.
    """

    def __init__(self, *tables):
        self.objects = {table.name: table for table in tables}
        self.changes = []
        self.breaks_after = None

    def run(self, sql):
        if sql.startswith(("DESCRIBE", "SHOW")):
            return self._told(sql)
        if self.breaks_after is not None and len(self.changes) >= self.breaks_after:
            raise StatementFailedError("[INTERNAL_ERROR] broken", where=sql)
        self._change(sql)
        self.changes.append(sql)
        return []

    def _change(self, sql):
        if found := COMMENT_ON.fullmatch(sql):
            self._set(found[1], comment=_text(found[2]))
        elif found := ALTER.fullmatch(sql):
            table, column = self.objects[_name(found[1])], _name(found[2])
            columns = tuple(
                replace(c, comment=_text(found[3])) if c.name == column else c
                for c in table.columns
            )
            self._set(found[1], columns=columns)
        elif found := PROPERTY.fullmatch(sql):
            properties = {**self.objects[_name(found[1])].properties, found[2]: found[3]}
            self._set(found[1], properties=properties)
        elif sql.startswith("DROP VIEW"):
            del self.objects[_name(sql.split()[-1])]
        else:
            made = read_definition(
                sql.replace("CREATE VIEW", "CREATE OR REPLACE VIEW"), "sql"
            ).wanted
            if "broken" in sql:
                raise StatementFailedError("[METRIC_VIEW_INVALID] broken", where=sql)
            if isinstance(made, Relation) and made.name in self.objects:
                raise StatementFailedError("[TABLE_OR_VIEW_ALREADY_EXISTS] there", where=sql)
            self.objects[made.name] = made

    def _set(self, name, **changes):
        self.objects[_name(name)] = replace(self.objects[_name(name)], **changes)

    def _told(self, sql):
        if sql == "SHOW SYSTEM FUNCTIONS":
            return [("count",)]
        one = self.objects.get(_name(sql.split()[-1]))
        if one is None or isinstance(one, Routine) is not ("FUNCTION" in sql):
            raise StatementFailedError("[TABLE_OR_VIEW_NOT_FOUND] gone", sql_state="42P01")
        if isinstance(one, Routine):
            inputs = "\n               ".join(map(_line, one.parameters)) or "()"
            returns = "\n               ".join(map(_line, one.returns))
            text = f"Type:          TABLE\nInput:         {inputs}\nReturns:       {returns}"
            text += f"\nComment:       {one.comment}" if one.comment else ""
            return [(line,) for line in [*text.split("\n"), f"Body:          {one.body}"]]
        if sql.startswith("SHOW"):
            return list(one.properties.items())
        return [
            *((c.name, c.data_type, c.comment) for c in one.columns),
            ("", "", ""),
            ("Type", "METRIC_VIEW" if one.kind == "metric_view" else "MANAGED", ""),
            *([("Comment", one.comment, "")] if one.comment else []),
            *([("View Text", one.definition, "")] if one.definition else []),
        ]


class CatalogBackend:
    """The played catalog as a SQL backend."""

    def __init__(self, catalog):
        self.catalog = catalog

    def execute(self, request):
        try:
            rows = self.catalog.run(request.sql)
        except StatementFailedError as error:
            raise SqlFailedError(error.what, sql_state=error.sql_state) from error
        width = len(rows[0]) if rows else 0
        columns = tuple(Column(f"c{n}", "string") for n in range(width))
        return SqlResult(columns, tuple(tuple(row) for row in rows))

    def cancel(self, tag):
        raise AssertionError("nothing is cancelled here")


def table(name, *columns, comment=None):
    """A table with string columns without comments."""
    return Relation(name, "table", tuple(Member(c, "string") for c in columns), comment)


def _name(quoted):
    return quoted.replace("`", "")


def _text(literal):
    if literal == "NULL":
        return None
    return literal[1:-1].replace("\\'", "'").replace("\\\\", "\\") or None


def _line(member):
    default = f" DEFAULT {member.default}" if member.default else ""
    comment = f" '{member.comment}'" if member.comment else ""
    return f"{member.name} {member.data_type}{default}{comment}"
