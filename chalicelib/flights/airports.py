"""The airports that are known, by their IATA codes."""

AIRPORTS = frozenset(
    """
    AMS ATH ATL BCN BKK BOS BRU CDG CPH DEL DEN DFW DOH DUB DXB EDI EWR FCO FRA FNC GRU GVA HEL HKG HND IAD
    IST JFK LAX LGW LHR LIS LPA MAD MAN MEX MIA MUC MXP NCE NRT OPO ORD ORY OSL PMI PRG SEA SFO SIN STN SVQ
    SYD TLS VIE WAW YUL YVR YYZ ZRH
    """.split()  # noqa: SIM905 - sixty quoted codes are harder to read
)
