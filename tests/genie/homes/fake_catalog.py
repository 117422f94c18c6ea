"""A catalog in a dict behind the embedded workspace: it describes, comments, creates and drops.

It answers as Spark 4.2 does: a metric view is not replaced, the comments of parameters are shown as
they are, a type is padded where another one is longer.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from genie.local.seams import Column, SqlFailedError, SqlResult
from genie.patching.create_statements import statements, tokens


@dataclass
class FakeCatalog:
    """``tables``: comment by table, and by table and column; ``created``: SQL by view, function."""

    comments: dict[tuple[str, ...], str] = field(default_factory=dict)
    views: dict[str, str] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)
    refuses: str | None = None
    replaces_views: bool = False

    def add_table(self, name, columns, comment=""):
        self.comments[(name,)] = comment
        self.comments.update({(name, column): told for column, told in columns.items()})

    def state(self):
        """Everything there is, to be compared."""
        return dict(self.comments), dict(self.views), dict(self.functions)

    def cancel(self, tag):
        """Nothing runs long enough."""

    def execute(self, request):
        sql = request.sql
        if self.refuses is not None and self.refuses in sql:
            raise SqlFailedError("[PARSE_SYNTAX_ERROR] it is not liked")
        words = [token for token in tokens(sql) if token.text != "."]
        first = " ".join(token.text.upper() for token in words[:3])
        if first == "DESCRIBE TABLE EXTENDED":
            return _rows(self._table(_name(words[3:])), 3)
        if first == "DESCRIBE FUNCTION EXTENDED":
            return _rows([(line,) for line in self._function(_name(words[3:]))], 1)
        if first == "COMMENT ON TABLE":
            self._set((_name(words[3:]),), words[-1].value)
        elif first.startswith("ALTER TABLE"):
            at = next(i for i, token in enumerate(words) if token.is_word("COLUMN"))
            self._set((_name(words[2:]), words[at + 1].name), words[-1].value)
        elif first.startswith("DROP VIEW"):
            del self.views[_name(words[2:])]
        else:
            self._create(sql)
        return SqlResult()

    def _set(self, key, comment):
        if key not in self.comments:
            raise SqlFailedError(f"[TABLE_OR_VIEW_NOT_FOUND] {key}")
        self.comments[key] = comment

    def _create(self, sql):
        (found,) = statements(sql)
        name = ".".join(found.name)
        held = self.views if found.kind == "view" else self.functions
        if found.kind == "view" and name in held and not self.replaces_views:
            raise SqlFailedError(f"[TABLE_OR_VIEW_ALREADY_EXISTS] {name}")
        held[name] = sql

    def _table(self, name):
        if name in self.views:
            (found,) = statements(self.views[name])
            columns = [(e.name, "x", e.comment.value if e.comment else None) for e in found.entries]
            details = [("Type", "METRIC_VIEW", ""), ("View Text", found.body.text[2:-2], "")]
            if found.comment:
                details.insert(0, ("Comment", found.comment.value, ""))
        elif (name,) in self.comments:
            columns = [(k[1], "x", told) for k, told in self.comments.items()
                       if k[0] == name and len(k) > 1]  # fmt: skip
            details = [("Type", "MANAGED", ""), ("Comment", self.comments[(name,)], "")]
        else:
            raise SqlFailedError(f"[TABLE_OR_VIEW_NOT_FOUND] {name} cannot be found")
        return [*columns, ("", "", ""), ("# Detailed Table Information", "", ""), *details]

    def _function(self, name):
        if name not in self.functions:
            raise SqlFailedError(f"[UNRESOLVED_ROUTINE] Cannot resolve routine {name}")
        sql = self.functions[name]
        (found,) = statements(sql)
        lines = [f"Function:      {name}", "Type:          TABLE"]
        lines += _labelled("Input:", [_entry(sql, entry) for entry in found.entries])
        returns = sql[sql.index("RETURNS TABLE") + len("RETURNS TABLE") :]
        (columns,) = statements(f"CREATE VIEW a.b {returns}")
        of = f"CREATE VIEW a.b {returns}"
        lines += _labelled("Returns:", [_entry(of, entry) for entry in columns.entries])
        if found.comment:
            lines.append(f"Comment:       {found.comment.value}")
        body = sql[found.definition + len("RETURN") :].strip().rstrip(";")
        return [*lines, "Deterministic: true", "Configs:       a=1", "               b=2",
                f"Body:          {body}"]  # fmt: skip


def _entry(sql, entry):
    name, _, rest = sql[entry.start : entry.head_end].partition(" ")
    shown = f"{name.strip('`')} {rest.strip()}"
    if entry.default:
        shown += f" DEFAULT {sql[slice(*entry.default)]}"
    return shown + (f" '{entry.comment.value}'" if entry.comment else "")


def _labelled(label, entries):
    return [f"{label if not i else '':<15}{entry}" for i, entry in enumerate(entries)]


def _name(words):
    """The name that the tokens begin with; only two-part names are here."""
    return ".".join(token.name for token in words[:2])


def _rows(rows, width):
    columns = tuple(Column(f"c{number}", "string") for number in range(width))
    return SqlResult(columns, tuple(rows))
