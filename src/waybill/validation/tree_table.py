"""Nodes and their parents, of a file and around it: who is too deep, whose parents go in a circle.

The nodes lie in the sandbox, which spills to disk; Python sees batches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from waybill.validation.session import VIEW, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb
    import pyarrow as pa

    from waybill.model.entity import Tree
    from waybill.validation.sandbox import Sandbox

BATCH: Final = 32_768
_MOST_DOUBLINGS: Final = 40
NODE: Final = ["key", "parent", "record"]
"""Columns of nodes of the file; parents are brought into the form of keys (NFC)."""


class TreeTable:
    """The nodes of one run, for one thread.

    ``add`` those of the file, ``add_stored`` what ``unknown_parents`` names until it names nothing.
    Where nodes of the file are stored elsewhere, ``add_moved`` them, and ``add_others`` all that is
    stored. Then ask ``wrong``.
    """

    def __init__(self, sandbox: Sandbox, tree: Tree) -> None:
        self._tree = tree
        self._db: duckdb.DuckDBPyConnection = sandbox.connect()
        self._db.execute("CREATE TEMP TABLE given (key VARCHAR, parent VARCHAR, record BIGINT)")
        self._db.execute("CREATE TEMP TABLE moved (key VARCHAR)")
        self._db.execute("CREATE TEMP TABLE other (key VARCHAR, parent VARCHAR)")
        self._db.execute(
            "CREATE TEMP TABLE root AS SELECT nfc_normalize(unnest(?::VARCHAR[])) AS key",
            [tree.roots],
        )

    def add(self, nodes: pa.Table) -> None:
        """Take nodes of the file, with the columns ``NODE``; of one key the last one counts."""
        self._insert("given", "key, nfc_normalize(parent), record", nodes)

    def settle(self) -> None:
        """Note that the file has no more nodes."""
        self._db.execute(
            "CREATE TEMP TABLE node AS SELECT key, last(parent ORDER BY record) AS parent, "
            "max(record) AS record, 0 AS hops FROM given GROUP BY key"
        )
        self._db.execute("DROP TABLE given")

    def unknown_parents(self) -> pa.Table:
        """A batch of parents that are no nodes yet, as ``key`` and ``hops``: how far from the file.

        None that is farther than the tree may be deep.
        """
        found = self._db.execute(
            "SELECT parent AS key, min(hops) + 1 AS hops FROM node "
            "WHERE parent IS NOT NULL AND hops < ? "
            "AND parent NOT IN (FROM root) AND parent NOT IN (SELECT key FROM node) "
            "GROUP BY parent ORDER BY hops, key LIMIT ?",
            [self._tree.max_depth, BATCH],
        ).to_arrow_table()
        if found is None:
            raise TypeError("a query returned no rows at all, not even none")
        return found

    def add_stored(self, nodes: pa.Table) -> None:
        """Take stored nodes: ``key``, ``parent``, ``hops``."""
        self._insert("node", "key, nfc_normalize(parent), NULL, hops", nodes)

    def given(self) -> Iterator[pa.Table]:
        """The nodes of the file in batches, as ``key`` and ``parent``."""
        last = -1
        while True:
            found = self._db.execute(
                "SELECT key, parent, record FROM node WHERE record > ? ORDER BY record LIMIT ?",
                [last, BATCH],
            ).to_arrow_table()
            if found is None or not found.num_rows:
                return
            last = found.column("record").to_pylist()[-1] or last
            yield found.select(["key", "parent"])

    def add_moved(self, keys: pa.Table) -> None:
        """Take the keys of nodes of the file that are stored below another parent."""
        self._insert("moved", "key", keys)

    def add_others(self, nodes: pa.Table) -> None:
        """Take stored nodes, ``key`` and ``parent``, whatever is known of them."""
        self._insert("other", "nfc_normalize(key), nfc_normalize(parent)", nodes)

    def wrong(self) -> Iterator[tuple[int, bool]]:
        """Records of the file that are too deep, and whether it is for a circle; by record.

        So is one that takes a stored node along which is too deep then.
        """
        self._db.execute(
            "INSERT INTO node SELECT key, parent, NULL, 0 FROM other "
            "WHERE key NOT IN (SELECT key FROM node)"
        )
        self._reach()
        self._look_for_circles()
        self._look_below()
        self._db.execute(
            "SELECT record, bool_or(is_circle) FROM ("
            "SELECT node.record, lost.above IS NOT NULL AS is_circle "
            "FROM node JOIN lost USING (key) "
            "UNION ALL SELECT node.record, FALSE FROM node JOIN below ON node.key = below.moved "
            "WHERE below.key IN (SELECT key FROM lost)"
            ") WHERE record IS NOT NULL GROUP BY record ORDER BY record"
        )
        while rows := self._db.fetchmany(BATCH):
            yield from rows

    def close(self) -> None:
        """Drop all nodes."""
        self._db.close()

    def _reach(self) -> None:
        """Note every node that a root reaches within the depth of the tree."""
        self._db.execute(
            "CREATE TEMP TABLE reached AS SELECT key, 1 AS level FROM node "
            "WHERE parent IS NULL OR parent IN (FROM root)"
        )
        for level in range(2, self._tree.max_depth + 1):
            self._db.execute(
                "INSERT INTO reached SELECT node.key, ? FROM node "
                "JOIN reached ON node.parent = reached.key WHERE reached.level = ?",
                [level, level - 1],
            )

    def _look_for_circles(self) -> None:
        """Follow parents in steps that double: who still has one above after all is in a circle."""
        self._db.execute(
            "CREATE TEMP TABLE lost AS WITH far AS "
            "(SELECT key, parent FROM node WHERE key NOT IN (SELECT key FROM reached)) SELECT key, "
            "CASE WHEN parent IN (SELECT key FROM far) THEN parent END AS above FROM far"
        )
        count = self._count("SELECT count(*) FROM lost")
        for _ in range(min(count.bit_length() + 1, _MOST_DOUBLINGS)):
            self._db.execute(
                "CREATE OR REPLACE TEMP TABLE lost AS SELECT one.key, next.above "
                "FROM lost AS one LEFT JOIN lost AS next ON one.above = next.key"
            )

    def _look_below(self) -> None:
        """Note the stored nodes below each moved one, as far as the tree may be deep."""
        self._db.execute(
            "CREATE TEMP TABLE below AS SELECT key AS moved, key, 0 AS steps FROM moved"
        )
        for step in range(self._tree.max_depth):
            self._db.execute(
                "INSERT INTO below SELECT below.moved, node.key, ? FROM node "
                "JOIN below ON node.parent = below.key "
                "WHERE below.steps = ? AND node.record IS NULL",
                [step + 1, step],
            )

    def _count(self, statement: str) -> int:
        row = self._db.execute(statement).fetchone()
        return 0 if row is None else int(row[0])

    def _insert(self, table: str, columns: str, rows: pa.Table) -> None:
        self._db.register(VIEW, Source(rows))
        self._db.execute(f"INSERT INTO {table} SELECT {columns} FROM {VIEW}")  # noqa: S608 - our own names
        self._db.unregister(VIEW)
