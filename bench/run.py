"""Measure the promised ratios on this machine and print them beside their targets.

Usage: run.py [--quick] [NAME ...], names as below in ``MEASUREMENTS``.
Without names all are run; ``--quick`` takes a tenth of the rows, for a first look. Data and peers
lie in ``bench/.data``.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

from measure import BENCH, DATA, MEBIBYTE, WAYBILL, Run, Server, alternate, serving, timed
from measure import typical_seconds as typical
from rich.console import Console
from rich.table import Table
from small_jobs import ROWS, measure_small_jobs
from tool_answers import KILOBYTES, answer_milliseconds, bare_milliseconds

import waybill

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SCHEMA: Final = BENCH / "orders.json"
ENTITY: Final = "orders"
FEED_SCHEMA: Final = Path(waybill.__file__).parent / "presets/voyado/entities/voyado_products.json"
TOOL_ROWS: Final = 500_000
CUT_ROWS: Final = 100_000
PEER_ROWS: Final = 20_000
WORKBOOK_ROWS: Final = 200_000
FEED_ENTITY: Final = "voyado_products"
FEED_PRODUCTS: Final = 500_000
GIBIBYTE_OF_PRODUCTS: Final = 1_650_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured figure; ``target`` as the promise says it, ``met`` whether it holds."""

    name: str
    measured: str
    target: str
    met: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much is measured: rows of the file, jobs of the load, rounds of each comparison."""

    rows: int
    jobs: int
    rounds: int


def main(arguments: Sequence[str]) -> int:
    """Run the named measurements; gives 1 where a target was missed."""
    parser = argparse.ArgumentParser(description="Measure the promised ratios on this machine.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MEASUREMENTS))
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows")
    given = parser.parse_args(arguments)
    unknown = set(given.names) - set(MEASUREMENTS)
    if unknown:
        parser.error(f"no such measurement: {', '.join(sorted(unknown))}")
    sizes = Sizes(rows=200_000, jobs=200, rounds=1) if given.quick else FULL
    named = given.names or list(MEASUREMENTS)
    DATA.mkdir(exist_ok=True)
    figures: list[Figure] = []
    for name in named:
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        figures += MEASUREMENTS[name](sizes)
    show(figures)
    return 0 if all(figure.met for figure in figures) else 1


def measure_check(sizes: Sizes) -> list[Figure]:
    """``waybill check`` with its full report, against the bare pipeline and frictionless."""
    ours, bare = check_commands(orders(sizes.rows))
    slow = peer_command("frictionless_peer.py", orders(CUT_ROWS), CUT_ROWS)
    our_runs, bare_runs, slow_runs = alternate(
        sizes.rounds, lambda: timed(ours), lambda: timed(bare), lambda: timed(slow)
    )
    rate = sizes.rows / typical(our_runs)
    share = typical(bare_runs) / typical(our_runs)
    slow_rate = median(map(rows_per_second, slow_runs))
    return [
        at_least("check, of the bare pyarrow + DuckDB pipeline", share, 0.6),
        at_least("check, times frictionless", rate / slow_rate, 20),
        note("check, rows/s", f"{rate:,.0f}"),
        note("check, peak memory", f"{max(r.peak_bytes for r in our_runs) // MEBIBYTE} MiB"),
    ]


def measure_json(sizes: Sizes) -> list[Figure]:
    """``waybill check`` of NDJSON and of a JSON array, against DuckDB's ``read_json`` alone."""
    return [
        *measure_json_form("check of NDJSON", "ndjson", sizes),
        *measure_json_form("check of a JSON array", "json", sizes),
    ]


def measure_json_form(name: str, form: str, sizes: Sizes) -> list[Figure]:
    """One of the two forms."""
    ours, bare = check_commands(orders(sizes.rows, form))
    our_runs, bare_runs = alternate(sizes.rounds, lambda: timed(ours), lambda: timed(bare))
    peak = max(run.peak_bytes for run in our_runs)
    return [
        at_least(f"{name}, of bare DuckDB read_json", typical(bare_runs) / typical(our_runs), 0.6),
        note(f"{name}, records/s", f"{sizes.rows / typical(our_runs):,.0f}"),
        at_most(f"{name}, peak memory (MiB)", peak / MEBIBYTE, 512),
    ]


def check_commands(file: Path) -> tuple[list[str], list[str]]:
    """The commands that check a file: ours with its full report, and the bare pipeline."""
    report = DATA / "check-report.csv"
    ours = [WAYBILL, "check", str(file), "--schema", str(SCHEMA), "--format", "csv"]
    bare = [sys.executable, str(BENCH / "bare_check.py"), str(file), str(SCHEMA)]
    return [*ours, "--output", str(report)], bare


def measure_xlsx(sizes: Sizes) -> list[Figure]:
    """Reading a workbook up to tables, child and all, against the library alone."""
    rows = min(sizes.rows, WORKBOOK_ROWS)
    file = DATA / f"orders-{rows}.xlsx"
    if not file.exists():
        timed([sys.executable, str(BENCH / "workbook_data.py"), str(orders(rows)), str(file)])
    read = [sys.executable, str(BENCH / "read_workbook.py"), str(file)]
    our_runs, bare_runs = alternate(
        sizes.rounds, lambda: timed([*read, "ours"]), lambda: timed([*read, "bare"])
    )
    ours, bare = (median(map(seconds_told, runs)) for runs in (our_runs, bare_runs))
    return [
        at_most("workbook read, times bare python-calamine", ours / bare, 1.8),
        note("workbook read, rows/s", f"{rows / ours:,.0f}"),
    ]


def seconds_told(run: Run) -> float:
    """What ``read_workbook.py`` has measured: without the start of its own interpreter."""
    return float(run.output.split()[1])


def measure_feed(sizes: Sizes) -> list[Figure]:
    """A feed of products: its check against bare lxml, its import against the same again."""
    count = min(sizes.rows, FEED_PRODUCTS)
    file = feed(count)
    ours = [WAYBILL, "check", str(file), "--schema", str(FEED_SCHEMA), "--format", "csv"]
    checked = [*ours, "--output", str(DATA / "check-report.csv")]
    bare = [sys.executable, str(BENCH / "bare_feed.py"), str(file)]
    our_runs, bare_runs = alternate(sizes.rounds, lambda: timed(checked), lambda: timed(bare))
    changed = changed_feed(file)
    with serving(FEED_SCHEMA, entities=[FEED_ENTITY], workers=1) as server:
        first, again, other = (
            import_seconds(server, each, FEED_ENTITY) for each in (file, file, changed)
        )
    return [
        at_least("feed check, of bare lxml", typical(bare_runs) / typical(our_runs), 0.5),
        note("feed check, products/s", f"{count / typical(our_runs):,.0f}"),
        at_most("feed import, the same again, of the first", again / first, 0.5),
        note("feed import, one product changed, of the first", f"{other / first:.2f}"),
        note("feed import, products/s", f"{count / first:,.0f}"),
        *measure_large_feed(count, sizes),
    ]


def measure_large_feed(count: int, sizes: Sizes) -> list[Figure]:
    """How much more memory a feed of a gibibyte needs."""
    large = min(sizes.rows, GIBIBYTE_OF_PRODUCTS)
    small, peak = (peak_of_import(feed(each), FEED_SCHEMA, FEED_ENTITY) for each in (count, large))
    return [
        at_most("feed import, memory at 1 GiB", peak / small, 1.1),
        at_most("feed import, peak memory of a process (MiB)", peak / MEBIBYTE, 512),
    ]


def feed(products: int) -> Path:
    """The feed of that many products, made at first use."""
    file = DATA / f"feed-{products}.xml"
    if not file.exists():
        timed([sys.executable, str(BENCH / "feed_data.py"), str(file), str(products)])
    return file


def changed_feed(file: Path) -> Path:
    """The same feed with another price of its first product."""
    changed = file.with_suffix(".changed.xml")
    with file.open("rb") as source, changed.open("wb") as target:
        head = source.read(MEBIBYTE)
        target.write(head.replace(b"<price>0.99<", b"<price>9.99<", 1))
        shutil.copyfileobj(source, target, MEBIBYTE)
    return changed


def measure_gzip(sizes: Sizes) -> list[Figure]:
    """The check of a gzip file against the longer of unpacking it and checking it unpacked."""
    plain = orders(sizes.rows)
    packed = plain.with_suffix(".csv.gz")
    if not packed.exists():
        timed(["gzip", "--keep", str(plain)])
    packed_runs, plain_runs, unpack_runs = alternate(
        sizes.rounds,
        lambda: timed(check_commands(packed)[0]),
        lambda: timed(check_commands(plain)[0]),
        lambda: timed(["sh", "-c", 'zcat "$1" > /dev/null', "sh", str(packed)]),
    )
    longer = max(typical(plain_runs), typical(unpack_runs))
    share = typical(packed_runs) / longer
    return [at_most("check of gzip, times the longer of zcat and the plain check", share, 1.4)]


def measure_import(sizes: Sizes) -> list[Figure]:
    """A first import and the same again, against django-import-export."""
    with serving(SCHEMA, entities=[ENTITY], workers=1) as server:
        seconds: list[float] = []
        peak = server.peak_bytes_while(
            lambda: seconds.extend(
                import_seconds(server, orders(sizes.rows), ENTITY) for _ in range(2)
            )
        )
        first, again = seconds
    slow = rows_per_second(timed(peer_command("import_peer.py", orders(CUT_ROWS), PEER_ROWS)))
    return [
        at_least("import, times django-import-export", sizes.rows / first / slow, 60),
        note("import, rows/s", f"{sizes.rows / first:,.0f}"),
        note("import again unchanged, rows/s", f"{sizes.rows / again:,.0f}"),
        at_most("import, peak memory of a process (MiB)", peak / MEBIBYTE, 512),
    ]


def measure_memory(sizes: Sizes) -> list[Figure]:
    """How much more memory four times the rows need."""
    peaks = [peak_of_import(orders(sizes.rows * times), SCHEMA, ENTITY) for times in (1, 4)]
    return [at_most("import, memory at four times the size", peaks[1] / peaks[0], 1.1)]


def peak_of_import(file: Path, schema: Path, entity: str) -> int:
    """Peak memory of a new server's processes over one import."""
    with serving(schema, entities=[entity], workers=1) as server:
        return server.peak_bytes_while(lambda: import_seconds(server, file, entity))


def measure_polls(sizes: Sizes) -> list[Figure]:
    """Status polls of a running and of a finished job, against a bare handler."""
    polls = [sys.executable, str(BENCH / "polls.py"), "--rounds", str(sizes.rounds)]
    lines = timed(polls).output.strip().splitlines()
    shares = [(line.partition(":")[0], float(line.rpartition(" ")[2])) for line in lines]
    return [at_least(f"polls, {name} job, of a bare handler", s, 0.5) for name, s in shares]


def measure_small(sizes: Sizes) -> list[Figure]:
    """Many jobs of a hundred rows, with two workers."""
    entities = [f"{ENTITY}{number}" for number in range(16)]
    bodies = cuts(orders(CUT_ROWS), 200)
    with serving(SCHEMA, entities=entities, workers=2) as server:
        found = measure_small_jobs(server, entities, lambda n: bodies[n % len(bodies)], sizes.jobs)
    return [
        at_least("small jobs a second", found.per_second, 150),
        at_most("small job alone, median ms", found.alone_seconds * 1000, 150),
    ]


def measure_tools(sizes: Sizes) -> list[Figure]:
    """File tools: on data in memory against a library, and a kilobyte that is answered at once."""
    rows = min(sizes.rows, TOOL_ROWS)
    figures = [
        measure_tool("json-formatter", orders(rows, "json"), sizes),
        measure_tool("csv-to-json", orders(rows), sizes),
    ]
    with serving(SCHEMA, entities=[], workers=1) as server:
        figures.append(
            note("an answer without work, median ms", f"{bare_milliseconds(server):.2f}")
        )
        for tool in KILOBYTES:
            milliseconds = answer_milliseconds(server, tool)
            figures.append(at_most(f"{tool}, a kilobyte, median ms", milliseconds, 5))
    return figures


def measure_tool(tool: str, file: Path, sizes: Sizes) -> Figure:
    """Megabytes a second; the target is 50, or 0.6 of the library where that is lower."""
    command = [sys.executable, str(BENCH / "tool_speed.py"), tool, str(file)]
    told = [timed(command).output.split() for _ in range(sizes.rounds)]
    ours, bare = (median(float(seconds[which]) for seconds in told) for which in (0, 1))
    megabytes = file.stat().st_size / 1e6
    target = round(min(50, 0.6 * megabytes / bare))
    return at_least(f"{tool}, MB/s ({bare / ours:.2f} of a library)", megabytes / ours, target)


def import_seconds(server: Server, file: Path, entity: str) -> float:
    """Seconds from the first byte sent until the job is final."""
    began = time.perf_counter()
    submit = [WAYBILL, "submit", str(file), "--entity", entity, "--watch", "--json"]
    timed([*submit, "--server", server.address, "--token", server.token])
    return time.perf_counter() - began


def peer_command(script: str, file: Path, rows: int) -> list[str]:
    """The command that runs a peer in the peers' own environment."""
    return [str(peers_python()), str(BENCH / script), str(file), str(rows)]


def rows_per_second(run: Run) -> float:
    """The rate that a peer has measured itself."""
    result = last_object(run)
    return float(str(result["rows"])) / float(str(result["seconds"]))


def peers_python() -> Path:
    """The interpreter of the peers' environment, made at first use."""
    environment = DATA / "peers"
    python = environment / "bin" / "python"
    if not (environment / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        wanted = BENCH / "requirements-peers.txt"
        install = [str(python), "-m", "pip", "install", "--quiet", "--requirement", str(wanted)]
        subprocess.run(install, check=True)
        (environment / "ready").touch()
    return python


def orders(rows: int, form: str = "csv") -> Path:
    """The benchmark file of that many rows, made at first use; ``form``: csv, ndjson or json."""
    file = DATA / f"orders-{rows}.{form}"
    if not file.exists():
        timed([sys.executable, str(BENCH / "data.py"), str(file), str(rows)])
    return file


def cuts(file: Path, count: int) -> list[bytes]:
    """``count`` files of a hundred rows each, header included."""
    with file.open("rb") as lines:
        header = next(lines)
        return [header + b"".join(islice(lines, ROWS)) for _ in range(count)]


def last_object(run: Run) -> dict[str, object]:
    """The JSON object in the last line of a command's output."""
    decoded = json.loads(run.output.strip().splitlines()[-1])
    assert isinstance(decoded, dict)
    return decoded


def at_least(name: str, value: float, target: float) -> Figure:
    """A figure that should not be lower."""
    measured = f"{value:,.2f}"
    return Figure(name=name, measured=measured, target=f">= {target:g}", met=value >= target)


def at_most(name: str, value: float, target: float) -> Figure:
    """A figure that should not be higher."""
    measured = f"{value:,.2f}"
    return Figure(name=name, measured=measured, target=f"<= {target:g}", met=value <= target)


def note(name: str, measured: str) -> Figure:
    """A figure without a target, since it depends on the machine."""
    return Figure(name=name, measured=measured, target="", met=True)


def show(figures: Sequence[Figure]) -> None:
    """Print the table."""
    table = Table("figure", "measured", "target", "", title="Waybill on this machine")
    for figure in figures:
        verdict = "" if not figure.target else "ok" if figure.met else "missed"
        table.add_row(figure.name, figure.measured, figure.target, verdict)
    Console().print(table)


FULL: Final = Sizes(rows=2_000_000, jobs=1_500, rounds=3)
MEASUREMENTS: Final[Mapping[str, Callable[[Sizes], list[Figure]]]] = {
    "check": measure_check,
    "json": measure_json,
    "xlsx": measure_xlsx,
    "feed": measure_feed,
    "gzip": measure_gzip,
    "import": measure_import,
    "memory": measure_memory,
    "polls": measure_polls,
    "small": measure_small,
    "tools": measure_tools,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
