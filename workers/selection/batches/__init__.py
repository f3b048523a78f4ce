"""Selection within a training: of each batch the model that learns chooses what it learns from."""

from __future__ import annotations

from collections.abc import Mapping

from workers.selection.batches.batch_then_sample import BatchThenSample
from workers.training.batch_rule import BatchRuleKind

# By the name that a training set calls them by: `TrainingRule.name`.
BATCH_RULES: Mapping[str, BatchRuleKind] = {"batch_then_sample": BatchThenSample}
