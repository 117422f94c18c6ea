"""A public library: members of several branches borrow books."""

from __future__ import annotations

from genie.local.engine.catalog import (
    CatalogColumn,
    CatalogDescription,
    CatalogDimension,
    CatalogFunction,
    CatalogMeasure,
    CatalogMetricView,
    CatalogParameter,
)
from tests.genie.local.engine.spaces import (
    MATCHED,
    Business,
    example,
    join,
    snippet,
    source,
    table,
)

BOOKS = "town.library.books"
AUTHORS = "town.library.authors"
MEMBERS = "town.library.members"
BRANCHES = "town.library.branches"
LOANS = "town.library.loans"
LENDING = "town.library.mv_lending"
OVERDUE = "town.library.overdue_members"

CATALOG = CatalogDescription(
    tables=(
        table(
            BOOKS,
            "Titles in the catalogue, one row per book",
            {
                "book_id": ("bigint", None),
                "title": ("string", None),
                "genre": ("string", "Kind of literature", ["Crime", "Poetry", "Travel writing"]),
                "pages": ("int", "Length of the printed edition"),
                "list_price": ("decimal(8,2)", "What a lost copy costs to replace"),
                "pub_year": ("int", "Year of publication"),
                "author_id": ("bigint", None),
            },
            key="book_id",
        ),
        table(
            AUTHORS,
            "Writers of the books",
            {
                "author_id": ("bigint", None),
                "name": ("string", None, ["Ada Holm", "Bo Lindgren"]),
                "country": ("string", "Where the writer was born"),
                "born_on": ("date", None),
            },
            key="author_id",
        ),
        table(
            MEMBERS,
            "People with a library card, also called patrons",
            {
                "member_id": ("bigint", None),
                "full_name": ("string", None),
                "email": ("string", None),
                "tier": ("string", "Kind of card: S = standard, P = premium, J = junior"),
                "joined_on": ("date", "Day of registration"),
                "is_active": ("boolean", None),
                "branch_id": ("bigint", None),
            },
            key="member_id",
        ),
        table(
            BRANCHES,
            "Buildings of the library",
            {
                "branch_id": ("bigint", None),
                "name": ("string", None, ["Harbour", "Old Town", "Northside"]),
                "city": ("string", None),
                "opened_on": ("date", None),
            },
            key="branch_id",
        ),
        table(
            LOANS,
            "Every time a member borrowed a book",
            {
                "loan_id": ("bigint", None),
                "book_id": ("bigint", None),
                "member_id": ("bigint", None),
                "loaned_on": ("date", "Day on which the book was borrowed"),
                "due_on": ("date", "Last day to bring it back"),
                "returned_on": ("date", "Day on which it came back, empty while it is out"),
                "fine_amt": ("decimal(8,2)", "Late fee charged to the member"),
                "sts": ("string", "State of the loan: 'O' = open, 'R' = returned, 'L' = lost"),
            },
            key="loan_id",
        ),
    ),
    metric_views=(
        CatalogMetricView(
            LENDING,
            comment="Governed lending figures",
            dimensions=(
                CatalogDimension("loan_month", "date_trunc('MONTH', loaned_on)", "date"),
                CatalogDimension("branch", "branches.name", comment="Branch of the member"),
                CatalogDimension("genre", "books.genre", values=("Crime", "Poetry")),
            ),
            measures=(
                CatalogMeasure(
                    "lending_total", "COUNT(1)", comment="How often books were borrowed",
                    synonyms=("circulation", "checkouts"),
                ),
                CatalogMeasure(
                    "fine_income", "SUM(fine_amt)", comment="Money earned with late fees",
                    synonyms=("fine revenue", "penalty income"),
                ),
                CatalogMeasure("loss_rate", "AVG(IF(sts = 'L', 1, 0))", display_name="Loss rate"),
            ),
        ),
    ),
    functions=(
        CatalogFunction(
            OVERDUE,
            comment="Members who keep books beyond the due day, the latest first",
            parameters=(
                CatalogParameter("p_days", "INT", "Fewest days they are late"),
                CatalogParameter("p_rows", "INT", "Most rows to return", default="100"),
            ),
            returns=(CatalogColumn("full_name", "string"), CatalogColumn("days_late", "int")),
        ),
    ),
)  # fmt: skip

CONFIG = {
    "version": 2,
    "config": {},
    "data_sources": {
        "tables": [
            source(AUTHORS, name={**MATCHED, "synonyms": ["writer"]}, country={}),
            source(BOOKS, genre={**MATCHED, "synonyms": ["category"]},
                   pages={"synonyms": ["length"]}, list_price={"synonyms": ["replacement cost"]}),
            source(BRANCHES, "Locations where books are lent", name=MATCHED),
            source(LOANS, fine_amt={"synonyms": ["penalty"]}),
            source(MEMBERS, email={"synonyms": ["contact"]},
                   tier={"description": ["Kind of membership"]}),
        ],
        "metric_views": [source(LENDING, branch={"synonyms": ["site"]}, genre=MATCHED)],
    },
    "instructions": {
        "text_instructions": [
            {
                "id": "1" * 32,
                "content": [
                    "Classics are books with `pub_year < 1950`.\n",
                    "For circulation use the metric view mv_lending.\n",
                    "Thick books means books where pages > 600.\n",
                    "Novices are members whose `joined_on >= DATE '2024-01-01'`.\n",
                ],
            }
        ],
        "example_question_sqls": [
            example(
                "Which members never came back after their first visit in 2022?",
                f"SELECT member_id FROM {LOANS} WHERE loaned_on >= DATE '2022-01-01' AND "
                "loaned_on < DATE '2023-01-01' GROUP BY member_id HAVING COUNT(*) = 1",
            )
        ],
        "sql_functions": [{"id": "2" * 32, "identifier": OVERDUE}],
        "join_specs": [
            join(LOANS, BOOKS, "`loans`.`book_id` = `books`.`book_id`", "MANY_TO_ONE"),
            join(LOANS, MEMBERS, "`loans`.`member_id` = `members`.`member_id`", "MANY_TO_ONE"),
            join(MEMBERS, BRANCHES, "`members`.`branch_id` = `branches`.`branch_id`",
                 "MANY_TO_ONE"),
            join(BOOKS, AUTHORS, "`books`.`author_id` = `authors`.`author_id`", "MANY_TO_ONE"),
        ],
        "sql_snippets": {
            "filters": [snippet("loans.returned_on IS NULL", "outstanding loans", "not back yet")],
            "expressions": [
                snippet("FLOOR(books.pub_year / 10) * 10", "decade", alias="decade")
            ],
            "measures": [
                snippet("AVG(DATEDIFF(loans.returned_on, loans.loaned_on))", "borrowing time",
                        "time kept", alias="borrowing_time")
            ],
        },
    },
    "benchmarks": {},
}  # fmt: skip

QUESTIONS = {
    "How many books are there?": f"SELECT COUNT(*) FROM {BOOKS}",
    "How many patrons do we have?": f"SELECT COUNT(*) FROM {MEMBERS}",
    "What are the titles of all crime books?": (f"SELECT title FROM {BOOKS} WHERE genre = 'Crime'"),
    "Number of premium members": f"SELECT COUNT(*) FROM {MEMBERS} WHERE tier = 'P'",
    "How many loans were lost in 2023?": (
        f"SELECT COUNT(*) FROM {LOANS} WHERE sts = 'L' AND loaned_on >= DATE '2023-01-01' "
        "AND loaned_on < DATE '2024-01-01'"
    ),
    "What is the average replacement cost of a book per category?": (
        f"SELECT genre, AVG(list_price) FROM {BOOKS} GROUP BY genre"
    ),
    "Which book has the greatest length?": (
        f"SELECT title FROM {BOOKS} ORDER BY pages DESC LIMIT 1"
    ),
    "Show the name and contact of active members": (
        f"SELECT full_name, email FROM {MEMBERS} WHERE is_active = TRUE"
    ),
    "List titles by the writer Ada Holm": (
        f"SELECT b.title FROM {BOOKS} b JOIN {AUTHORS} a ON b.author_id = a.author_id "
        "WHERE a.name = 'Ada Holm'"
    ),
    "Circulation per site": (
        f"SELECT branch, MEASURE(lending_total) FROM {LENDING} GROUP BY branch"
    ),
    "What was the fine revenue by genre?": (
        f"SELECT genre, MEASURE(fine_income) FROM {LENDING} GROUP BY genre"
    ),
    "What is the loss rate for poetry?": (
        f"SELECT MEASURE(loss_rate) FROM {LENDING} WHERE genre = 'Poetry'"
    ),
    "How many classics do we own?": f"SELECT COUNT(*) FROM {BOOKS} WHERE pub_year < 1950",
    "How many thick books are there per category?": (
        f"SELECT genre, COUNT(*) FROM {BOOKS} WHERE pages > 600 GROUP BY genre"
    ),
    "How many outstanding loans does the Harbour branch have?": (
        f"SELECT COUNT(*) FROM {LOANS} l JOIN {MEMBERS} m ON l.member_id = m.member_id "
        f"JOIN {BRANCHES} b ON m.branch_id = b.branch_id "
        "WHERE l.returned_on IS NULL AND b.name = 'Harbour'"
    ),
    "Average borrowing time by genre": (
        "SELECT b.genre, AVG(DATEDIFF(l.returned_on, l.loaned_on)) "
        f"FROM {LOANS} l JOIN {BOOKS} b ON l.book_id = b.book_id GROUP BY b.genre"
    ),
    "Number of books per decade": (
        f"SELECT FLOOR(pub_year / 10) * 10, COUNT(*) FROM {BOOKS} "
        "GROUP BY FLOOR(pub_year / 10) * 10"
    ),
    "Which members are more than 30 days late?": f"SELECT * FROM {OVERDUE}(30)",
    "Members without loans": (
        f"SELECT m.full_name FROM {MEMBERS} m WHERE NOT EXISTS (SELECT 1 FROM {LOANS} l "
        "WHERE l.member_id = m.member_id)"
    ),
    "Who are the five members with the most loans?": (
        f"SELECT m.full_name FROM {LOANS} l JOIN {MEMBERS} m ON l.member_id = m.member_id "
        "GROUP BY m.member_id, m.full_name ORDER BY COUNT(*) DESC LIMIT 5"
    ),
    "Total penalty of members who joined before 2020": (
        f"SELECT SUM(l.fine_amt) FROM {LOANS} l JOIN {MEMBERS} m ON l.member_id = m.member_id "
        "WHERE m.joined_on < DATE '2020-01-01'"
    ),
    "Which members never came back after their first visit in 2024?": (
        f"SELECT member_id FROM {LOANS} WHERE loaned_on >= DATE '2024-01-01' AND "
        "loaned_on < DATE '2025-01-01' GROUP BY member_id HAVING COUNT(*) = 1"
    ),
    "How many loans per month were there since March 2024?": (
        f"SELECT DATE_TRUNC('MONTH', loaned_on), COUNT(*) FROM {LOANS} "
        "WHERE loaned_on >= DATE '2024-03-01' GROUP BY DATE_TRUNC('MONTH', loaned_on)"
    ),
    "What percentage of members are junior?": (
        f"SELECT COUNT_IF(tier = 'J') * 100.0 / COUNT(*) FROM {MEMBERS}"
    ),
    "Books between 100 and 200 pages that are not poetry": (
        f"SELECT title FROM {BOOKS} WHERE genre <> 'Poetry' AND pages BETWEEN 100 AND 200"
    ),
    "How many novices are not active?": (
        f"SELECT COUNT(*) FROM {MEMBERS} WHERE joined_on >= DATE '2024-01-01' AND is_active = FALSE"
    ),
}

# The same forms in other words.
QUESTIONS |= {
    "How many members joined in each year?": (
        f"SELECT YEAR(joined_on), COUNT(*) FROM {MEMBERS} GROUP BY YEAR(joined_on)"
    ),
    "How many books had a loan in 2023?": (
        f"SELECT COUNT(DISTINCT b.book_id) FROM {BOOKS} b JOIN {LOANS} l ON l.book_id = b.book_id "
        "WHERE l.loaned_on >= DATE '2023-01-01' AND l.loaned_on < DATE '2024-01-01'"
    ),
    "What is the replacement cost of each book?": f"SELECT list_price, title FROM {BOOKS}",
    "Give me the email addresses of all patrons": (f"SELECT email FROM {MEMBERS}"),
    "How many distinct genres do we carry?": (f"SELECT COUNT(DISTINCT genre) FROM {BOOKS}"),
    "Which authors were born after 1970?": (
        f"SELECT name FROM {AUTHORS} WHERE born_on >= DATE '1971-01-01'"
    ),
    "Count the loans that are still open": (f"SELECT COUNT(*) FROM {LOANS} WHERE sts = 'O'"),
    "What is the longest crime book?": (
        f"SELECT title FROM {BOOKS} WHERE genre = 'Crime' ORDER BY pages DESC LIMIT 1"
    ),
    "Late fees collected per branch": (
        f"SELECT branch, MEASURE(fine_income) FROM {LENDING} GROUP BY branch"
    ),
    "How many members registered in 2023 at the Northside branch?": (
        f"SELECT COUNT(*) FROM {MEMBERS} m JOIN {BRANCHES} b ON m.branch_id=b.branch_id "
        "WHERE b.name='Northside' AND m.joined_on >= DATE '2023-01-01' AND m.joined_on "
        "< DATE '2024-01-01'"
    ),
    "Members with at least 10 loans": (
        f"SELECT m.full_name FROM {LOANS} l JOIN {MEMBERS} m ON l.member_id=m.member_id "
        "GROUP BY m.member_id, m.full_name HAVING COUNT(*) >= 10"
    ),
    "Titles and page counts of poetry books sorted by title": (
        f"SELECT title, pages FROM {BOOKS} WHERE genre='Poetry' ORDER BY title"
    ),
    "How many books did each author write?": (
        f"SELECT a.name, COUNT(*) FROM {BOOKS} b JOIN {AUTHORS} a ON "
        "b.author_id=a.author_id GROUP BY a.name"
    ),
    "Average number of pages of travel writing": (
        f"SELECT AVG(pages) FROM {BOOKS} WHERE genre='Travel writing'"
    ),
    "Books by Bo Lindgren published before 1990": (
        f"SELECT b.title FROM {BOOKS} b JOIN {AUTHORS} a ON b.author_id=a.author_id "
        "WHERE a.name='Bo Lindgren' AND b.pub_year < 1990"
    ),
    "Which branch opened first?": (f"SELECT name FROM {BRANCHES} ORDER BY opened_on LIMIT 1"),
    "Number of active members per city": (
        f"SELECT b.city, COUNT(*) FROM {MEMBERS} m JOIN {BRANCHES} b ON "
        "m.branch_id=b.branch_id WHERE m.is_active = TRUE GROUP BY b.city"
    ),
    "checkouts by month": (
        f"SELECT loan_month, MEASURE(lending_total) FROM {LENDING} GROUP BY loan_month"
    ),
}

LIBRARY = Business(CONFIG, CATALOG, QUESTIONS)
