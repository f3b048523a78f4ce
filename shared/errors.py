"""Every error a user can meet, with the exit code it ends the command with.

ModynError
├── ConfigurationError   2  something in pipeline.yaml, config.yaml or on the command line is wrong
├── NotReadyError        3  broker, workers or dataset are not as the configuration needs them
│   └── RunTakenError       another supervisor is working on the run
└── RunFailedError       1  a run that had started cannot go on
    ├── DataError           a row or file of the dataset cannot be used
    │   ├── PlaceError          where the dataset lies cannot be looked into now
    │   └── RowError            what a row holds: the trigger that selects it fails, and others may do without it
    ├── ArtifactError       a stored object is missing, unreadable or not what was recorded
    │   └── ArtifactLostError   it is not there, or was never whole: it can only be made anew
    └── TrainingError       user code, or the training itself, failed
"""

from __future__ import annotations

from typing import Self

from shared.printable import shown


class ModynError(Exception):
    """A failure explained in sentences: what is wrong, where, the value, the remedy."""

    exit_code = 1

    def __init__(self, *problems: str) -> None:
        """A sentence for each problem."""
        self.problems = tuple(map(shown, problems))  # they may quote what somebody's file holds
        super().__init__("\n".join(self.problems))

    def about(self, what: str) -> Self:
        """The same, each sentence with what it is about before it."""
        return type(self)(*(f"{what}: {sentence}" for sentence in self.problems))


class ConfigurationError(ModynError):
    """The configuration or the command line is wrong: a sentence for each mistake."""

    exit_code = 2


class NotReadyError(ModynError):
    """The system cannot run the pipeline yet: a sentence for each failed check."""

    exit_code = 3


class RunTakenError(NotReadyError):
    """Another supervisor is working on the run; nothing more may be written by this one."""


class RunFailedError(ModynError):
    """The run cannot go on; what was committed stays, and `--resume` goes on from there."""


class DataError(RunFailedError):
    """A row or a file of the dataset cannot be used."""


class PlaceError(DataError):
    """Where a dataset lies cannot be looked into now; what was found there before may well be there still."""


class RowError(DataError):
    """What a row holds cannot be used. The file is there and can be read: no --resume finds another value in it."""


class ArtifactError(RunFailedError):
    """A stored object is missing, unreadable or not what was recorded."""


class ArtifactLostError(ArtifactError):
    """A stored object is not there, or has another size than was recorded."""


class TrainingError(RunFailedError):
    """User code, or the training itself, failed."""
