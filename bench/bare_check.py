"""The bare pipeline that ``waybill check`` is measured against.

pyarrow parses CSV, DuckDB itself parses JSON, and DuckDB judges.

Same rules as the descriptor (required, strict type grammar, pattern, enum, bounds, lengths, the
key's uniqueness), all cores, no positions, no messages, no report: it only counts.
Usage: bare_check.py FILE SCHEMA. Prints one JSON object.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb
import pyarrow as pa
import pyarrow.csv as pa_csv

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

GRAMMARS: Final = {
    "integer": r"[+-]?[0-9]+",
    "number": r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?",
    "date": r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "boolean": r"true|True|TRUE|1|false|False|FALSE|0",
}
SQL_TYPES: Final = {"integer": "BIGINT", "number": "DOUBLE", "date": "DATE"}
BOUNDS: Final = {
    "minimum": "<",
    "maximum": ">",
    "exclusiveMinimum": "<=",
    "exclusiveMaximum": ">=",
}


def main(file: str, schema: str) -> None:
    """Count records, bad records and duplicated keys of ``file``."""
    descriptor = json.loads(Path(schema).read_text(encoding="utf-8"))
    database = duckdb.connect()
    database.execute("SET python_enable_replacements = false")
    names = read_csv(database, file) if file.endswith(".csv") else read_json(database, file)
    fields = [field for field in descriptor["fields"] if field["name"] in names]
    conditions = [condition for field in fields for condition in faults(field)]
    counted = database.execute(count_statement(conditions)).fetchone()
    assert counted is not None
    duplicates = database.execute(duplicate_statement(descriptor["primaryKey"])).fetchone()
    assert duplicates is not None
    result = {"rows": counted[0], "bad": counted[1], "by_rule": counted[2:]}
    print(json.dumps({**result, "duplicated": int(duplicates[0] or 0)}))


def read_json(database: duckdb.DuckDBPyConnection, file: str) -> Sequence[str]:
    """All members of the first object as text, in ``input_rows``; null and missing are null."""
    with Path(file).open("rb") as lines:
        first = next(line for line in lines if line.startswith(b"{"))
    names = list(json.loads(first.strip().rstrip(b",")))
    columns = ", ".join(f"{text(name)}: 'VARCHAR'" for name in names)
    layout = "array" if file.endswith(".json") else "newline_delimited"
    database.execute(
        f"CREATE TABLE input_rows AS FROM read_json({text(file)}, format = '{layout}', "
        f"columns = {{{columns}}})"
    )
    return names


def read_csv(database: duckdb.DuckDBPyConnection, file: str) -> Sequence[str]:
    """All columns as text, in ``input_rows``; an empty cell is null."""
    with pa_csv.open_csv(file) as reader:
        names = reader.schema.names
    rows = pa_csv.read_csv(
        file,
        read_options=pa_csv.ReadOptions(block_size=8 << 20),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )
    database.register("input_rows", rows)
    return names


def faults(field: Mapping[str, Any]) -> Iterator[str]:
    """One SQL condition per rule of a field, true where the rule is broken."""
    column = '"' + field["name"].replace('"', '""') + '"'
    constraints = field.get("constraints", {})
    if constraints.get("required"):
        yield f"{column} IS NULL"
    if field["type"] in GRAMMARS:
        yield f"NOT regexp_full_match({column}, {text(GRAMMARS[field['type']])})"
    yield from value_faults(column, field["type"], constraints)


def value_faults(column: str, kind: str, constraints: Mapping[str, Any]) -> Iterator[str]:
    """Conditions of the type and of the constraints."""
    typed = column
    if kind in SQL_TYPES:
        typed = f"TRY_CAST({column} AS {SQL_TYPES[kind]})"
        yield f"{column} IS NOT NULL AND {typed} IS NULL"
    for name, operator in BOUNDS.items():
        if name in constraints:
            yield f"{typed} {operator} {text(str(constraints[name]))}::{SQL_TYPES[kind]}"
    if "pattern" in constraints:
        yield f"NOT regexp_matches({column}, {text(constraints['pattern'])})"
    if "enum" in constraints:
        yield f"{column} NOT IN ({', '.join(text(str(v)) for v in constraints['enum'])})"
    if "maxLength" in constraints:
        yield f"length({column}) > {int(constraints['maxLength'])}"
    if "minLength" in constraints:
        yield f"length({column}) < {int(constraints['minLength'])}"


def count_statement(conditions: Sequence[str]) -> str:
    """Records, bad records, and broken rules one by one, in one pass."""
    columns = [f"coalesce({condition}, false) AS c{n}" for n, condition in enumerate(conditions)]
    names = [f"c{n}" for n in range(len(conditions))]
    counts = [f"count(*) FILTER ({name})" for name in names]
    return (
        f"SELECT count(*), count(*) FILTER ({' OR '.join(names)}), {', '.join(counts)} "  # noqa: S608 - our own descriptor
        f"FROM (SELECT {', '.join(columns)} FROM input_rows)"
    )


def duplicate_statement(key: Sequence[str] | str) -> str:
    """How many records share their key with another one."""
    names = [key] if isinstance(key, str) else key
    columns = ", ".join(f'"{name}"' for name in names)
    present = " AND ".join(f'"{name}" IS NOT NULL' for name in names)
    grouped = f"SELECT count(*) AS n FROM input_rows WHERE {present} GROUP BY {columns}"  # noqa: S608 - our own descriptor
    return f"SELECT sum(n) FROM ({grouped} HAVING count(*) > 1)"  # noqa: S608 - our own descriptor


def text(value: str) -> str:
    """A SQL literal."""
    return "'" + value.replace("'", "''") + "'"


if __name__ == "__main__":
    main(*sys.argv[1:])
