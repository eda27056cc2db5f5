"""Why a line is set aside: the words that stand in a snapshot's rejects, and that limits may name."""

CANCELLED = "cancelled"
MISSING_LINE = "missing line id"
MISSING_KEY = "missing key"
LONG_KEY = "key too long"
UNREADABLE_KEY = "unreadable key"
MISSING_DATE = "missing date"
BAD_DATE = "not a date"
TOO_OLD = "date before 1970"
MISSING_UNIT = "missing unit"
UNKNOWN_UNIT = "unknown unit"
OTHER_UNIT = "unit does not fit [demand] unit"
NO_WEIGHT = "no weight per piece"
MISSING_QUANTITY = "missing quantity"
NOT_A_NUMBER = "not a number"
NOT_FINITE = "not finite"
TOO_LARGE = "absurd quantity"
NOT_WHOLE = "not a whole number of pieces"
DUPLICATE = "duplicate line"
CONFLICT = "line id used twice"
CLAIMED = "line of two sources"

REASONS = (
    CANCELLED,
    MISSING_LINE,
    MISSING_KEY,
    LONG_KEY,
    UNREADABLE_KEY,
    MISSING_DATE,
    BAD_DATE,
    TOO_OLD,
    MISSING_UNIT,
    UNKNOWN_UNIT,
    OTHER_UNIT,
    NO_WEIGHT,
    MISSING_QUANTITY,
    NOT_A_NUMBER,
    NOT_FINITE,
    TOO_LARGE,
    NOT_WHOLE,
    DUPLICATE,
    CONFLICT,
    CLAIMED,
)
"""In the order in which they are looked for: of several faults of a line, the first is its reason."""
