"""Whether two queries ask the same, whatever their order of joins, conditions and groups."""

from __future__ import annotations

from sqlglot import exp

from transforms.sql_text import canonical_tree, parse_query


def shape(sql: str) -> object:
    """Equal shapes are equal but for writing; tables are called by their names, not by aliases."""
    tree = parse_query(sql)
    names = {t.alias: t.name for t in tree.find_all(exp.Table) if t.alias}
    for column in tree.find_all(exp.Column):
        if column.table in names:
            column.set("table", exp.to_identifier(names[column.table]))
    for found in tree.find_all(exp.Table):
        found.set("alias", None)
    for select in tree.find_all(exp.Select):
        if not select.args.get("joins") and isinstance(select.parent, exp.Expression | None):
            _drop_qualifiers(select)
    return _shape(canonical_names(tree))


def canonical_names(tree: exp.Query) -> exp.Query:
    for identifier in tree.find_all(exp.Identifier):
        identifier.set("this", identifier.name.lower())
        identifier.set("quoted", False)
    for table in tree.find_all(exp.Table):
        if isinstance(table.this, exp.Anonymous):
            table.this.set("this", table.this.name.lower())
    return tree


def _drop_qualifiers(select: exp.Select) -> None:
    own = {t.name for t in select.args["from_"].find_all(exp.Table)}
    if select.find(exp.Exists) or select.find_ancestor(exp.Exists):
        return
    for column in select.find_all(exp.Column):
        if column.table in own:
            column.set("table", None)


def _shape(tree: exp.Expression) -> object:
    if isinstance(tree, exp.Subquery):
        return _shape(tree.this)
    if not isinstance(tree, exp.Select):
        return _text(tree)
    joins = tree.args.get("joins") or []
    order = tree.args.get("order")
    limit = tree.args.get("limit")
    group = tree.args.get("group")
    source = tree.args["from_"].this
    tables = [source, *(j.this for j in joins)]
    return (
        tuple(_text(e.unalias()) for e in tree.expressions),
        tuple(sorted(str(_shape(t)) for t in tables)),
        tuple(sorted(_condition(j.args.get("on")) for j in joins)),
        _conditions(tree.args.get("where")),
        tuple(sorted(_text(e) for e in group.expressions)) if group else (),
        _conditions(tree.args.get("having")),
        tuple(_text(o.this) + " desc" * bool(o.args.get("desc")) for o in order.expressions)
        if order
        else (),
        _text(limit.expression) if limit else None,
        bool(tree.args.get("distinct")),
    )


def _conditions(clause) -> tuple[str, ...]:
    if clause is None:
        return ()
    trees = clause.this.flatten() if isinstance(clause.this, exp.And) else [clause.this]
    return tuple(sorted(_condition(one.unnest()) for one in trees))


def _condition(tree) -> str:
    if isinstance(tree, exp.EQ):
        return " = ".join(sorted((_text(tree.this), _text(tree.expression))))
    inner = (
        tree.this.this if isinstance(tree, exp.Not) and isinstance(tree.this, exp.Exists) else None
    )
    if inner is not None:
        return f"not exists {_conditions(inner.args.get('where'))} {_text(inner.args['from_'])}"
    return _text(tree)


def _text(tree) -> str:
    copy = exp.select(tree.copy()) if not isinstance(tree, exp.Query | exp.From) else tree.copy()
    text = copy if isinstance(copy, exp.From) else canonical_tree(copy)
    return text.sql(dialect="spark", comments=False).replace("`", "")


def same(sql: str | None, expected: str) -> bool:
    """Whether an answer is the expected query."""
    return sql is not None and shape(sql) == shape(expected)
