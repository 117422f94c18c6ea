"""A chain of gyms: written after the engine, to see how it fares with what it was not built on."""

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
from tests.genie.local.engine.spaces import MATCHED, Business, snippet, source, table

CLUBS = "gym.ops.clubs"
CUSTOMERS = "gym.ops.customers"
SUBSCRIPTIONS = "gym.ops.subscriptions"
CHECKINS = "gym.ops.checkins"
PLANS = "gym.ops.plans"
INVOICES = "gym.ops.invoices"
REVIEWS = "gym.ops.reviews"
REVENUE = "gym.ops.mv_revenue"
INACTIVE = "gym.ops.inactive_customers"

CATALOG = CatalogDescription(
    tables=(
        table(
            CLUBS,
            "Fitness clubs of the chain",
            {
                "club_id": ("int", None),
                "club_name": ("string", None, ["Riverside", "Central Park", "Hilltop"]),
                "country": ("string", "Country where the club is, in English", ["Spain", "France"]),
                "sqm": ("double", "Floor area in square metres"),
                "opened": ("date", "Opening day"),
            },
            key="club_id",
        ),
        table(
            CUSTOMERS,
            "People who train with us; also called athletes",
            {
                "customer_id": ("bigint", None),
                "first_name": ("string", None),
                "last_name": ("string", None),
                "country": ("string", "Country of residence", ["Spain", "Portugal"]),
                "birth_date": ("date", None),
                "home_club_id": ("int", "Club where they signed up"),
                "created_at": ("timestamp", "When the account was created"),
                "gender": ("string", "F = female, M = male"),
            },
            key="customer_id",
            references={"home_club_id": f"{CLUBS}.club_id"},
        ),
        table(
            PLANS,
            "Tariffs that are sold",
            {
                "plan_code": ("string", None),
                "plan_name": ("string", None, ["Basic", "Gold", "Student"]),
                "monthly_fee": ("decimal(8,2)", "Price per month"),
                "min_months": ("int", "Minimum duration of the contract"),
            },
            key="plan_code",
        ),
        table(
            SUBSCRIPTIONS,
            "Contracts, one row per contract of a customer",
            {
                "sub_id": ("bigint", None),
                "customer_id": ("bigint", None),
                "plan_code": ("string", None),
                "start_date": ("date", "First day"),
                "end_date": ("date", "Last day, NULL while running"),
                "state": ("string", "One of: active, paused, cancelled"),
            },
            key="sub_id",
            references={
                "customer_id": f"{CUSTOMERS}.customer_id",
                "plan_code": f"{PLANS}.plan_code",
            },
        ),
        table(
            CHECKINS,
            "Every visit to a club",
            {
                "checkin_id": ("bigint", None),
                "customer_id": ("bigint", None),
                "club_id": ("int", None),
                "checked_in_at": ("timestamp", "Time of arrival"),
                "minutes": ("int", "Length of the stay"),
            },
            key="checkin_id",
            references={"customer_id": f"{CUSTOMERS}.customer_id", "club_id": f"{CLUBS}.club_id"},
        ),
        table(
            INVOICES,
            "Invoices for contracts",
            {
                "invoice_no": ("bigint", None),
                "sub_id": ("bigint", None),
                "issued_on": ("date", "Invoice date"),
                "gross": ("decimal(10,2)", "Amount including tax"),
                "net": ("decimal(10,2)", "Amount before tax"),
                "pay_status": ("string", "'P' = paid, 'O' = overdue, 'V' = void"),
            },
            key="invoice_no",
            references={"sub_id": f"{SUBSCRIPTIONS}.sub_id"},
        ),
        table(
            REVIEWS,
            "Ratings that customers give to clubs",
            {
                "review_id": ("bigint", None),
                "club_id": ("int", None),
                "customer_id": ("bigint", None),
                "stars": ("int", "Rating from 1 to 5"),
                "is_deleted": ("boolean", None),
                "written_on": ("date", None),
            },
            key="review_id",
            references={"club_id": f"{CLUBS}.club_id", "customer_id": f"{CUSTOMERS}.customer_id"},
        ),
    ),
    metric_views=(
        CatalogMetricView(
            REVENUE,
            comment="Certified revenue",
            dimensions=(
                CatalogDimension("club", "clubs.club_name"),
                CatalogDimension("plan", "plans.plan_name", values=("Basic", "Gold", "Student")),
                CatalogDimension("invoice_month", "date_trunc('MONTH', issued_on)", "date"),
            ),
            measures=(
                CatalogMeasure(
                    "net_revenue",
                    "SUM(net)",
                    comment="Revenue before tax",
                    synonyms=("sales", "turnover"),
                ),
                CatalogMeasure(
                    "arpu",
                    "SUM(net)/COUNT(DISTINCT customer_id)",
                    display_name="Average revenue per user",
                ),
            ),
        ),
    ),
    functions=(
        CatalogFunction(
            INACTIVE,
            comment="Customers who have not visited for some time",
            parameters=(
                CatalogParameter("days", "INT", "Days since the last visit"),
                CatalogParameter("club", "STRING", "Name of the club", default="NULL"),
            ),
            returns=(CatalogColumn("customer_id", "bigint"),),
        ),
    ),
)
CONFIG = {
    "data_sources": {
        "tables": [
            source(
                CLUBS,
                club_name={**MATCHED, "synonyms": ["gym", "studio"]},
                country=MATCHED,
                sqm={"synonyms": ["size", "area"]},
            ),
            source(CUSTOMERS, country=MATCHED, last_name={"synonyms": ["surname"]}),
            source(
                PLANS,
                plan_name={**MATCHED, "synonyms": ["tariff"]},
                monthly_fee={"synonyms": ["price"]},
            ),
            source(SUBSCRIPTIONS, state={"synonyms": ["status"]}),
            source(CHECKINS, minutes={"synonyms": ["duration"]}),
            source(INVOICES, gross={"synonyms": ["billed amount"]}),
            source(REVIEWS, stars={"synonyms": ["rating", "score"]}),
        ],
        "metric_views": [source(REVENUE, plan=MATCHED, club={"synonyms": ["gym"]})],
    },
    "instructions": {
        "text_instructions": [
            {
                "id": "1" * 32,
                "content": [
                    "Always exclude deleted reviews: `is_deleted = true`.\n",
                    "Seniors are customers with birth_date < '1960-01-01'.\n",
                    "For revenue use mv_revenue.\n",
                ],
            }
        ],
        "sql_functions": [{"id": "2" * 32, "identifier": INACTIVE}],
        "sql_snippets": {
            "filters": [snippet("checkins.minutes < 15", "short visits", "quick visits")],
            "measures": [
                snippet("COUNT(DISTINCT checkins.customer_id)", "unique visitors", "visitors")
            ],
        },
    },
}

QUESTIONS = {
    "How many clubs are there in Spain?": (f"SELECT COUNT(*) FROM {CLUBS} WHERE country='Spain'"),
    "What is the surname and birth date of every female athlete?": (
        f"SELECT last_name, birth_date FROM {CUSTOMERS} WHERE gender='F'"
    ),
    "How many customers live in Portugal?": (
        f"SELECT COUNT(*) FROM {CUSTOMERS} WHERE country='Portugal'"
    ),
    "Which tariffs cost less than 30?": (f"SELECT plan_name FROM {PLANS} WHERE monthly_fee < 30"),
    "Name the three biggest gyms": (f"SELECT club_name FROM {CLUBS} ORDER BY sqm DESC LIMIT 3"),
    "How many contracts were cancelled in 2023?": (
        f"SELECT COUNT(*) FROM {SUBSCRIPTIONS} WHERE state='cancelled' AND end_date "
        ">= DATE '2023-01-01' AND end_date < DATE '2024-01-01'"
    ),
    "Number of paused contracts by tariff": (
        f"SELECT p.plan_name, COUNT(*) FROM {SUBSCRIPTIONS} s JOIN {PLANS} p ON "
        "s.plan_code=p.plan_code WHERE s.state='paused' GROUP BY p.plan_name"
    ),
    "Average rating per studio": (
        f"SELECT c.club_name, AVG(r.stars) FROM {REVIEWS} r JOIN {CLUBS} c ON "
        "r.club_id=c.club_id WHERE r.is_deleted = FALSE GROUP BY c.club_name"
    ),
    "How many quick visits did Riverside have in January 2024?": (
        f"SELECT COUNT(*) FROM {CHECKINS} v JOIN {CLUBS} c ON v.club_id=c.club_id "
        "WHERE c.club_name='Riverside' AND v.minutes < 15 AND v.checked_in_at >= "
        "DATE '2024-01-01' AND v.checked_in_at < DATE '2024-02-01'"
    ),
    "Visitors per club": (
        f"SELECT c.club_name, COUNT(DISTINCT v.customer_id) FROM {CHECKINS} v JOIN "
        f"{CLUBS} c ON v.club_id=c.club_id GROUP BY c.club_name"
    ),
    "What was our turnover by plan in Q1 2024?": (
        f"SELECT plan, MEASURE(net_revenue) FROM {REVENUE} WHERE invoice_month >= "
        "DATE '2024-01-01' AND invoice_month < DATE '2024-04-01' GROUP BY plan"
    ),
    "Sales of the Gold plan": (f"SELECT MEASURE(net_revenue) FROM {REVENUE} WHERE plan='Gold'"),
    "Average revenue per user per month": (
        f"SELECT invoice_month, MEASURE(arpu) FROM {REVENUE} GROUP BY invoice_month"
    ),
    "Total billed amount of overdue invoices": (
        f"SELECT SUM(gross) FROM {INVOICES} WHERE pay_status='O'"
    ),
    "How many invoices were issued since April 2024 that are not paid?": (
        f"SELECT COUNT(*) FROM {INVOICES} WHERE pay_status <> 'P' AND issued_on >= "
        "DATE '2024-04-01'"
    ),
    "Which customers have not visited for 60 days?": (f"SELECT * FROM {INACTIVE}(60)"),
    "How many seniors do we have?": (
        f"SELECT COUNT(*) FROM {CUSTOMERS} WHERE birth_date < '1960-01-01'"
    ),
    "What percentage of contracts are active?": (
        f"SELECT COUNT_IF(state='active') * 100.0 / COUNT(*) FROM {SUBSCRIPTIONS}"
    ),
    "Longest visit in minutes": (f"SELECT MAX(minutes) FROM {CHECKINS}"),
    "Which club has the lowest average score?": (
        f"SELECT c.club_name FROM {REVIEWS} r JOIN {CLUBS} c ON r.club_id=c.club_id "
        "WHERE r.is_deleted = FALSE GROUP BY c.club_id, c.club_name ORDER BY "
        "AVG(r.stars) LIMIT 1"
    ),
    "Clubs that opened between 2015 and 2018": (
        f"SELECT club_name FROM {CLUBS} WHERE opened >= DATE '2015-01-01' AND opened "
        "< DATE '2019-01-01'"
    ),
    "List the clubs with more than 1000 visits": (
        f"SELECT c.club_name FROM {CHECKINS} v JOIN {CLUBS} c ON v.club_id=c.club_id "
        "GROUP BY c.club_id, c.club_name HAVING COUNT(*) > 1000"
    ),
    "Most expensive plan": (f"SELECT plan_name FROM {PLANS} ORDER BY monthly_fee DESC LIMIT 1"),
    "How many accounts were created per year?": (
        f"SELECT YEAR(created_at), COUNT(*) FROM {CUSTOMERS} GROUP BY YEAR(created_at)"
    ),
    "Plans without contracts": (
        f"SELECT p.plan_name FROM {PLANS} p WHERE NOT EXISTS (SELECT 1 FROM "
        f"{SUBSCRIPTIONS} s WHERE s.plan_code = p.plan_code)"
    ),
    "Total stay of customers from Spain at Hilltop": (
        f"SELECT SUM(v.minutes) FROM {CHECKINS} v JOIN {CUSTOMERS} m ON "
        f"v.customer_id=m.customer_id JOIN {CLUBS} c ON v.club_id=c.club_id WHERE "
        "m.country='Spain' AND c.club_name='Hilltop'"
    ),
    "Show plan names and prices ordered by price from highest to lowest": (
        f"SELECT plan_name, monthly_fee FROM {PLANS} ORDER BY monthly_fee DESC"
    ),
    "How many different countries do our customers come from?": (
        f"SELECT COUNT(DISTINCT country) FROM {CUSTOMERS}"
    ),
    "Reviews with at least 4 stars written in 2024": (
        f"SELECT review_id FROM {REVIEWS} WHERE written_on >= DATE '2024-01-01' AND "
        "written_on < DATE '2025-01-01' AND stars >= 4 AND is_deleted = FALSE"
    ),
    "Minimum contract duration of the Student tariff": (
        f"SELECT min_months FROM {PLANS} WHERE plan_name='Student'"
    ),
}

GYM = Business(CONFIG, CATALOG, QUESTIONS)
