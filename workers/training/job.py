"""One training as a value: what goes in, what is reported on the way, what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from shared.class_names import ClassNames
from shared.config.pipeline import Data, Model, Training
from shared.messages.reports import FeatureNotes
from shared.training_rule import TrainingRule
from workers.training.batch_rule import BatchRuleKind
from workers.training.chosen_rows import TrainingRows
from workers.training.order.blocks import Blocks


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """Where a training may leave things, and how often it tells how far it is."""

    checkpoint_folder: str  # path or URI; of this training alone
    checkpoints_kept: int
    scratch_folder: Path  # local
    report_every_batches: int
    report_every_s: float  # and no oftener


@dataclass(frozen=True, kw_only=True)
class TrainingJob:
    """All that decides what the trained model will be, and where the work is done."""

    model: Model
    training: Training
    data: Data
    rows: TrainingRows
    previous: bytes | None  # the model to go on from; None: model.pretrained_uri if set, else fresh
    seed: int  # derived for the trigger
    device: str  # auto, cpu, cuda or cuda:<n>
    trusted_modules: tuple[str, ...]
    workspace: Workspace
    classes: ClassNames | None = None  # where those of the rows have names
    rule: TrainingRule | None = None  # of the training, as the training set names it
    blocks: Blocks = Blocks()
    batch_rules: Mapping[str, BatchRuleKind] = field(default_factory=dict)  # those that go batch by batch, by name


class TrainingProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a training is. Epochs and batches count from 1."""

    epoch: int
    epochs: int
    batch: int
    loss: float  # mean over the epoch so far
    samples: int  # that this process has learned from, each as often as it was seen
    eta_s: float


class TrainedModel(msgspec.Struct, frozen=True, kw_only=True):
    """What a training makes."""

    body: bytes  # safetensors
    loss: float  # mean over the last epoch
    epochs: int
    samples: int  # rows of the training set
    seconds: float  # spent in all, by attempts that left a checkpoint, too
    features: FeatureNotes
