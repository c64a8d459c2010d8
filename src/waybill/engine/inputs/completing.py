"""A file as its job is to see it, with a key and columns for what it lacks.

The run of the job and every later look at its input see the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from waybill.engine.inputs.made_keys import with_made_keys
from waybill.engine.inputs.padding import with_needed_columns
from waybill.engine.inputs.strict_reader import StrictReader
from waybill.model.options import BrokenJson

if TYPE_CHECKING:
    from waybill.model.entity import Entity
    from waybill.model.options import ImportOptions
    from waybill.ports.reader import Reader


def completed(reader: Reader, entity: Entity, options: ImportOptions, *, seed: str) -> Reader:
    """The reader, with what entity and options say beside the file.

    ``seed``: as in ``with_made_keys``.
    """
    if options.broken_json is BrokenJson.FAIL:
        reader = StrictReader(reader)
    return with_needed_columns(with_made_keys(reader, entity, seed), entity, options)
