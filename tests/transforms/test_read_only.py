"""Only what is provably one read-only query passes; everything else is refused with its reason."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from transforms.sql_lexing import MAX_NESTING, MAX_SQL_LENGTH, lex
from transforms.sql_text import QueryRefusedError, SqlParseError, parse_query

QUERIES = {
    "a plain select": "SELECT a FROM t WHERE b > 1",
    "a common table expression": "WITH c AS (SELECT 1 AS a) SELECT a FROM c",
    "a set operation": "SELECT a FROM t UNION ALL SELECT b FROM u ORDER BY 1",
    "a query in brackets": "((SELECT 1)) LIMIT 1",
    "one trailing semicolon": "SELECT 1;",
    "a trailing semicolon and a comment": "SELECT 1 ; -- done; really",
    "a semicolon in a string": "SELECT 'a; DROP TABLE t' AS a",
    "a semicolon in a comment": "SELECT 1 /* ; DROP TABLE t */ AS a",
    "a comment mark in a string": "SELECT '-- no', '/* no */' AS a",
    "a quote in a comment": "SELECT 1 -- don't\n AS a",
    "a comment that only another dialect executes": "SELECT 1 /*! , 2 */",
    "a doubled quote": "SELECT 'it''s' AS a",
    "an escaped quote": r"SELECT 'it\'s; DROP TABLE t' AS a",
    "a string that ends with a backslash": r"SELECT 'a\\' AS a, 'b' AS b",
    "a raw string": r"SELECT r'a\' AS a",
    "a name in backticks": "SELECT `drop table; --` FROM `insert into`",
    "a join hint": "SELECT /*+ BROADCAST(t), SHUFFLE_HASH(u) */ 1 FROM t JOIN u ON t.a = u.a",
    "a window, a lambda and a lateral view": (
        "SELECT SUM(a) OVER (PARTITION BY b), filter(c, x -> x > 1) FROM t "
        "LATERAL VIEW explode(c) v AS d"
    ),
    "the table function range": "SELECT * FROM range(5)",
    "a function of the space": "SELECT * FROM sales.top_customers(5)",
    "a built-in function by its full name": "SELECT system.builtin.abs(-1)",
    "a higher-order transform": "SELECT transform(a, x -> x + 1) FROM t",
    "time travel": "SELECT * FROM t VERSION AS OF 1",
    "a column that is called like a statement": "SELECT t.delete, `update` FROM t",
    "a type with fields": "SELECT CAST(a AS STRUCT<x: INT, y: ARRAY<STRING>>) FROM t",
    "white space of many kinds": "SELECT\u00a01\u2003,\t2\f,\v3",
}
NO_SQL = {
    "nothing": "",
    "blank": " \n\t",
    "a comment only": "-- SELECT 1",
    "prose": "I am sorry, I cannot answer that.",
    "an open string": "SELECT 'a",
    "a string whose end is escaped": r"SELECT 'a\'",
    "an open name": "SELECT `a FROM t",
    "an open comment": "SELECT 1 /* DROP",
    "open brackets": "SELECT (1",
    "a select of nothing": "SELECT",
    "letters that only look like a keyword": "SELECT 1 un\u0131on select 2",
    "a dotless i in INSERT": "\u0131nsert INTO t SELECT 1",
    "a long s in SELECT": "\u017felect 1",
    "a name outside ASCII without backticks": "SELECT caf\u00e9 FROM t",
    "a zero-width space": "SELECT 1\u200b",
    "a null character": "SELECT 1\0",
    "a template": "SELECT {{ a }} FROM t",
    "a template comment": "SELECT 1 {# , 2 #}",
    "a session variable": "SELECT @@version",
    "a positional variable": "SELECT $1",
    "brackets too deep for the parser": "SELECT " + "(" * 500 + "1" + ")" * 500,
    "operators too deep for the parser": "SELECT " + "NOT " * 5000 + "TRUE",
}
REFUSED = {
    "two statements": ("SELECT 1; SELECT 2", "more than one statement"),
    "two semicolons": ("SELECT 1;;", "more than one statement"),
    "a statement behind a comment": ("SELECT 1; /* x */ DROP TABLE t", "more than one statement"),
    "a statement behind a comment that a return ends": (
        "SELECT 1 -- x\r; DROP TABLE t",
        "more than one statement",
    ),
    "an insert": ("INSERT INTO t SELECT 1", "INSERT"),
    "an insert behind a common table expression": (
        "WITH c AS (SELECT 1) INSERT INTO t SELECT * FROM c",
        "changes data",
    ),
    "an insert in a common table expression": (
        "WITH c AS (INSERT INTO t SELECT 1) SELECT 1",
        "changes data",
    ),
    "a multiple insert": ("FROM t INSERT INTO u SELECT a", "FROM"),
    "a multiple insert behind a common table expression": (
        "WITH c AS (SELECT 1) FROM c INSERT INTO t SELECT *",
        "changes data",
    ),
    "a directory that is written to": (
        "WITH c AS (SELECT 1) INSERT OVERWRITE DIRECTORY '/x' SELECT * FROM c",
        "changes data",
    ),
    "a delete behind a common table expression": (
        "WITH c AS (SELECT 1) DELETE FROM t",
        "changes data",
    ),
    "an update": ("WITH c AS (SELECT 1) UPDATE t SET a = 1", "changes data"),
    "a merge": (
        "WITH c AS (SELECT 1) MERGE INTO t USING c ON TRUE WHEN MATCHED THEN DELETE",
        "changes data",
    ),
    "a statement as common table expression": ("WITH c AS (DROP TABLE t) SELECT 1", "must be"),
    "select into": ("SELECT * INTO u FROM t", "INTO"),
    **{
        word: (f"{word} x", word.split()[0])
        for word in (
            "CREATE TABLE", "DROP TABLE", "ALTER TABLE", "TRUNCATE TABLE", "SET", "RESET", "USE",
            "CACHE TABLE", "UNCACHE TABLE", "REFRESH TABLE", "EXPLAIN", "DESCRIBE", "SHOW", "CALL",
            "EXECUTE IMMEDIATE", "BEGIN", "DECLARE", "GRANT", "COPY INTO", "OPTIMIZE", "VACUUM",
            "ADD JAR", "LIST FILE", "LOAD DATA", "ANALYZE TABLE", "COMMENT ON", "MAP", "REDUCE",
            "TABLE", "VALUES",
        )
    },
    "a script": ("SELECT TRANSFORM(a) USING 'cat' FROM t", "script"),
    "a script in a subquery": ("SELECT * FROM (MAP a USING 'cat' FROM t)", "script"),
    "a substitution": ("SELECT ${spark.app.name}", "substitution"),
    "a substitution in a string": ("SELECT '${env:HOME}'", "substitution"),
    "a substitution in a comment": ("SELECT 1 -- ${env:HOME}", "substitution"),
    "a named parameter": ("SELECT :a", "parameter"),
    "a positional parameter": ("SELECT ?", "parameter"),
    "a parameter as limit": ("SELECT 1 LIMIT :n", "parameter"),
    "a path into semi-structured data": ("SELECT a:b FROM t", "semi-structured"),
    "a name given as a string": ("SELECT * FROM IDENTIFIER('t')", "names an object"),
    "pipe syntax": ("SELECT * FROM t |> WHERE a > 1", "pipe"),
    "a comment in a comment": ("SELECT 1 /* /* */ , 2 */", "comment inside a comment"),
    "a comment that a backslash continues": ("SELECT 1 -- \\\n, 2", "backslash"),
    "a hint that holds a string": ("SELECT /*+ x('*/ , secret()') */ 1", "hint"),
    "a file": ("SELECT * FROM parquet.`/etc/passwd`", "path"),
    "a file next to the process": ("SELECT * FROM text.notes", "reads files"),
    "a Delta folder": ("SELECT * FROM delta.`x`", "reads files"),
    "a format by its class": ("SELECT * FROM `org.apache.spark.sql.json`.x", "reads files"),
    "a bare path": ("SELECT * FROM `s3://bucket/key`", "path"),
    "the information schema": ("SELECT * FROM information_schema.tables", "information_schema"),
    "the information schema of a catalog": (
        "SELECT * FROM main.INFORMATION_SCHEMA.tables",
        "information_schema",
    ),
    "the system catalog": ("SELECT * FROM system.access.audit", "system catalog"),
    "a function of the system catalog": ("SELECT system.ai.python_exec('1')", "system catalog"),
    "a stream": ("SELECT * FROM STREAM t", "stream"),
    "a stream in brackets": ("SELECT * FROM STREAM(t)", "stream"),
    "options of a table": ("SELECT * FROM t WITH (nolock)", "options"),
    "a text that is too long": ("SELECT " + "1," * MAX_SQL_LENGTH + "1", "longer"),
    **{
        name: (f"SELECT {name}('a', 'b')", name)
        for name in (
            "reflect", "java_method", "try_reflect", "input_file_name", "from_protobuf", "secret",
            "try_secret", "list_secrets", "http_request", "ai_query", "ai_gen", "remote_query",
            "vector_search", "python_worker_logs",
        )
    },
    **{
        name: (f"SELECT * FROM {name}('/x')", name)
        for name in (
            "read_files", "cloud_files", "read_kafka", "read_state_metadata", "table_changes",
        )
    },
    "a function in capitals": ("SELECT REFLECT('a', 'b')", "reflect"),
    "a function in backticks": ("SELECT `reflect`('a', 'b')", "reflect"),
    "a function with a comment before its brackets": ("SELECT reflect /* x */ ('a')", "reflect"),
    "a qualified function": ("SELECT system.builtin.reflect('a', 'b')", "reflect"),
    "a function in a filter of a subquery": (
        "SELECT * FROM t WHERE a IN (SELECT java_method('a', 'b') FROM u)",
        "java_method",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sql", QUERIES.values(), ids=QUERIES)
def test_a_read_only_query_passes(sql):
    assert isinstance(parse_query(sql), exp.Query)


@pytest.mark.parametrize("sql", NO_SQL.values(), ids=NO_SQL)
def test_what_is_no_sql_is_a_parse_error(sql):
    with pytest.raises(SqlParseError):
        parse_query(sql)


@pytest.mark.parametrize(("sql", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_one_read_only_query_is_refused_with_its_reason(sql, reason):
    with pytest.raises(QueryRefusedError, match=f"(?i){reason}"):
        parse_query(sql)


def test_literals_are_read_as_spark_reads_them():
    tree = parse_query(r'''SELECT 'it''s', 'it\'s', "say ""hi""", 'a\\''b' ''')
    assert [literal.name for literal in tree.find_all(exp.Literal)] == [
        "it's",
        "it's",
        'say "hi"',
        r"a\'b",
    ]


def test_the_tree_holds_no_comments():
    tree = parse_query("SELECT a, -- secret plan\n b /* ignore the above */ FROM t")
    assert not any(node.comments for node in tree.walk())


def test_types_in_types_do_not_stall_the_parser():
    started = time.monotonic()
    with pytest.raises(SqlParseError, match="nested"):
        parse_query("SELECT " + "struct(" * (MAX_NESTING - 1) + "1" + ")" * (MAX_NESTING - 1))
    assert time.monotonic() - started < 1


def query_or_error(sql):
    try:
        return parse_query(sql)
    except (SqlParseError, QueryRefusedError) as error:
        return error


SQL_PIECES = st.sampled_from(
    "select from where ( ) , . ; ' \" ` -- /* */ /*+ \\ \n a t 1 'x' * = | > : ? ${ as with union "
    "insert into delete update merge using transform map stream values table order by".split(" ")
)


@given(st.one_of(st.text(), st.lists(SQL_PIECES).map(" ".join), st.lists(SQL_PIECES).map("".join)))
@settings(deadline=None, max_examples=300)
def test_no_text_raises_anything_but_the_two_errors(text):
    assert isinstance(query_or_error(text), exp.Query | SqlParseError | QueryRefusedError)


@given(st.lists(SQL_PIECES).map(" ".join))
@settings(deadline=None)
def test_the_text_that_is_parsed_has_the_same_tokens_again(text):
    try:
        lexed = lex(text)
    except (SqlParseError, QueryRefusedError):
        return
    again = lex(lexed.text)
    assert [token.kind for token in again.tokens] == [token.kind for token in lexed.tokens]
    assert again.text == lexed.text
