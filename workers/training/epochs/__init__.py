"""Rules per epoch: which rows of a training set an epoch learns from, in which order, and how much each counts.

A rule is pure: it follows from the number of rows, the seed, the epoch's number and, for some, each row's newest loss.
So an epoch that is taken up again is the same. All arrays are numpy's; memory is in proportion to the rows.
"""
