"""What a session says of itself. Any field may be missing."""


def first_paint(session):
    return session.get("simpleMeasurements", {}).get("firstPaint")


def platform(session):
    info = session.get("info", {})
    return [info.get("OS", "unknown"), info.get("appVersion", "unknown")]
