"""What any reader of English knows. Nothing here is about a particular business or dataset."""

from __future__ import annotations

NUMBER_WORDS = {
    word: str(number)
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen twenty".split()
    )
}
NUMBER_WORDS |= {"thirty": "30", "forty": "40", "fifty": "50", "hundred": "100", "dozen": "12"}
SCALES = {"k": 1_000, "m": 1_000_000, "thousand": 1_000, "million": 1_000_000}

MONTHS = {
    name: number
    for number, names in enumerate(
        "january jan|february feb|march mar|april apr|may|june jun|july jul|august aug|"
        "september sep sept|october oct|november nov|december dec".split("|"),
        start=1,
    )
    for name in names.split()
}
UNITS = {
    "day": "DAY", "days": "DAY", "daily": "DAY", "week": "WEEK", "weeks": "WEEK",
    "weekly": "WEEK", "month": "MONTH", "months": "MONTH", "monthly": "MONTH",
    "quarter": "QUARTER", "quarters": "QUARTER", "quarterly": "QUARTER", "year": "YEAR",
    "years": "YEAR", "yearly": "YEAR", "annual": "YEAR", "annually": "YEAR",
}  # fmt: skip

IRREGULAR = {
    "people": "person", "children": "child", "men": "man", "women": "woman", "feet": "foot",
    "geese": "goose", "mice": "mouse", "teeth": "tooth", "indices": "index", "criteria":
    "criterion", "analyses": "analysis", "lives": "life", "shelves": "shelf", "halves": "half",
    "bought": "buy", "sold": "sell", "made": "make", "sent": "send", "paid": "pay", "built":
    "build", "written": "write", "wrote": "write", "born": "birth", "won": "win", "spent":
    "spend", "lent": "lend", "held": "hold", "broke": "break", "broken": "break", "shipped":
    "ship", "left": "leave", "grew": "grow", "grown": "grow", "taught": "teach", "driven": "drive",
    "spoken": "speak", "avg": "average", "mean": "average", "qty": "quantity", "amt": "amount",
    "num": "number", "pct": "percent", "percentage": "percent", 
    "cnt": "count", "max": "maximum",
    "min": "minimum", "desc": "description", "addr": "address", "dept": "department",
    "stolen": "steal", "chosen": "choose", "given": "give", "taken": "take",
}  # fmt: skip

# Words that carry the question and not its subject. They need no metadata to explain them.
STOP_WORDS = frozenset(
    """a about across all along also altogether am among an and any are as asked at available away
    be became become been being belong belonging belongs but by can come comes consist
    considered contain contains corresponding could currently data did display do does done each
    either else
    every exist existing exists find following for from full get give given gives go had happen
    happened happening has have having he her here his how i identify if in include included
    including into is it its itself just kindly know known let like list listed located look made
    make makes many matching may me mention much my need of off on once only or order ordered other
    our out over overall own part per please possible present provide put question record recorded
    records regarding related report result results retrieve return returned row rows same say see
    set shall she should show so some such take taken takes tell than that the their them then
    there these they this those through to together took us use used uses using various very via
    want was we were what whatever when where whether which while who whom whose will with within
    would you your do don't doesn't didn't isn't aren't wasn't weren't has hasn't haven't hadn't
    there's what's who's it's themselves entire whole really actually exactly ever both
    us people person anyone someone thing things i'd we'd been broken down compare
    respectively individual individually most more less fewer least""".split()
)
# Words of cues: explained by themselves, and welcome in the label of a column or measure.
CUE_WORDS = frozenset(
    """above after alphabetical alphabetically amount ascending average avg before below between
    biggest bottom combined count counts date dates descending different distinct earliest
    equal every exceed exceeding exceeds except excluding exclude
    fewest first fraction frequent greater greatest group grouped high higher highest
    large larger largest last late latest least less low lower lowest max maximum mean min minimum
    month most never newest no none not number numbers oldest percent percentage percentages
    proportion quarter rank ranked ranking rate ratio recent recently reverse share since
    small smaller smallest sort sorted starting sum top total totals under unique until up value
    week without worst year yearly monthly quarterly weekly daily annual annually day
    quantity name names id ids common commonest fewer least more january february march april june
    july august september october november december today yesterday best""".split()
)

# What an adjective measures, in the words that names of columns use. The second part is whether
# its superlative ranks the largest first.
ADJECTIVES: dict[str, tuple[bool, tuple[str, ...]]] = {
    "expensive": (True, ("price", "cost", "fee", "charge", "rate", "amount", "value")),
    "cheap": (False, ("price", "cost", "fee", "charge", "rate", "amount", "value")),
    "valuable": (True, ("value", "worth", "price", "amount")),
    "old": (False, ("birth", "founded", "established", "year", "date", "since")),
    "aged": (True, ("age",)),
    "young": (True, ("birth",)),
    "new": (True, ("date", "year", "created", "added", "joined", "since", "start")),
    "recent": (True, ("date", "year", "created", "added", "joined", "start")),
    "late": (True, ("date", "year", "time", "created")),
    "early": (False, ("date", "year", "time", "created")),
    "long": (True, ("length", "duration", "minutes", "hours", "days", "pages")),
    "short": (False, ("length", "duration", "height", "minutes", "hours", "days", "pages")),
    "tall": (True, ("height",)),
    "heavy": (True, ("weight", "mass", "kg")),
    "light": (False, ("weight", "mass", "kg")),
    "fast": (True, ("speed", "velocity")),
    "slow": (False, ("speed", "velocity")),
    "popular": (True, ("popularity", "rating", "views", "votes")),
    "big": (True, ("size", "area", "capacity", "volume", "employees")),
    "large": (True, ("size", "area", "capacity", "volume", "employees")),
    "small": (False, ("size", "area", "capacity", "volume", "employees")),
    "rich": (True, ("wealth", "income", "salary", "revenue")),
    "deep": (True, ("depth",)),
    "wide": (True, ("width",)),
    "populous": (True, ("population", "inhabitants")),
    "populated": (True, ("population", "inhabitants")),
}  # fmt: skip
# Verbs that say with what a thing is compared, as the adjective that asks the same.
MEASURING_VERBS = {
    "cost": "expensive", "costs": "expensive", "costing": "expensive", "weigh": "heavy",
    "weighs": "heavy", "weighing": "heavy", "last": "long", "lasts": "long", "lasting": "long",
    "lasted": "long", "took": "long", "takes": "long",
}  # fmt: skip
SUPERLATIVES = {
    "cheapest": "cheap", "oldest": "old", "youngest": "young", "newest": "new", "latest": "late",
    "earliest": "early", "longest": "long", "shortest": "short", "tallest": "tall",
    "heaviest": "heavy", "lightest": "light", "fastest": "fast", "slowest": "slow",
    "biggest": "big", "largest": "large", "smallest": "small", "richest": "rich",
    "deepest": "deep", "widest": "wide", "costliest": "expensive", "priciest": "expensive",
}  # fmt: skip
LARGEST = frozenset("most highest greatest largest biggest maximum max best top longest".split())
SMALLEST = frozenset(
    "least lowest smallest fewest minimum min worst bottom shortest cheapest".split()
)

# Words in names of columns: what a text names, where it lies, what kind of thing it is.
NAME_WORDS = ("name", "title", "label")
PLACE_WORDS = (
    "city", "town", "country", "region", "state", "province", "location", "place", "site",
    "continent", "district", "area", "address", "county",
)  # fmt: skip
KIND_WORDS = ("status", "state", "type", "category", "kind", "class", "stage", "condition")
BOOKKEEPING_WORDS = frozenset(
    "created updated modified inserted loaded ingested changed synced etl".split()
)
FLAG_WORDS = frozenset("is has was can flag".split())
YES_WORDS = frozenset("yes true y t 1 on".split())
NO_WORDS = frozenset("no false n f 0 off not".split())
