"""One field of metadata flips one answer: from wrong to right, or from right to wrong."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from genie.local.engine.engine import MetadataEngine
from tests.genie.local.engine.clinic import (
    BILLS,
    DOCTORS,
    MONEY,
    PATIENTS,
    RECALL,
    ROOMS,
    VISITS,
    Change,
    comment,
    data_type,
    description,
    example_sql,
    excluded,
    function_comment,
    joined,
    matching,
    member,
    named,
    parameter,
    space,
    synonyms,
    table_comment,
    table_description,
    told,
    view_comment,
)
from tests.genie.local.engine.same_query import same


@dataclass(frozen=True)
class Flip:
    """``right`` is what the question means; ``field`` makes the answer right, or else wrong."""

    question: str
    right: str
    field: Change
    given: tuple[Change, ...] = ()
    mends: bool = True


VISIT_OF_PATIENT = f"{VISITS} v JOIN {PATIENTS} p ON v.patient_id = p.patient_id"
PAID = f"SELECT SUM(a2) FROM {VISITS}"
FEE = synonyms("visits.a2", "fee")
RECALLS = function_comment("Patients due for a checkup")

FLIPS = {
    # column comment
    "a comment explains a cryptic column": Flip(
        "What was the average copayment?", f"SELECT AVG(a1) FROM {VISITS}",
        comment("visits.a1", "Copayment of the patient")),
    "a comment says which of two dates is meant": Flip(
        "How many patients were registered in 2021?",
        f"SELECT COUNT(*) FROM {PATIENTS} WHERE d2 >= DATE '2021-01-01' AND d2 < DATE '2022-01-01'",
        comment("patients.d2", "Day on which they were registered")),
    "a wrong comment misleads": Flip(
        "Total fee of all visits", PAID, comment("visits.a1", "Total fee of the visit"),
        (comment("visits.a2", "The charge, mostly a fee"),), mends=False),
    "a comment that says what a column is not explains nothing": Flip(
        "Sum of surcharges", f"SELECT SUM(a1) FROM {VISITS}",
        comment("visits.a1", "Surcharges"),
        (comment("visits.a2", "Not to be confused with a1 (surcharges)."),)),
    "a comment names the key that a column refers to": Flip(
        "How many visits did doctor 'Iben Vang' have?",
        f"SELECT COUNT(*) FROM {VISITS} v JOIN {DOCTORS} d ON v.doc = d.doctor_id "
        "WHERE d.name = 'Iben Vang'",
        comment("visits.doc", "Refers to care.main.doctors.doctor_id.")),
    # value list in a comment
    "a list of values gives the spelling": Flip(
        "How many doctors with grade senior?",
        f"SELECT COUNT(*) FROM {DOCTORS} WHERE grade = 'SENIOR'",
        comment("doctors.grade", "One of: JUNIOR, SENIOR, HEAD")),
    "quoted values give the spelling": Flip(
        "Number of doctors whose grade is head",
        f"SELECT COUNT(*) FROM {DOCTORS} WHERE grade = 'Head'",
        comment("doctors.grade", "Values: 'Head', 'Junior'.")),
    "a code list decodes words": Flip(
        "How many cancelled visits?", f"SELECT COUNT(*) FROM {VISITS} WHERE st = 'X'",
        comment("visits.st", "C = confirmed, X = cancelled")),
    "a code list says what no is": Flip(
        "How many bills are not settled?", f"SELECT COUNT(*) FROM {BILLS} WHERE settled = '0'",
        comment("bills.settled", "'1' = yes, '0' = no")),
    "a code list in a description decodes words": Flip(
        "Count the visits that were missed", f"SELECT COUNT(*) FROM {VISITS} WHERE st = 'M'",
        description("visits.st", "'M' = missed, 'K' = kept")),
    "a wrong code list misleads": Flip(
        "How many kept visits?", f"SELECT COUNT(*) FROM {VISITS} WHERE st = 'K'",
        description("visits.st", "'M' = kept, 'K' = missed"),
        (comment("visits.st", "'M' = missed, 'K' = kept"),), mends=False),
    "known values are written in one way, so others are too": Flip(
        "How many doctors have the grade 'Trainee'?",
        f"SELECT COUNT(*) FROM {DOCTORS} WHERE grade = 'TRAINEE'",
        comment("doctors.grade", "Spelled exactly as in 'HEAD', 'SENIOR'.")),
    # table comment and description
    "a table comment names the thing": Flip(
        "How many physicians are there?", f"SELECT COUNT(*) FROM {DOCTORS}",
        table_comment("doctors", "Physicians of the clinic")),
    "a wrong table comment misleads": Flip(
        "How many consultations did we have?", f"SELECT COUNT(*) FROM {VISITS}",
        table_comment("bills", "Consultations that took place"),
        (table_description("visits", "Consultations"),), mends=False),
    "a description in the space names the thing": Flip(
        "Number of invoices", f"SELECT COUNT(*) FROM {BILLS}",
        table_description("bills", "Invoices to patients")),
    "a table comment decides between two tables": Flip(
        "How many chambers are there?", f"SELECT COUNT(*) FROM {ROOMS}",
        table_comment("rooms", "Chambers of the house")),
    # column synonym and description
    "a synonym names a column": Flip("What is the total fee?", PAID, FEE),
    "a synonym on the wrong column misleads": Flip(
        "What is the highest charge?", f"SELECT MAX(a1) FROM {VISITS}",
        synonyms("visits.a2", "charge"), (comment("visits.a1", "Charge for the visit"),),
        mends=False),
    "a synonym names what to group by": Flip(
        "Number of visits by reason", f"SELECT k, COUNT(*) FROM {VISITS} GROUP BY k",
        synonyms("visits.k", "reason")),
    "a synonym names what to show": Flip(
        "List the insurer of each patient", f"SELECT ins, name FROM {PATIENTS}",
        synonyms("patients.ins", "insurer")),
    "a synonym names what to order by": Flip(
        "Which wing has the widest floorspace?",
        f"SELECT wing FROM {ROOMS} ORDER BY size DESC LIMIT 1",
        synonyms("rooms.size", "floorspace")),
    "a description in the space explains a column": Flip(
        "What is the smallest deposit?",
        f"SELECT MIN(a1) FROM {VISITS}",
        description("visits.a1", "Deposit paid in advance")),
    "a wrong description misleads": Flip(
        "Sum of the deposits", f"SELECT SUM(a1) FROM {VISITS}",
        description("visits.a2", "Deposits"), (comment("visits.a1", "Held as deposits"),),
        mends=False),
    # exclude flag
    "an excluded column is not taken": Flip(
        "What is the total price?", f"SELECT SUM(net) FROM {BILLS}",
        excluded("bills.total"),
        (synonyms("bills.total", "price"), comment("bills.net", "Price before tax"))),
    "an excluded column cannot be asked for": Flip(
        "Names of all patients", f"SELECT name FROM {PATIENTS}",
        excluded("patients.name"), mends=False),
    "an excluded key cannot be joined": Flip(
        "Number of visits per patient",
        f"SELECT p.name, COUNT(*) FROM {VISIT_OF_PATIENT} GROUP BY p.name",
        excluded("visits.patient_id"), mends=False),
    # entity matching
    "matching finds the column of a value": Flip(
        "How many Odense patients are there?",
        f"SELECT COUNT(*) FROM {PATIENTS} WHERE town = 'Odense'",
        matching("patients.town"), ()),
    "matching gives the spelling": Flip(
        "How many doctors with the spec 'Cardio'?",
        f"SELECT COUNT(*) FROM {DOCTORS} WHERE spec = 'CARDIO'", matching("doctors.spec")),
    "matching finds values of several words": Flip(
        "Count patients of the state fund",
        f"SELECT COUNT(*) FROM {PATIENTS} WHERE ins = 'State Fund'", matching("patients.ins")),
    "matching finds lower-case words": Flip(
        "How many follow visits were there?",
        f"SELECT COUNT(*) FROM {VISITS} WHERE k = 'FOLLOW'", matching("visits.k")),
    # join specs
    "a join spec joins columns of different names": Flip(
        "Number of visits per doctor",
        f"SELECT d.name, COUNT(*) FROM {VISITS} v JOIN {DOCTORS} d ON v.doc = d.doctor_id "
        "GROUP BY d.name",
        joined("visits", "doctors", "`visits`.`doc` = `doctors`.`doctor_id`")),
    "a wrong join spec is used before key names": Flip(
        "How many visits of patients in the town 'Ribe'?",
        f"SELECT COUNT(*) FROM {VISIT_OF_PATIENT} WHERE p.town = 'Ribe'",
        joined("visits", "patients", "`visits`.`visit_id` = `patients`.`patient_id`"),
        mends=False),
    "a join spec to rooms makes a path": Flip(
        "Average size of the rooms of doctors with the grade 'Head'",
        f"SELECT AVG(r.size) FROM {ROOMS} r JOIN {DOCTORS} d ON d.room_no = r.no "
        "WHERE d.grade = 'Head'",
        joined("doctors", "rooms", "`doctors`.`room_no` = `rooms`.`no`")),
    # metric view
    "a measure's synonym": Flip(
        "What is the turnover?", f"SELECT MEASURE(m1) FROM {MONEY}",
        member("m1", synonyms=("turnover",))),
    "a measure's comment": Flip(
        "Show the gross proceeds", f"SELECT MEASURE(m1) FROM {MONEY}",
        member("m1", comment="Gross proceeds of the clinic")),
    "a measure's display name": Flip(
        "How much are net earnings?", f"SELECT MEASURE(m2) FROM {MONEY}",
        member("m2", display_name="Net earnings")),
    "a wrong synonym of a measure misleads": Flip(
        "What are the earnings?", f"SELECT MEASURE(m2) FROM {MONEY}",
        member("m1", synonyms=("earnings",)), (member("m2", comment="Earnings"),), mends=False),
    "a dimension's synonym": Flip(
        "Turnover by specialty", f"SELECT dim_a, MEASURE(m1) FROM {MONEY} GROUP BY dim_a",
        member("dim_a", synonyms=("specialty",)), (member("m1", synonyms=("turnover",)),)),
    "a dimension's comment": Flip(
        "Turnover per health plan", f"SELECT dim_b, MEASURE(m1) FROM {MONEY} GROUP BY dim_b",
        member("dim_b", comment="Health plan"), (member("m1", synonyms=("turnover",)),)),
    "a dimension's values": Flip(
        "Turnover of DERMA", f"SELECT MEASURE(m1) FROM {MONEY} WHERE dim_a = 'DERMA'",
        matching("mv_money.dim_a"),
        (member("m1", synonyms=("turnover",)), member("dim_a", values=("CARDIO", "DERMA")))),
    # table function
    "a function's comment": Flip(
        "Which patients are due for a checkup?", f"SELECT * FROM {RECALL}()", RECALLS),
    "a parameter's comment takes the number": Flip(
        "Patients due for a checkup within 90 days", f"SELECT * FROM {RECALL}(1, 90)",
        parameter("p2", comment="Days from now"), (RECALLS,)),
    "a parameter's comment on the wrong parameter": Flip(
        "Patients due for a checkup in the next 3 weeks", f"SELECT * FROM {RECALL}(1, 3)",
        parameter("p1", comment="Number of weeks"),
        (RECALLS, parameter("p2", comment="weeks")), mends=False),
    "a parameter's default": Flip(
        "Which patients are due for a checkup?", f"SELECT * FROM {RECALL}()",
        parameter("p1", default=None), (RECALLS,), mends=False),
    # snippets
    "a filter snippet": Flip(
        "How many urgent visits?", f"SELECT COUNT(*) FROM {VISITS} WHERE st = 'U' OR k = 'FIRST'",
        named("filters", "visits.st = 'U' OR visits.k = 'FIRST'", "urgent")),
    "a synonym of a filter snippet": Flip(
        "How many pressing visits were in May 2023?",
        f"SELECT COUNT(*) FROM {VISITS} WHERE st = 'U' AND day >= DATE '2023-05-01' AND "
        "day < DATE '2023-06-01'",
        named("filters", "visits.st = 'U'", "urgent", "pressing")),
    "a measure snippet": Flip(
        "What is the collection rate?", f"SELECT SUM(net) / SUM(total) FROM {BILLS}",
        named("measures", "SUM(bills.net) / SUM(bills.total)", "collection rate")),
    "a wrong measure snippet": Flip(
        "Total fee", PAID, named("measures", "SUM(visits.a1)", "total fee"), (FEE,), mends=False),
    "an expression snippet": Flip(
        "Number of patients per age band",
        f"SELECT FLOOR(YEAR(d1) / 10), COUNT(*) FROM {PATIENTS} GROUP BY FLOOR(YEAR(d1) / 10)",
        named("expressions", "FLOOR(YEAR(patients.d1) / 10)", "age band")),
    # examples
    "an example is followed with other literals": Flip(
        "Show-up ratio of 'Iben Vang' in 2024",
        f"SELECT AVG(IF(st = 'K', 1, 0)) FROM {VISITS} "
        "WHERE doc = 'Iben Vang' AND YEAR(day) = 2024",
        example_sql(
            "Show-up ratio of 'Mads Lund' in 2022",
            f"SELECT AVG(IF(st = 'K', 1, 0)) FROM {VISITS} "
            "WHERE doc = 'Mads Lund' AND YEAR(day) = 2022",
        )),
    "an example decides what an ambiguous word means": Flip(
        "Who are our regulars?",
        f"SELECT patient_id FROM {VISITS} GROUP BY patient_id HAVING COUNT(*) >= 12",
        example_sql(
            "List our regulars",
            f"SELECT patient_id FROM {VISITS} GROUP BY patient_id HAVING COUNT(*) >= 12",
        )),
    "an example teaches what a word means as a condition": Flip(
        "How many overbooked visits were there in 2023?",
        f"SELECT COUNT(*) FROM {VISITS} WHERE k = 'OB' AND day >= DATE '2023-01-01' AND "
        "day < DATE '2024-01-01'",
        example_sql(
            "Average a1 of overbooked visits",
            f"SELECT AVG(v.a1) FROM {VISITS} v WHERE v.k = 'OB'",
        )),
    "an example teaches what a word means as a measure": Flip(
        "Leakage per settled",
        f"SELECT settled, SUM(total) - SUM(net) FROM {BILLS} GROUP BY settled",
        example_sql("What is our leakage?", f"SELECT SUM(total) - SUM(net) FROM {BILLS}")),
    "a wrong example misleads": Flip(
        "How many visits were there?", f"SELECT COUNT(*) FROM {VISITS}",
        example_sql("How many visits were there?", f"SELECT COUNT(*) FROM {BILLS}"), mends=False),
    # text instruction
    "a definition of a condition": Flip(
        "How many heavy users are there?", f"SELECT COUNT(*) FROM {PATIENTS} WHERE ins = 'S'",
        told("Heavy users are patients with ins = 'S'.")),
    "a definition in backticks": Flip(
        "Number of late bills", f"SELECT COUNT(*) FROM {BILLS} WHERE settled = 'N' AND net > 0",
        told("Late bills: `bills.settled = 'N' AND bills.net > 0`")),
    "a definition of a measure": Flip(
        "What is the workload per patient?",
        f"SELECT p.name, SUM(v.a1 * 60) FROM {VISIT_OF_PATIENT} GROUP BY p.name",
        told("Workload means SUM(visits.a1 * 60).")),
    "a definition that narrows a measure": Flip(
        "What is our income?", f"SELECT SUM(total) FROM {BILLS} WHERE settled = 'P'",
        told("Income means SUM(total) of paid bills."),
        (comment("bills.settled", "P = paid, O = outstanding"),)),
    "a preference for a metric view": Flip(
        "Total of net", f"SELECT MEASURE(m2) FROM {MONEY}",
        told("For net totals use mv_money."), (member("m2", comment="Net amount billed"),)),
    "a preference for a column": Flip(
        "What is the total price?", f"SELECT SUM(net) FROM {BILLS}",
        told("For price use bills.net.")),
    "a table that must not be used": Flip(
        "How many consultations?", f"SELECT COUNT(*) FROM {VISITS}",
        told("Do not use bills for consultations."),
        (table_comment("bills", "Consultations"), table_description("visits", "Consultations"))),
    "an exclusion": Flip(
        "How many visits were there in 2023?",
        f"SELECT COUNT(*) FROM {VISITS} WHERE day >= DATE '2023-01-01' AND "
        "day < DATE '2024-01-01' AND st <> 'D'",
        told("Always exclude deleted visits: `st = 'D'`.")),
    "an exclusion for some questions only": Flip(
        "How many bills are there?", f"SELECT COUNT(*) FROM {BILLS}",
        told("For bills, only count those where settled = 'P'."), mends=False),
    "a fiscal year": Flip(
        "How many visits in fiscal year 2023?",
        f"SELECT COUNT(*) FROM {VISITS} WHERE day >= DATE '2023-07-01' AND day < DATE '2024-07-01'",
        told("Our fiscal year starts on 1 July.")),
    # data type
    "a date kept as text is no date": Flip(
        "How many visits since 2022?",
        f"SELECT COUNT(*) FROM {VISITS} WHERE day >= DATE '2022-01-01'",
        data_type("visits.day", "string"), mends=False),
    "a number kept as text is compared as text": Flip(
        "How many rooms have the size 40?", f"SELECT COUNT(*) FROM {ROOMS} WHERE size = 40",
        data_type("rooms.size", "string"), mends=False),
    "a boolean needs no code": Flip(
        "How many doctors are on call?",
        f"SELECT COUNT(*) FROM {DOCTORS} WHERE on_call = TRUE",
        data_type("doctors.on_call", "boolean")),
    "a metric view's comment": Flip(
        "What is the gain in certified figures?", f"SELECT MEASURE(m1) FROM {MONEY}",
        view_comment("Certified figures"),
        (member("m1", synonyms=("gain",)), synonyms("bills.total", "gain"))),
}  # fmt: skip


@pytest.mark.parametrize("flip", FLIPS.values(), ids=FLIPS.keys())
def test_one_field_flips_the_answer(flip):
    engine = MetadataEngine()
    before = engine.answer(space(*flip.given), flip.question)
    after = engine.answer(space(*flip.given, flip.field), flip.question)
    was_right, is_right = same(before.sql, flip.right), same(after.sql, flip.right)
    assert (was_right, is_right) == (not flip.mends, flip.mends), (
        f"before: {before.sql or before.text}\nafter: {after.sql or after.text}"
    )
