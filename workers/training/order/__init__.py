"""Which rows of a training set are learned from, in which order, and how much each counts: epoch by epoch, or batch.

A rule per epoch is pure: it follows from the number of rows, the seed, the epoch's number and, for some, each row's
newest loss. So an epoch that is taken up again is the same.
"""
