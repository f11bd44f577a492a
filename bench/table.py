"""All rows of the table, in its order."""
from .far import FarBulk
from .memory import BusyMemory, IdleMemory, StalledMemory, StreamMemory
from .rows import Bulk, Devices, Open, RoundTrip

ROWS = [
    *(Bulk(way, streams) for streams in (1, 8, 64) for way in ("up", "down", "both")),
    *(FarBulk(way) for way in ("up", "down")),
    RoundTrip(1),
    RoundTrip(1024),
    Open(1),
    Open(16),
    IdleMemory(),
    BusyMemory(),
    StreamMemory(),
    StalledMemory(),
    Devices("mqtt-ws"),
    Devices("mqtt"),
]
