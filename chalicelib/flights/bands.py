"""How late a flight is, in words, and from when on it is late."""

ON_TIME_BELOW = 15
"""Minutes: a flight that arrives less than 15 minutes late is on time, as the US Department of Transportation
counts."""

BANDS = ((ON_TIME_BELOW, "on time"), (60, "15 to 59 min"), (180, "60 to 179 min"))
"""Each band's upper limit in minutes of delay, exclusive, with its name."""

LONGEST = "180 min or more"
CANCELLED = "cancelled"
EVERY = "all"
"""Not a band: the row about all of them."""

ORDER = (*(name for _, name in BANDS), LONGEST, CANCELLED, EVERY)
"""In which people read them."""
