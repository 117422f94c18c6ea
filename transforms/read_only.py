"""What may be executed: exactly one read-only query, proven by parsing.

The text is treated as hostile. A query passes when Spark's lexical rules leave one statement
that starts like a query (``sql_lexing``), when the parser finds nothing in its tree but a query,
and when it calls no function and names no table that reaches beyond tables: files, network, the
JVM, secrets, models, the system's own catalog. What is not provably a query is refused.

What is executed is always the text that was checked, as it came, never one generated from the
tree.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlglot import exp
from sqlglot.dialects.spark import Spark

from transforms.sql_lexing import (
    LexedSql,
    QueryRefusedError,
    SqlParseError,
    Token,
    check_nesting,
    lex,
)

_TYPE_WORDS = frozenset(
    word.lower()
    for word, token_type in Spark.Tokenizer.KEYWORDS.items()
    if token_type in Spark.Parser.TYPE_TOKENS
)

# First words of statements that Spark or Databricks run; other text that is no query is no SQL.
_STATEMENT_WORDS = frozenset(
    "add alter analyze begin cache call clear comment commit convert copy create declare delete "
    "deny desc describe dfs drop execute explain export for from fsck generate get grant if import "
    "insert list load lock map merge msck optimize put reduce refresh remove repair replace reset "
    "restore revoke rollback set show start sync table truncate uncache undrop unlock unset update "
    "use vacuum values while".split()
)

# Functions that do more than compute from their arguments. Matched by the last part of the name,
# whatever qualifies it: `system.builtin.reflect` is `reflect`.
_REFUSED_FUNCTIONS = {
    "it calls into the JVM": "java_method reflect try_reflect",
    "it reads files or says where they are": (
        "cloud_files cloud_files_state from_protobuf to_protobuf input_file_block_length "
        "input_file_block_start input_file_name python_worker_logs table_changes_by_path"
    ),
    "it reaches over the network": (
        "event_log from_avro http_request remote_query to_avro vector_search"
    ),
    "it reads secrets": "list_secrets secret try_secret",
    "it reads a table that is named in a string": "table_changes",
    "it names an object in a string": "identifier",
    "it reads a stream": "stream",
}
_REFUSED_BY_NAME = {
    name: reason for reason, names in _REFUSED_FUNCTIONS.items() for name in names.split()
}
_REFUSED_BY_PREFIX = {
    "ai_": "it asks a model",
    "read_": "it reads files or streams",
}

# Schemas that are not schemas: Spark reads `parquet`.`/path` as a file unless such a table exists.
_FILE_FORMATS = frozenset(
    "avro binaryfile cloudfiles csv delta excel hudi iceberg image jdbc json kafka libsvm orc "
    "parquet protobuf rate socket text xml".split()
)

_MARKER = "it has a parameter marker, or a path into semi-structured data (a:b)"
_FORBIDDEN_NODES: dict[type[exp.Expr], str] = {
    exp.DDL: "it changes data or definitions",
    exp.DML: "it changes data",
    exp.MultitableInserts: "it changes data",
    exp.Into: "SELECT INTO creates a table",
    exp.Command: "it is a command",
    exp.QueryTransform: "TRANSFORM ... USING runs a script",
    exp.Parameter: _MARKER,
    exp.Placeholder: _MARKER,
    exp.SessionParameter: _MARKER,
    exp.WithTableHint: "it sets options of a table",
}


def parse_query(sql: str, *, hidden_schemas: Collection[str] = ()) -> exp.Query:
    """The tree of a text that is one read-only query, without its comments.

    One trailing semicolon is taken; Spark takes it too. Tables of ``hidden_schemas``, in any
    catalog, may not be read. Raises ``SqlParseError`` when the text is
    no SQL, ``QueryRefusedError`` with the reason when it is anything but a query over tables, and
    nothing else, whatever the text.
    """
    lexed = _without_semicolon(lex(sql))
    _check_statement(lexed.tokens)
    check_nesting(lexed.tokens, _TYPE_WORDS)
    tree = _parse(lexed.text)
    if not isinstance(tree, exp.Query):
        raise QueryRefusedError("it is not a query")
    _check_tree(tree)
    hidden = {schema.lower() for schema in hidden_schemas}
    for table in tree.find_all(exp.Table) if hidden else ():
        if table.db.lower() in hidden:
            raise QueryRefusedError(f"schema {table.db} is not for queries")
    return tree


def _without_semicolon(lexed: LexedSql) -> LexedSql:
    """The query without the one semicolon that may end it.

    Strings and comments are not in the way: the tokens are known, and after the last one there is
    only blank space.
    """
    if lexed.tokens and lexed.tokens[-1] == Token("symbol", ";"):
        return LexedSql(lexed.text.rstrip()[:-1], lexed.tokens[:-1])
    return lexed


def _check_statement(tokens: tuple[Token, ...]) -> None:
    """Refuse by tokens what is no query, or would be read differently once parsed."""
    first = next((token for token in tokens if token != Token("symbol", "(")), None)
    if first is None:
        raise SqlParseError("there is nothing to execute")
    if not first.is_word("select", "with"):
        word = first.text.upper()
        if first.is_word(*_STATEMENT_WORDS):
            raise QueryRefusedError(f"{word} is not a query that starts with SELECT or WITH")
        raise SqlParseError(f"a query starts with SELECT or WITH, not with {word[:40]!r}")
    neighbours = zip((None, *tokens[:-1]), tokens, (*tokens[1:], None), strict=True)
    for previous, token, following in neighbours:
        _check_symbol(token)
        _check_word(previous, token, following)
        _check_function(token, following)


def _check_symbol(token: Token) -> None:
    if token == Token("symbol", ";"):
        raise QueryRefusedError("it is more than one statement")
    if token == Token("symbol", "|>"):
        raise QueryRefusedError("pipe syntax (|>) is not supported; write it as SELECT")


def _check_word(previous: Token | None, token: Token, following: Token | None) -> None:
    """Refuse what Spark's grammar lets into a text that began as a query.

    After SELECT or WITH that is a data change behind the common table expressions, or a script.
    """
    is_after_bracket = previous == Token("symbol", ")")
    if token.is_word("insert", "delete", "update", "merge") and is_after_bracket:
        raise QueryRefusedError("it changes data")
    if following is None:
        return
    if token.is_word("insert") and following.is_word("into", "overwrite"):
        raise QueryRefusedError("it changes data")
    if token.is_word("using") and following.kind == "string":
        raise QueryRefusedError("USING with a string runs a script")


def _check_function(token: Token, following: Token | None) -> None:
    is_call = token.kind in ("word", "name") and following == Token("symbol", "(")
    if not is_call:
        return
    name = token.text.lower()
    reason = _REFUSED_BY_NAME.get(name) or next(
        (why for prefix, why in _REFUSED_BY_PREFIX.items() if name.startswith(prefix)), None
    )
    if reason:
        raise QueryRefusedError(f"function {name} is not allowed: {reason}")


def _parse(text: str) -> exp.Expr | None:
    dialect = Spark()
    try:
        trees = dialect.parse(text)
    except Exception as error:
        # The parser is not ours and the text is hostile: besides its own errors it is known to
        # raise IndexError and RecursionError. Whatever it raises, the text was not understood.
        raise SqlParseError(_first_line(error)) from error
    if len(trees) != 1:
        raise QueryRefusedError("it is more than one statement")
    return trees[0]


def _first_line(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__


def _check_tree(tree: exp.Expr) -> None:
    for node in tree.walk():
        for kind, reason in _FORBIDDEN_NODES.items():
            if isinstance(node, kind):
                raise QueryRefusedError(reason)
        if isinstance(node, exp.Select) and not node.expressions:
            raise SqlParseError("SELECT without columns")
        if isinstance(node, exp.CTE) and not isinstance(node.this, exp.Query):
            raise QueryRefusedError("a common table expression must be a query")
        if isinstance(node, exp.Table):
            _check_table(node)
        elif isinstance(node, exp.Dot) and not isinstance(node.parent, exp.Dot):
            _check_qualifiers([part.name for part in node.flatten()])


def _check_table(table: exp.Table) -> None:
    parts = [part.name for part in table.parts]
    if any(character in part for part in parts for character in "/\\:"):
        raise QueryRefusedError(f"{'.'.join(parts)} is a path, not a table")
    if parts[0].lower() == "stream" and len(parts) == 1:
        raise QueryRefusedError("it reads a stream")
    _check_qualifiers(parts)
    if len(parts) > 1 and _is_file_format(parts[-2]):
        raise QueryRefusedError(f"{parts[-2]} reads files, it is not a schema")


def _is_file_format(schema: str) -> bool:
    """A data source by its short name or, with dots in it, by its class."""
    return schema.lower() in _FILE_FORMATS or "." in schema


def _check_qualifiers(parts: Sequence[str]) -> None:
    qualifiers = [part.lower() for part in parts[:-1]]
    if "information_schema" in qualifiers:
        raise QueryRefusedError("it reads information_schema")
    if qualifiers[:1] == ["system"] and qualifiers[1:] not in (["builtin"], ["session"]):
        raise QueryRefusedError("it reads the system catalog")
