"""The corpus of hostile inputs: made by code at test time, each named after its case.

``ENTITIES``: what they are imported as.
"""

from __future__ import annotations

from attacks.archives import ARCHIVES
from attacks.documents import DOCUMENTS
from attacks.json_texts import JSON_TEXTS
from attacks.packed import PACKED
from attacks.parquet_files import PARQUET_FILES
from attacks.sheets import SHEETS
from attacks.texts import TEXTS
from attacks.values import VALUES

PEOPLE = {
    "fields": [
        {"name": "id", "type": "integer"},
        {"name": "name", "type": "string"},
        {"name": "note", "type": "string"},
    ],
    "primaryKey": ["id"],
}
TYPED = {
    "fields": [
        {"name": "id", "type": "integer"},
        {"name": "name", "type": "string"},
        {"name": "amount", "type": "number"},
        {"name": "day", "type": "date"},
        {"name": "moment", "type": "datetime"},
        {"name": "word", "type": "string", "constraints": {"pattern": "^(a+)+$"}},
    ],
    "primaryKey": ["id"],
}
WORDS = {
    "fields": [{"name": "user", "type": "string"}, {"name": "note", "type": "string"}],
    "primaryKey": ["user"],
    "waybill": {"open": True},
}
ENTITIES = {"people": PEOPLE, "typed": TYPED, "words": WORDS}

ATTACKS = (
    *PACKED, *ARCHIVES, *SHEETS, *DOCUMENTS, *PARQUET_FILES, *TEXTS, *JSON_TEXTS, *VALUES,
)  # fmt: skip
