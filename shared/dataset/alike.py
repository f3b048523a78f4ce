"""Rows of any file as the first file of their dataset has them."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from shared.dataset.column_kinds import plain_type


def alike(table: pa.Table, types: Mapping[str, pa.DataType], folders: Mapping[str, pa.Scalar]) -> pa.Table:
    """The columns of `types`: what folders say in each row, dictionaries and views as what they stand for.

    Columns of nulls alone are as in the first file.
    """
    columns = {}
    for name, first in types.items():
        column = pa.chunked_array([pa.repeat(folders[name], table.num_rows)]) if name in folders else table.column(name)
        if plain_type(column.type) != column.type:
            column = column.cast(plain_type(column.type))
        elif pa.types.is_null(column.type):
            column = pa.chunked_array([pa.nulls(len(column), first)])
        columns[name] = column
    return pa.table(columns)
