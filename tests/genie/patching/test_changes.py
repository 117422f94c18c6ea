"""Every patch on the sample's own files: what is asked for changes, and nothing else; and back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from genie.patching import Splice, changed, current_comment, found_instead
from genie.patching.create_statements import statements, tokens
from genie.patching.questions import with_questions
from genie.patching.refusals import ImpossiblePatchError
from transforms import patches as p
from transforms.errors import InvalidInputError
from transforms.serialized_space import SpaceConfig

ROOT = Path(__file__).parents[3] / "samples" / "wanderbricks"
TABLES = sorted((ROOT / "assets" / "tables").glob("*.yml"))
VIEWS = sorted((ROOT / "assets" / "metric_views").glob("*.sql"))
FUNCTIONS = sorted((ROOT / "assets" / "functions").glob("*.sql"))
SPACE = (ROOT / "space.json").read_text()
QUESTIONS = (ROOT / "questions.jsonl").read_text()
TEXTS = st.text(min_size=1, max_size=60).filter(lambda text: bool(text.strip()))
few = settings(deadline=None, max_examples=25)
each_table = pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
each_view = pytest.mark.parametrize("path", VIEWS, ids=lambda path: path.stem)
each_function = pytest.mark.parametrize("path", FUNCTIONS, ids=lambda path: path.stem)


def made(patch, kind, before):
    """The changed document, after the way back was found to be exact."""
    after = changed(patch, kind, before)
    splice = Splice.between(before, after)
    assert splice.applied(before) == after
    assert splice.inverse.applied(after) == before
    assert changed(patch, kind, after) == after, "made twice it is made once"
    return after


@few
@given(before=st.text(), after=st.text())
def test_a_splice_leads_there_and_exactly_back(before, after):
    splice = Splice.between(before, after)
    assert splice.applied(before) == after
    assert splice.inverse.applied(after) == before


def test_a_splice_is_not_made_where_its_part_does_not_stand():
    with pytest.raises(ValueError, match="not the one"):
        Splice(1, "bc", "x").applied("acb")


@few
@given(st.text(), st.text())
def test_a_comment_in_the_catalog_is_the_whole_document(before, comment):
    patch = p.SetTableComment.model_construct(table="a.b", comment=comment)
    assert changed(patch, "comment", before) == comment


@each_table
@few
@given(comment=TEXTS)
@example(comment="one row per booking: status says where it is # really")
@example(comment="'quoted' \"twice\"\nand on two lines")
@example(comment="null")
@example(comment="3")
def test_the_comment_of_a_table_changes_in_its_file_and_nothing_else(path, comment):
    before = path.read_text()
    patch = p.SetTableComment(table="wanderbricks.x", comment=comment)
    after = made(patch, "table_file", before)
    expected = {**yaml.safe_load(before), "comment": patch.comment}
    assert yaml.safe_load(after) == expected
    assert current_comment(patch, "table_file", after) == patch.comment


@each_table
@few
@given(data=st.data(), comment=TEXTS)
def test_the_comment_of_a_column_changes_in_its_file_and_nothing_else(path, data, comment):
    before = path.read_text()
    expected = yaml.safe_load(before)
    column = data.draw(st.sampled_from(expected["columns"]))
    patch = p.SetColumnComment(table="wanderbricks.x", column=column["name"], comment=comment)
    after = made(patch, "table_file", before)
    column["comment"] = patch.comment
    assert yaml.safe_load(after) == expected
    assert _comments(before) <= _comments(after)


def _comments(text):
    """The lines' comments, which people wrote for people."""
    return {line.partition(" # ")[2] for line in text.splitlines() if " # " in line}


def test_a_file_with_windows_line_ends_keeps_them():
    before = (ROOT / "assets/tables/reviews.yml").read_text().replace("\n", "\r\n")
    patch = p.SetColumnComment(table="x.reviews", column="is_deleted", comment="hidden")
    after = made(patch, "table_file", before)
    assert after.count("\n") == after.count("\r\n") == before.count("\n") + 1


@each_view
@few
@given(comment=TEXTS)
def test_a_new_measure_is_in_the_yaml_and_in_the_column_list(path, comment):
    before = path.read_text()
    view = f"wanderbricks.{path.stem}"
    patch = p.SetMetricViewMeasure(
        metric_view=view, name="guests 2+", expr="COUNT_IF(guests > 1)", comment=comment
    )
    after = made(patch, "metric_view", before)
    old, new = View(before), View(after)
    assert new.document["measures"][:-1] == old.document["measures"]
    assert new.document["measures"][-1] == {"name": "guests 2+", "expr": "COUNT_IF(guests > 1)"}
    assert {k: v for k, v in new.document.items() if k != "measures"} == {
        k: v for k, v in old.document.items() if k != "measures"
    }
    assert new.columns == [*old.columns, ("guests 2+", patch.comment)]


@each_view
def test_a_new_dimension_comes_behind_the_others(path):
    before = path.read_text()
    patch = p.SetMetricViewDimension(
        metric_view=path.stem.join(["wanderbricks.", ""]),
        name="year",
        expr="YEAR(created_at)",
        synonyms=("annum",),
    )
    old, new = View(before), View(made(patch, "metric_view", before))
    count = len(old.document["dimensions"])
    assert new.document["dimensions"][count] == {"name": "year", "expr": "YEAR(created_at)"}
    assert new.columns[count] == ("year", "Also called: annum.")
    assert [*new.columns[:count], *new.columns[count + 1 :]] == old.columns


@each_view
@few
@given(data=st.data())
def test_a_measure_that_is_there_gets_another_expression_in_its_place(path, data):
    before = path.read_text()
    old = View(before)
    position = data.draw(st.integers(0, len(old.document["measures"]) - 1))
    name = old.document["measures"][position]["name"]
    patch = p.SetMetricViewMeasure(
        metric_view=f"wanderbricks.{path.stem}", name=name, expr="SUM(a) FILTER (WHERE b = 'c: d')"
    )
    new = View(made(patch, "metric_view", before))
    assert new.document["measures"][position]["expr"] == "SUM(a) FILTER (WHERE b = 'c: d')"
    assert new.columns == old.columns
    assert [m["name"] for m in new.document["measures"]] == [
        m["name"] for m in old.document["measures"]
    ]


def test_a_view_without_column_list_gets_one_for_a_comment():
    before = (
        "CREATE VIEW s.v WITH METRICS LANGUAGE YAML AS $$\nversion: 0.1\nsource: s.t\n"
        "dimensions: [{name: d, expr: d}]\nmeasures: []\n$$"
    )
    patch = p.SetMetricViewMeasure(metric_view="s.v", name="m", expr="SUM(a)", comment="all")
    assert View(made(patch, "metric_view", before)).columns == [("d", None), ("m", "all")]
    dimension = p.SetMetricViewDimension(metric_view="s.v", name="e", expr="e", comment="it")
    assert View(made(dimension, "metric_view", before)).columns == [("d", None), ("e", "it")]


def test_from_version_one_on_comments_and_synonyms_are_in_the_yaml():
    before = (
        "CREATE VIEW c.s.v WITH METRICS LANGUAGE YAML AS $$\nversion: 1.1\nsource: s.t\n"
        "measures:\n  - name: m  # all of it\n    expr: SUM(a)\n$$;\n"
    )
    patch = p.SetMetricViewMeasure(
        metric_view="s.v", name="m", expr="SUM(b)", comment="b: all", synonyms=("x", "y")
    )
    after = made(patch, "metric_view", before)
    assert View(after).document["measures"] == [
        {"name": "m", "expr": "SUM(b)", "comment": "b: all", "synonyms": ["x", "y"]}
    ]
    assert "# all of it" in after


class View:
    def __init__(self, sql):
        (self.statement,) = statements(sql)
        self.document = yaml.safe_load(self.statement.body.text[2:-2])
        self.columns = [
            (entry.name, entry.comment.value if entry.comment else None)
            for entry in self.statement.entries
        ]


@each_function
@few
@given(data=st.data(), comment=TEXTS)
@example(data=None, comment="it's \\ a \n 'test' -- of $$ COMMENT 'x'")
def test_comments_of_functions_and_parameters_change_and_nothing_else(path, data, comment):
    before = path.read_text()
    (old,) = statements(before)
    names = [None, *(entry.name for entry in old.entries)]
    parameter = data.draw(st.sampled_from(names)) if data else None
    patch = p.SetFunctionComment(
        function=f"wanderbricks.{path.stem}", parameter=parameter, comment=comment
    )
    after = made(patch, "function", before)
    (new,) = statements(after)
    assert current_comment(patch, "function", after) == patch.comment
    assert before[old.definition :] == after[new.definition :]
    assert len(tokens(after)) - len(tokens(before)) in (0, 2)


def test_a_default_is_set_or_replaced():
    before = (ROOT / "assets/functions/top_destinations.sql").read_text()
    name = "wanderbricks.top_destinations"
    ten = p.SetFunctionDefault(function=name, parameter="how_many", default="5 + 2")
    assert "how_many INT DEFAULT 5 + 2 COMMENT 'n'" in made(ten, "function", before)
    year = p.SetFunctionDefault(function=name, parameter="in_year", default="2025")
    assert "in_year  INT DEFAULT 2025 COMMENT 'yr'" in made(year, "function", before)


def test_a_default_before_parameters_without_one_is_refused():
    before = (ROOT / "assets/functions/host_statement.sql").read_text()
    patch = p.SetFunctionDefault(
        function="wanderbricks.host_statement", parameter="the_host", default="1"
    )
    with pytest.raises(ImpossiblePatchError, match="from_day comes after it"):
        changed(patch, "function", before)


SPACE_PATCHES = [
    p.AddColumnSynonyms(table="wanderbricks.bookings", column="status", synonyms=("state",)),
    p.AddColumnSynonyms(table="WANDERBRICKS.bookings", column="TOTAL_AMOUNT", synonyms=("price",)),
    p.AddJoinSpec(
        left="wanderbricks.reviews",
        right="wanderbricks.users",
        sql="`reviews`.`user_id` = `users`.`user_id`",
        relationship="MANY_TO_ONE",
    ),
    p.AddSqlSnippet(kind="filter", sql="status = 'x'", display_name="x", synonyms=("y",)),
    p.AddSqlSnippet(kind="measure", sql="SUM(amount)", display_name="sum"),
    p.AddInstruction(space_id="s", topic="t", text="Mind the gap.\nTwice."),
]


@pytest.mark.parametrize("patch", SPACE_PATCHES, ids=lambda patch: patch.target)
def test_a_space_gets_what_it_did_not_have_and_keeps_its_bytes(patch):
    after = made(patch, "space", SPACE)
    assert after != SPACE
    assert SpaceConfig.parse(after).validate() == ()
    assert len(set(SPACE.splitlines()) - set(after.splitlines())) <= 2


@pytest.mark.parametrize("patch", SPACE_PATCHES, ids=lambda patch: patch.target)
@pytest.mark.parametrize(
    "before",
    [
        "{}",
        '{"columns": {"bookings.status": {"description": "d", "synonyms": ["s"]}}}',
        '{"instructions": ["a"], "join_specs": [], "snippets": []}',
    ],
)
def test_a_registered_space_keeps_what_it_had(patch, before):
    after = json.loads(made(patch, "registered_space", before))
    for key, value in json.loads(before).items():
        assert [item for item in value if item not in after[key]] == []


def test_an_example_goes_to_a_genie_space_only():
    patch = p.AddExampleQuestion(space_id="s", question="How many?", sql="SELECT COUNT(*) FROM t")
    added = SpaceConfig.parse(made(patch, "space", SPACE)).counts().examples
    assert added == SpaceConfig.parse(SPACE).counts().examples + 1
    with pytest.raises(ImpossiblePatchError, match="connect a Genie Space"):
        changed(patch, "registered_space", "{}")


def test_one_expected_sql_changes_in_the_file_of_questions():
    patch = p.CorrectBenchmark(
        space_id="s",
        question_id=json.loads(QUESTIONS.splitlines()[3])["question_id"],
        expected_sql="SELECT 'é' FROM t",
    )
    after = made(patch, "questions", QUESTIONS)
    lines = list(zip(QUESTIONS.splitlines(), after.splitlines(), strict=True))
    ((old, new),) = [pair for pair in lines if pair[0] != pair[1]]
    assert json.loads(new) == {**json.loads(old), "expected_sql": "SELECT 'é' FROM t"}


def test_a_quarantine_is_marked_in_the_file_of_questions_with_its_reason():
    question = json.loads(QUESTIONS.splitlines()[3])
    patch = p.QuarantineBenchmark(
        space_id="s", question_id=question["question_id"], reason="its expected SQL does not run"
    )
    after = made(patch, "questions", QUESTIONS)
    lines = list(zip(QUESTIONS.splitlines(), after.splitlines(), strict=True))
    ((old, new),) = [pair for pair in lines if pair[0] != pair[1]]
    assert json.loads(new) == {**json.loads(old), "quarantined": "its expected SQL does not run"}
    sql = question["expected_sql"]
    assert made(patch, "benchmark_status", f"active\n{sql}") == f"quarantined\n{sql}"
    for kind, document in (("questions", QUESTIONS), ("benchmark_status", f"active\n{sql}")):
        assert found_instead(patch, kind, document, sql) is None
        assert found_instead(patch, kind, document, "SELECT 0") == f"the expected SQL {sql!r}"


@pytest.mark.parametrize(
    ("patch", "kind", "document", "says"),
    [
        (SPACE_PATCHES[5], "comment", "", "a comment has no place"),
        (p.SetColumnComment(table="a.b", column="c", comment="x"), "table_file", "table: a.b",
         "no column c"),
        (p.SetTableComment(table="a.b", comment="x"), "table_file", "- 1", "mapping is expected"),
        (p.SetFunctionComment(function="a.b", comment="x"), "function", "SELECT 1",
         "nothing here creates"),
        (p.SetMetricViewMeasure(metric_view="a.b", name="n", expr="1"), "metric_view",
         "CREATE VIEW a.b AS SELECT 1", "not made of YAML"),
        (p.CorrectBenchmark(space_id="s", question_id="q", expected_sql="SELECT 1"), "questions",
         '{"question_id": "p"}\n', "no question q"),
        (p.AddColumnSynonyms(table="a.b", column="c", synonyms=("d",)), "space", '{"version": 2}',
         "does not have the table"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_refused_with_what_to_do(patch, kind, document, says):
    with pytest.raises(ImpossiblePatchError, match=says) as refused:
        changed(patch, kind, document)
    assert refused.value.remedy


PAYMENTS = next(path for path in VIEWS if path.stem == "payment_metrics").read_text()
AMOUNT = "SUM(amount) FILTER (WHERE status = 'completed')"


@pytest.mark.parametrize(
    ("name", "expr", "saw", "found"),
    [
        ("amount_ok", AMOUNT, "amt completed", None),
        ("amount_ok", AMOUNT.replace(" (", "\n("), "amt completed", None),
        ("amount_ok", AMOUNT, "another comment", "the comment 'amt completed'"),
        ("amount_ok", "SUM(net)", "amt completed", f"the expression {AMOUNT!r}"),
        ("amount_ok", "SUM(net)", AMOUNT, None),
        ("nobody has it", "SUM(net)", "", None),
    ],
    ids=["as seen", "laid out otherwise", "comment", "expression", "corrected", "new"],
)
def test_a_measure_that_somebody_changed_meanwhile_is_found(name, expr, saw, found):
    patch = p.SetMetricViewMeasure(
        metric_view="wanderbricks.payment_metrics", name=name, expr=expr, comment="what came in"
    )
    assert found_instead(patch, "metric_view", PAYMENTS, saw) == found
    after = changed(patch, "metric_view", PAYMENTS)
    assert found_instead(patch, "metric_view", after, saw) is None, "made already"


def test_an_expected_sql_that_somebody_changed_meanwhile_is_found():
    first = json.loads(QUESTIONS.splitlines()[0])
    patch = p.CorrectBenchmark(
        space_id="s", question_id=first["question_id"], expected_sql="SELECT 1"
    )
    old = first["expected_sql"]
    for kind, document in (("questions", QUESTIONS), ("benchmark", old)):
        assert found_instead(patch, kind, document, old) is None
        assert found_instead(patch, kind, document, "SELECT 0") == f"the expected SQL {old!r}"
    assert found_instead(patch, "benchmark", "SELECT  1", old) is None, "made already"


LINES = [json.loads(line) for line in QUESTIONS.splitlines()]


def test_questions_are_changed_where_they_stand_and_new_ones_come_last():
    changed_one = {"question_id": LINES[3]["question_id"], "expected_sql": "SELECT 3"}
    new = {"question_id": "new", "question": "Wie viele Gäste?", "expected_sql": "SELECT 4"}
    after = with_questions(QUESTIONS, [changed_one, new])
    before_lines, after_lines = QUESTIONS.splitlines(), after.splitlines()
    assert after_lines[:3] + after_lines[4:-1] == before_lines[:3] + before_lines[4:]
    assert json.loads(after_lines[3]) == {**LINES[3], "expected_sql": "SELECT 3"}
    assert json.loads(after_lines[-1]) == new
    assert with_questions(after, [changed_one, new]) == after, "made twice it is made once"
    assert with_questions(QUESTIONS, []) == QUESTIONS


@pytest.mark.parametrize("text", ["", '{"question_id": "a"}', '{"question_id": "a"}\n'])
def test_a_new_question_stands_in_a_line_of_its_own(text):
    after = with_questions(text, [{"question_id": "b"}])
    assert [json.loads(line)["question_id"] for line in after.splitlines()][-1] == "b"
    assert after.startswith(text)
    assert after.endswith("\n")


def test_a_file_of_questions_that_is_broken_is_told_by_its_line():
    with pytest.raises(InvalidInputError, match="line 2"):
        with_questions('{"question_id": "a"}\nbroken\n', [{"question_id": "b"}])
