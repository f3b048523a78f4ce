"""Memories: some of the rows that have become known, kept from trigger to trigger. A module a family, pure numpy.

Which rows are kept follows from the rows seen, the limit and the seed alone. So the order in which rows came, and how
they were cut into pieces, change nothing, and memories of different rows can be merged.
"""
