"""Hand-written transactions for tests: lines of segments wrapped in a correct envelope."""

ISA = "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *260310*0930*^*00501*000000005*0*T*:~"


def interchange(functional_id: str, version: str, code: str, *bodies: str) -> bytes:
    """Each body (one segment a line, without ``~``) becomes one ST…SE of one group."""
    out = [ISA, f"GS*{functional_id}*SENDER*RECEIVER*20260310*0930*5*X*{version}~"]
    for number, body in enumerate(bodies, 1):
        rows = [row.strip() for row in body.strip().splitlines() if row.strip()]
        out += [f"ST*{code}*{number:04d}~", *(f"{row}~" for row in rows), f"SE*{len(rows) + 2}*{number:04d}~"]
    out += [f"GE*{len(bodies)}*5~", "IEA*1*000000005~"]
    return "\n".join(out).encode()
