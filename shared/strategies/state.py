"""What a strategy may keep from trigger to trigger, and the bytes in which it is kept.

A state is what msgpack can hold (none, numbers, texts, bytes, lists, and mappings of texts to these), with Arrow tables
anywhere in it. Small facts of a table may stand in the metadata of its schema. Equal states give equal bytes, however
their tables came about: whole, in chunks, or as a slice of another.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from shared.strategies.strategy import State

_TABLE = 1  # code of msgpack's extension


def state_bytes(state: State) -> bytes:
    """A state as it is stored. Raises TypeError for what it cannot hold, ValueError for a table with nulls."""
    try:
        return msgspec.msgpack.encode(state, enc_hook=_written, order="deterministic")
    except TypeError as error:
        if "str keys" not in str(error):
            raise
        raise TypeError("a state cannot hold a mapping with keys that are not texts; write str(key)") from error


def read_state(body: bytes) -> State:
    """The state in these bytes; a tuple comes back as a list."""
    return msgspec.msgpack.decode(body, ext_hook=_read)


def _written(part: Any) -> msgspec.msgpack.Ext:
    if not isinstance(part, pa.Table):
        raise TypeError(f"a state cannot hold a {type(part).__name__}: it holds what msgpack can, and Arrow tables")
    with pa.BufferOutputStream() as sink:
        with pa.ipc.new_stream(sink, _schema(part.schema)) as writer:
            writer.write_table(_plain(part))
        return msgspec.msgpack.Ext(_TABLE, memoryview(sink.getvalue()))


def _read(code: int, body: memoryview) -> Any:
    if code != _TABLE:
        raise ValueError(f"a state holds nothing of kind {code}")
    return pa.ipc.open_stream(pa.py_buffer(body)).read_all()


def _schema(schema: pa.Schema) -> pa.Schema:
    """The same, with its metadata in one order. Raises ValueError where fields have some, which would be lost."""
    if described := [field.name for field in schema if field.metadata]:
        raise ValueError(f"column {described[0]} of a state's table has metadata; the schema may have some, as a whole")
    return schema.with_metadata(dict(sorted((schema.metadata or {}).items())) or None)


def _plain(table: pa.Table) -> pa.Table:
    """The same rows in one chunk, in memory of their own: what lies beside a slice is not written.

    Raises ValueError: what lies under a null may be anything.
    """
    for name, column in zip(table.column_names, table.columns, strict=True):
        if column.null_count:
            raise ValueError(f"column {name} of a state's table has nulls; it may have none")
    taken = table.take(pa.array(np.arange(table.num_rows)))
    return taken.combine_chunks().cast(_schema(table.schema))
