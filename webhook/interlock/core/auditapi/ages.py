"""Durations as kubectl tells them: 12s, 5m3s, 4h10m, 3d, 2y40d (apimachinery, duration.HumanDuration)."""

from datetime import timedelta

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "y": 365 * 86400}  # seconds
_SPELLINGS = (  # below so many seconds, in these units
    (2 * 60, "s"),
    (10 * 60, "ms"),
    (3 * 3600, "m"),
    (8 * 3600, "hm"),
    (48 * 3600, "h"),
    (8 * 86400, "dh"),
    (2 * 365 * 86400, "d"),
    (8 * 365 * 86400, "yd"),
)


def human(age: timedelta) -> str:
    """Tell a duration in one or two units; what lies in the future is no time ago."""
    seconds = max(int(age.total_seconds()), 0)
    units = next((units for below, units in _SPELLINGS if seconds < below), "y")
    numbers: list[str] = []
    for unit in units:
        number, seconds = divmod(seconds, _UNITS[unit])
        numbers.append(f"{number}{unit}" if number or not numbers else "")
    return "".join(numbers)
