"""Say how Arrow holds the columns of a row."""

import types
import typing
from datetime import datetime
from typing import Any

import pyarrow as pa

from tune_jobs.engine.results.row import Row, RowOrigin

_ARROW_TYPES = {
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
    str: pa.string(),
    RowOrigin: pa.string(),
    datetime: pa.timestamp("us", tz="UTC"),
    tuple[float | None, ...]: pa.list_(pa.float64()),
    tuple[int, ...]: pa.list_(pa.int64()),
}


def build_schema(row: type[Row]) -> Any:
    """Build Arrow's schema of a row; each field's metadata has the column's one line, `doc`."""
    fields = []
    for name, hint in typing.get_type_hints(row, include_extras=True).items():
        annotation, doc = typing.get_args(hint)
        nullable = isinstance(annotation, types.UnionType)
        kind = typing.get_args(annotation)[0] if nullable else annotation
        fields.append(pa.field(name, _ARROW_TYPES[kind], nullable, {"doc": doc}))
    return pa.schema(fields)


SCHEMA = build_schema(Row)
