"""A maker of pumps: machines in several plants run work orders and stand still now and then."""

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

PLANTS = "ops.mfg.plants"
MACHINES = "ops.mfg.machines"
PRODUCTS = "ops.mfg.products"
ORDERS = "ops.mfg.work_orders"
STOPS = "ops.mfg.dt_events"
OUTPUT = "ops.mfg.mv_output"
SCRAPPERS = "ops.mfg.scrap_ranking"

CATALOG = CatalogDescription(
    tables=(
        table(
            PLANTS,
            "Production sites",
            {
                "plant_id": ("int", None),
                "plant_name": ("string", None, ["Aalen", "Brno", "Ghent"]),
                "country": ("string", "Two-letter code such as 'DE', 'CZ', 'BE'"),
            },
            key="plant_id",
        ),
        table(
            MACHINES,
            "Equipment on the shop floor, also called assets",
            {
                "machine_id": ("int", None),
                "label": ("string", "Name plate of the equipment"),
                "plant_id": ("int", None),
                "installed": ("date", "Day of commissioning"),
                "cap_h": ("double", "Nominal throughput in units per hour"),
                "crit": ("string", "Criticality, one of: high, medium, low"),
            },
            key="machine_id",
            references={"plant_id": f"{PLANTS}.plant_id"},
        ),
        table(
            PRODUCTS,
            "Pumps that are made",
            {
                "sku": ("string", None),
                "product_name": ("string", None),
                "family": ("string", "Product line", ["Hydra", "Vortex"]),
                "unit_cost": ("decimal(10,2)", "Standard cost of making one"),
                "kg": ("double", "Weight"),
            },
            key="sku",
        ),
        table(
            ORDERS,
            "Jobs that machines run, one row per job",
            {
                "wo_no": ("bigint", None),
                "machine_id": ("int", None),
                "sku": ("string", None),
                "started_at": ("timestamp", "When the job began"),
                "finished_at": ("timestamp", "When the job was completed"),
                "good": ("int", "Units that passed inspection"),
                "scrap": ("int", "Rejected units"),
                "stat": ("string", "Values: 'CLOSED', 'HOLD', 'RUNNING'."),
                "is_rework": ("string", "Whether it repairs earlier output: Y = yes, N = no"),
                "_loaded_at": ("timestamp", None),
            },
            key="wo_no",
            references={"machine_id": f"{MACHINES}.machine_id", "sku": f"{PRODUCTS}.sku"},
        ),
        table(
            STOPS,
            "Stoppages, one row per downtime event",
            {
                "ev": ("bigint", None),
                "machine_id": ("int", None),
                "began": ("timestamp", "Start of the stoppage"),
                "mins": ("int", "Minutes of lost time"),
                "rsn": ("string", "Cause: BRK = breakdown, SET = setup, MAT = missing material"),
            },
            key="ev",
            references={"machine_id": f"{MACHINES}.machine_id"},
        ),
    ),
    metric_views=(
        CatalogMetricView(
            OUTPUT,
            comment="Certified output and yield",
            dimensions=(
                CatalogDimension("plant", "plants.plant_name", values=("Aalen", "Brno", "Ghent")),
                CatalogDimension("line", "products.family", comment="Product line",
                                 synonyms=("series",)),
                CatalogDimension("day", "date(started_at)", "date"),
            ),
            measures=(
                CatalogMeasure("fpy", "SUM(good) / SUM(good + scrap)",
                               comment="First pass yield", synonyms=("quality rate",)),
                CatalogMeasure("output_units", "SUM(good)", comment="Sellable units",
                               display_name="Output"),
            ),
        ),
    ),
    functions=(
        CatalogFunction(
            SCRAPPERS,
            comment="Worst machines by rejects in a period",
            parameters=(
                CatalogParameter("from_day", "DATE", "First day"),
                CatalogParameter("to_day", "DATE", "Last day"),
                CatalogParameter("n", "INT", "How many machines", default="5"),
            ),
            returns=(CatalogColumn("label", "string"), CatalogColumn("rejects", "bigint")),
        ),
    ),
)  # fmt: skip

CONFIG = {
    "version": 2,
    "config": {},
    "data_sources": {
        "tables": [
            source(STOPS, "Downtime of machines",
                   mins={"synonyms": ["downtime", "standstill minutes"]}, rsn={}),
            source(MACHINES, cap_h={"synonyms": ["capacity", "speed"]},
                   label={"synonyms": ["machine name"]}),
            source(PLANTS, plant_name={**MATCHED, "synonyms": ["factory"]}),
            source(PRODUCTS, family={**MATCHED, "synonyms": ["product line"]}),
            source(ORDERS, scrap={"synonyms": ["rejects", "waste"]},
                   good={"synonyms": ["good parts"]}),
        ],
        "metric_views": [source(OUTPUT, plant=MATCHED)],
    },
    "instructions": {
        "text_instructions": [
            {
                "id": "1" * 32,
                "content": [
                    "- Big jobs are work orders with `good + scrap > 1000`.\n",
                    "- Use mv_output for output and first pass yield.\n",
                    "- Scrap ratio means SUM(scrap) / SUM(good + scrap) over work orders.\n",
                    "- Planned stops are no loss: always exclude events with rsn = 'SET'.\n",
                    "- The fiscal year starts in October.\n",
                ],
            }
        ],
        "example_question_sqls": [
            example(
                "Utilisation of machine 'P-100' in May 2023",
                f"SELECT SUM(w.good) / (MAX(m.cap_h) * 720) FROM {ORDERS} w JOIN {MACHINES} m "
                "ON w.machine_id = m.machine_id WHERE m.label = 'P-100' AND "
                "w.started_at >= '2023-05-01' AND w.started_at < '2023-06-01'",
            )
        ],
        "sql_functions": [{"id": "2" * 32, "identifier": SCRAPPERS}],
        "join_specs": [
            join(ORDERS, MACHINES, "`work_orders`.`machine_id` = `machines`.`machine_id`",
                 "MANY_TO_ONE"),
        ],
        "sql_snippets": {
            "filters": [
                snippet("work_orders.stat = 'HOLD'", "blocked", "on hold", "stuck"),
                snippet("dt_events.mins >= 120", "major stoppages", "long stops"),
            ],
            "expressions": [
                snippet("CASE WHEN HOUR(work_orders.started_at) < 14 THEN 'early' ELSE 'late' END",
                        "shift", alias="shift")
            ],
            "measures": [
                snippet("SUM(work_orders.good * products.unit_cost)", "production value",
                        "value produced", alias="production_value")
            ],
        },
    },
}  # fmt: skip

QUESTIONS = {
    "How many assets do we run?": f"SELECT COUNT(*) FROM {MACHINES}",
    "How many machines are in the Brno factory?": (
        f"SELECT COUNT(*) FROM {MACHINES} m JOIN {PLANTS} p ON m.plant_id = p.plant_id "
        "WHERE p.plant_name = 'Brno'"
    ),
    "List the machine names with high criticality": (
        f"SELECT label FROM {MACHINES} WHERE crit = 'high'"
    ),
    "Total rejects in 2023": (
        f"SELECT SUM(scrap) FROM {ORDERS} WHERE started_at >= DATE '2023-01-01' AND "
        "started_at < DATE '2024-01-01'"
    ),
    "How many work orders are running?": f"SELECT COUNT(*) FROM {ORDERS} WHERE stat = 'RUNNING'",
    "How many jobs are stuck?": f"SELECT COUNT(*) FROM {ORDERS} WHERE stat = 'HOLD'",
    "How many rework jobs were there in Q2 2024?": (
        f"SELECT COUNT(*) FROM {ORDERS} WHERE is_rework = 'Y' AND started_at >= DATE '2024-04-01' "
        "AND started_at < DATE '2024-07-01'"
    ),
    "Total downtime caused by breakdown": (f"SELECT SUM(mins) FROM {STOPS} WHERE rsn = 'BRK'"),
    "Downtime per machine": (
        f"SELECT m.label, SUM(e.mins) FROM {STOPS} e JOIN {MACHINES} m "
        "ON e.machine_id = m.machine_id WHERE e.rsn <> 'SET' GROUP BY m.label"
    ),
    "How many major stoppages began after 15 March 2024?": (
        f"SELECT COUNT(*) FROM {STOPS} WHERE began >= DATE '2024-03-16' AND mins >= 120 "
        "AND rsn <> 'SET'"
    ),
    "Which plant has the most machines?": (
        f"SELECT p.plant_name FROM {MACHINES} m JOIN {PLANTS} p ON m.plant_id = p.plant_id "
        "GROUP BY p.plant_id, p.plant_name ORDER BY COUNT(*) DESC LIMIT 1"
    ),
    "What is the quality rate per series?": (
        f"SELECT line, MEASURE(fpy) FROM {OUTPUT} GROUP BY line"
    ),
    "Output of Ghent": (f"SELECT MEASURE(output_units) FROM {OUTPUT} WHERE plant = 'Ghent'"),
    "What is the first pass yield in January 2024 by plant?": (
        f"SELECT plant, MEASURE(fpy) FROM {OUTPUT} WHERE day >= DATE '2024-01-01' AND "
        "day < DATE '2024-02-01' GROUP BY plant"
    ),
    "What is the scrap ratio of Vortex pumps?": (
        f"SELECT SUM(w.scrap) / SUM(w.good + w.scrap) FROM {ORDERS} w JOIN {PRODUCTS} p "
        "ON w.sku = p.sku WHERE p.family = 'Vortex'"
    ),
    "How many big jobs were run?": f"SELECT COUNT(*) FROM {ORDERS} WHERE good + scrap > 1000",
    "Value produced per shift": (
        "SELECT CASE WHEN HOUR(w.started_at) < 14 THEN 'early' ELSE 'late' END, "
        f"SUM(w.good * p.unit_cost) FROM {ORDERS} w JOIN {PRODUCTS} p ON w.sku = p.sku "
        "GROUP BY CASE WHEN HOUR(w.started_at) < 14 THEN 'early' ELSE 'late' END"
    ),
    "Show me the worst 3 machines by rejects from 2024-01-01 to 2024-01-31": (
        f"SELECT * FROM {SCRAPPERS}(CAST('2024-01-01' AS DATE), CAST('2024-01-31' AS DATE), 3)"
    ),
    "What are the three heaviest products?": (
        f"SELECT product_name FROM {PRODUCTS} ORDER BY kg DESC LIMIT 3"
    ),
    "Average standard cost of Hydra products": (
        f"SELECT AVG(unit_cost) FROM {PRODUCTS} WHERE family = 'Hydra'"
    ),
    "Products that cost more than the average unit cost": (
        f"SELECT product_name FROM {PRODUCTS} WHERE unit_cost > "
        f"(SELECT AVG(unit_cost) FROM {PRODUCTS})"
    ),
    "Utilisation of machine 'X-7' in July 2024": (
        f"SELECT SUM(w.good) / (MAX(m.cap_h) * 720) FROM {ORDERS} w JOIN {MACHINES} m "
        "ON w.machine_id = m.machine_id WHERE m.label = 'X-7' AND "
        "w.started_at >= '2024-07-01' AND w.started_at < '2024-08-01'"
    ),
    "How many jobs were completed in fiscal year 2023?": (
        f"SELECT COUNT(*) FROM {ORDERS} WHERE finished_at >= DATE '2023-10-01' AND "
        "finished_at < DATE '2024-10-01'"
    ),
    "Which machines were commissioned before 2010?": (
        f"SELECT label FROM {MACHINES} WHERE installed < DATE '2010-01-01'"
    ),
    "Machines with more than 20 stoppages": (
        f"SELECT m.label FROM {STOPS} e JOIN {MACHINES} m ON e.machine_id = m.machine_id "
        "WHERE e.rsn <> 'SET' GROUP BY m.machine_id, m.label HAVING COUNT(*) > 20"
    ),
    "Capacity of the machine 'K-9'": f"SELECT cap_h FROM {MACHINES} WHERE label = 'K-9'",
}

# The same forms in other words.
QUESTIONS |= {
    "What equipment do we have in Ghent?": (
        f"SELECT m.label FROM {MACHINES} m JOIN {PLANTS} p ON m.plant_id=p.plant_id "
        "WHERE p.plant_name='Ghent'"
    ),
    "Average throughput of medium criticality machines": (
        f"SELECT AVG(cap_h) FROM {MACHINES} WHERE crit='medium'"
    ),
    "How many units passed inspection in March 2024?": (
        f"SELECT SUM(good) FROM {ORDERS} WHERE started_at >= DATE '2024-03-01' AND "
        "started_at < DATE '2024-04-01'"
    ),
    "Which machine had the most downtime?": (
        f"SELECT m.label FROM {STOPS} e JOIN {MACHINES} m ON e.machine_id=m.machine_id "
        "WHERE e.rsn <> 'SET' GROUP BY m.machine_id, m.label ORDER BY SUM(e.mins) DESC "
        "LIMIT 1"
    ),
    "Lost time by cause": (f"SELECT rsn, SUM(mins) FROM {STOPS} WHERE rsn <> 'SET' GROUP BY rsn"),
    "Number of closed jobs per product line": (
        f"SELECT p.family, COUNT(*) FROM {ORDERS} w JOIN {PRODUCTS} p ON w.sku=p.sku "
        "WHERE w.stat='CLOSED' GROUP BY p.family"
    ),
    "List the products of the Vortex line with their weight": (
        f"SELECT product_name, kg FROM {PRODUCTS} WHERE family='Vortex'"
    ),
    "What share of work orders are rework?": (
        f"SELECT COUNT_IF(is_rework='Y') / COUNT(*) FROM {ORDERS}"
    ),
    "Top 5 machines by rejects": (
        f"SELECT m.label, SUM(w.scrap) FROM {ORDERS} w JOIN {MACHINES} m ON "
        "w.machine_id=m.machine_id GROUP BY m.label ORDER BY SUM(w.scrap) DESC LIMIT 5"
    ),
    "How many stoppages were due to missing material?": (
        f"SELECT COUNT(*) FROM {STOPS} WHERE rsn='MAT'"
    ),
    "Machines without work orders": (
        f"SELECT m.label FROM {MACHINES} m WHERE NOT EXISTS (SELECT 1 FROM {ORDERS} w "
        "WHERE w.machine_id=m.machine_id)"
    ),
    "Production value in 2024": (
        f"SELECT SUM(w.good * p.unit_cost) FROM {ORDERS} w JOIN {PRODUCTS} p ON "
        "w.sku=p.sku WHERE w.started_at >= DATE '2024-01-01' AND w.started_at < DATE "
        "'2025-01-01'"
    ),
    "How many products weigh more than 50?": (f"SELECT COUNT(*) FROM {PRODUCTS} WHERE kg > 50"),
    "Monthly rejects in 2023": (
        f"SELECT DATE_TRUNC('MONTH', started_at), SUM(scrap) FROM {ORDERS} WHERE "
        "started_at >= DATE '2023-01-01' AND started_at < DATE '2024-01-01' GROUP BY "
        "DATE_TRUNC('MONTH', started_at)"
    ),
    "first pass yield of the Hydra series": (
        f"SELECT MEASURE(fpy) FROM {OUTPUT} WHERE line = 'Hydra'"
    ),
}

FACTORY = Business(CONFIG, CATALOG, QUESTIONS)
