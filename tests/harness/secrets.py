"""Finds credentials in what a program printed."""
import re

# What a credential looks like when nobody told us its value.
PATTERNS = {
    "shared access signature": re.compile(r"SharedAccessSignature\s+sr="),
    "shared access key": re.compile(r"SharedAccessKey=(?![<*.\s]|$)"),
    "signature field": re.compile(r"\bsig=[A-Za-z0-9%/+]{20,}"),
    "bearer header": re.compile(r"Bearer\s+[A-Za-z0-9_-]{8,}"),
    "JSON web token": re.compile(r"eyJ[A-Za-z0-9_-]{16,}"),
    "token in a topic": re.compile(r"\$auth="),
    "private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"),
}
KEY_FIELD = re.compile(r"SharedAccess(?:Key|Signature)=([^;\s]+)")


def credentials_in(connection_string):
    """The secret parts of a connection string, in the spellings in which they might leak."""
    found = set()
    for value in KEY_FIELD.findall(connection_string):
        found |= {value, value.rstrip("="), value.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")}
    return {value for value in found if len(value) >= 12}


def find_leaks(text, known=()):
    """Names of the secrets that stand in `text`; empty when there is none."""
    leaks = [name for name, pattern in PATTERNS.items() if pattern.search(text)]
    leaks += ["a key in use" for value in known if value in text]
    return leaks
