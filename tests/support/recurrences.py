"""Recurrence rules for property tests, and what python-dateutil makes of them."""

from collections.abc import Iterator
from datetime import date, datetime, time
from itertools import islice

from dateutil.rrule import rrulestr
from hypothesis import strategies as st

from interlock.core.policies.recurrence import SEARCH

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
LAST_YEAR = 2060  # further than any test looks


def dates(rule: str, first: date) -> Iterator[date]:
    """The days of a rule, by python-dateutil."""
    ending = rule if "COUNT" in rule or "UNTIL" in rule else f"{rule};UNTIL={LAST_YEAR}1231"
    begin = datetime.combine(first, time())
    return (found.date() for found in rrulestr(ending, dtstart=begin))


def begun(rule: str, about: date) -> tuple[str, date] | None:
    """The rule and its first day from this one on; None if it has none, or its COUNT is too far."""
    given = list(islice(dates(rule, about), 1000 if "COUNT" in rule else 1))
    return (rule, given[0]) if given and given[-1] - given[0] <= SEARCH else None


def _listed(values: st.SearchStrategy[str], *, at_most: int = 3) -> st.SearchStrategy[str]:
    return st.lists(values, min_size=1, max_size=at_most, unique=True).map(",".join)


def _numbers(least: int, most: int) -> st.SearchStrategy[str]:
    return _listed(st.integers(least, most).filter(bool).map(str))


def _weekdays(most: int) -> st.SearchStrategy[str]:
    """Plain ones, or ones with an ordinal: python-dateutil takes a mixture for both at once, the RFC for either."""
    plain = _listed(st.sampled_from(DAYS))
    ordinal = st.tuples(st.integers(-most, most).filter(bool), st.sampled_from(DAYS)).map(lambda d: f"{d[0]}{d[1]}")
    return st.one_of(plain, _listed(ordinal)) if most else plain


@st.composite
def _rules(draw: st.DrawFn) -> str:
    frequency = draw(st.sampled_from(("DAILY", "WEEKLY", "MONTHLY", "YEARLY")))
    parts = [f"FREQ={frequency}"]
    optional = {
        "INTERVAL": st.integers(1, 5).map(str),
        "BYMONTH": _numbers(1, 12),
        "BYDAY": _weekdays({"MONTHLY": 5, "YEARLY": 53}.get(frequency, 0)),
        "WKST": st.sampled_from(DAYS),
    }
    if frequency != "WEEKLY":
        optional["BYMONTHDAY"] = _numbers(-31, 31)
    parts += [f"{name}={draw(values)}" for name, values in optional.items() if draw(st.booleans())]
    if frequency == "YEARLY" and any(part.startswith("BYMONTH=") for part in parts):
        parts = [part for part in parts if not part.startswith("BYDAY") or _small(part)]
    named = any(part.startswith(("BYDAY", "BYMONTH")) for part in parts)
    if named and frequency in {"MONTHLY", "YEARLY"} and draw(st.booleans()):
        parts.append(f"BYSETPOS={draw(_numbers(-5, 5))}")
    if draw(st.integers(0, 3)) == 0:
        parts.append(f"COUNT={draw(st.integers(1, 12))}")
    return ";".join(parts)


def _small(part: str) -> bool:
    """Whether the ordinals can be those of a month."""
    return all(abs(int(day[:-2] or 0)) <= 5 for day in part.removeprefix("BYDAY=").split(","))


rules = _rules()
