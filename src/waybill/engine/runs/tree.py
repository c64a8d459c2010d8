"""The rule of a tree: no node of the file lies too deep, and no parents go in a circle."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from waybill.engine.runs.lacking import lacks
from waybill.errors import JobFailed
from waybill.model.options import DELETING
from waybill.ports.sink import ABSENT, ACTION, KEY, RECORD, QueryableSink
from waybill.validation.codes import make_finding
from waybill.validation.tree_table import BATCH, NODE, TreeTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from waybill.engine.runs.context import RunContext
    from waybill.engine.runs.spool import Spool
    from waybill.engine.runs.verdicts import Verdicts
    from waybill.model.entity import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeRule:
    """Judges the nodes of one run, as they will lie among those that are stored."""

    context: RunContext
    spool: Spool

    def judge(self, verdicts: Verdicts) -> None:
        """Note a finding on each kept node that is too deep or has a circle above it.

        Raises:
            JobFailed: the entity's sink cannot be asked.
        """
        tree = self.context.entity.tree
        if tree is None or self.context.sink_job.operation in DELETING:
            return
        with closing(TreeTable(self.context.parts.checkers.sandbox, tree)) as table:
            for nodes in self._nodes(tree, verdicts):
                table.add(nodes)
            table.settle()
            while (keys := table.unknown_parents()).num_rows:
                self.context.control.check(may_cancel=False)
                table.add_stored(self._stored(tree, keys))
            if self._has_moved(tree, table):
                self._add_others(tree, table)
            self._note(tree, table, verdicts)

    def _are_nodes(self, tree: Tree, rows: pa.Table, verdicts: Verdicts) -> list[bool]:
        """Which rows are no roots; a root is none of the records."""
        key = self.context.entity.key[0]
        found: Any = pc.is_in(rows.column(KEY), value_set=pa.array(tree.roots, pa.string()))
        are_roots: list[bool] = found.to_pylist()
        records = rows.column(RECORD).to_numpy().tolist()
        for record, is_root in zip(records, are_roots, strict=True):
            if is_root:
                verdicts.late.add(record, make_finding("TREE_ROOT", field=key))
        return [not is_root for is_root in are_roots]

    def _has_moved(self, tree: Tree, table: TreeTable) -> bool:
        """Whether any node of the file is stored below another parent; tells the table which."""
        has_moved = False
        for nodes in table.given():
            keys = nodes.select(["key"]).rename_columns([KEY])
            stored = self._parents(tree, keys)
            missing = self._queryable().missing(
                self.context.job.project, self.context.entity.name, [KEY], keys
            )
            pairs = zip(nodes.column("parent").to_pylist(), stored, missing, strict=True)
            moved = [not is_new and new != old for new, old, is_new in pairs]
            if any(moved):
                table.add_moved(nodes.select(["key"]).filter(pa.array(moved)))
                has_moved = True
        return has_moved

    def _add_others(self, tree: Tree, table: TreeTable) -> None:
        """Tell the table all that is stored: what lies below moved nodes goes with them."""
        sink, entity = self._queryable(), self.context.entity
        cursor: str | None = ""
        while cursor is not None:
            self.context.control.check(may_cancel=False)
            page = sink.records(self.context.job.project, entity, after=cursor, limit=BATCH)
            columns = {"key": entity.key[0], "parent": tree.parent}
            table.add_others(
                pa.table(
                    {
                        name: pa.array([record[field] for record in page.records], pa.string())
                        for name, field in columns.items()
                    }
                )
            )
            cursor = page.next

    def _nodes(self, tree: Tree, verdicts: Verdicts) -> Iterator[pa.Table]:
        """The kept nodes whose parent the file tells, chunk by chunk; no deleted ones."""
        for chunk in self.spool:
            self.context.control.check(may_cancel=False)
            rows = self.spool.good_rows(chunk) if chunk.accepted else None
            if rows is None or tree.parent not in rows.column_names:
                continue
            rows = rows.filter(pa.array(verdicts.keep(rows.column(RECORD).to_numpy())))
            if ACTION in rows.column_names:
                deleting = pa.array([each.value for each in DELETING])
                rows = rows.filter(pc.invert(pc.is_in(rows.column(ACTION), deleting)))
            if ABSENT in rows.column_names:  # such a node stays where it lies
                rows = rows.filter(pc.invert(lacks(rows.column(ABSENT), tree.parent)))
            rows = rows.filter(pa.array(self._are_nodes(tree, rows, verdicts), pa.bool_()))
            yield rows.select([KEY, tree.parent, RECORD]).rename_columns(NODE)

    def _stored(self, tree: Tree, keys: pa.Table) -> pa.Table:
        """The stored nodes of these keys with their parents; one that is not stored has none."""
        found = self._parents(tree, keys.select(["key"]).rename_columns([KEY]))
        return keys.append_column("parent", pa.array(found, pa.string()))

    def _parents(self, tree: Tree, keys: pa.Table) -> Sequence[object]:
        """What is stored as the parents of these nodes."""
        return self._queryable().values(
            self.context.job.project, self.context.entity.name, tree.parent, keys
        )

    def _queryable(self) -> QueryableSink:
        sink = self.context.sink
        if not isinstance(sink, QueryableSink):
            raise JobFailed(
                "the entity is a tree, and its sink cannot be asked for parents",
                code="SINK_NOT_QUERYABLE",
            )
        return sink

    def _note(self, tree: Tree, table: TreeTable, verdicts: Verdicts) -> None:
        deep = make_finding("TREE_TOO_DEEP", field=tree.parent, allowed=tree.max_depth)
        circle = make_finding("TREE_CIRCLE", field=tree.parent)
        for record, is_circle in table.wrong():
            verdicts.late.add(record, circle if is_circle else deep)
