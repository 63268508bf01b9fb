"""What the wire does to one call."""

# (action of the stand-in's faults, its value); "after acceptance": the call was carried out
WIRE: dict[str, tuple[str, float]] = {
    "5xx": ("status", 503),
    "cut": ("drop_before", 0),
    "time-out after acceptance": ("delay_after", 2),
    "reset after acceptance": ("reset_after", 0),
    "garbage after acceptance": ("garbage", 0),
    "busy": ("errcode", -1),
    "too many at once": ("errcode", 45033),
    "slow": ("delay", 0.3),
}
