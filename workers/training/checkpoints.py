"""Checkpoints of one training: what is in one; each is written whole, and the newest readable one wins."""

from __future__ import annotations

import hashlib
import io
import logging
import pickle
import re
from dataclasses import dataclass
from typing import Any

import msgspec
import torch

from shared.artifacts import write_artifact
from shared.errors import ArtifactError
from shared.filesystems import filesystem_of
from workers.training.job import TrainingJob

log = logging.getLogger(__name__)

_NAME = re.compile(r"epoch-(\d+)-batch-(\d+)\.ckpt")
_HASH_BYTES = 32  # a SHA-256 before the body: torch itself does not notice a flipped byte


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """All that a training needs to go on between two batches, to the bit on the same CPU."""

    learner: dict[str, Any]  # of model, optimizer, schedule, arithmetic and torch's random numbers: Learner.state
    epoch: int  # from 0, as is `batch`: the next to be done
    batch: int
    loss_total: float  # loss × rows of this epoch's batches
    loss_rows: int
    spent_s: float  # by all attempts so far
    # Where each row's newest loss decides: as it was before this epoch, (rows,), and of those learned from since, (n,).
    row_losses: torch.Tensor | None = None
    epoch_losses: torch.Tensor | None = None


class Checkpoints:
    """The checkpoints of the training with this fingerprint in a folder (path or fsspec URI) of its own."""

    def __init__(self, folder: str, *, fingerprint: str, keep: int) -> None:
        self._folder, self._fingerprint, self._keep = folder.rstrip("/"), fingerprint, max(keep, 1)
        self._filesystem, self._path = filesystem_of(self._folder)

    def save(self, checkpoint: Checkpoint) -> None:
        """Write it under the name of its progress, and remove those that are too old to keep.

        Atomic: a reader sees the whole checkpoint or none. Raises ArtifactError if it cannot be written.
        """
        buffer = io.BytesIO()
        torch.save({**vars(checkpoint), "fingerprint": self._fingerprint}, buffer)
        body = buffer.getvalue()
        name = f"epoch-{checkpoint.epoch:06d}-batch-{checkpoint.batch:09d}.ckpt"
        write_artifact(f"{self._folder}/{name}", hashlib.sha256(body).digest() + body)
        for old in self._names()[self._keep :]:
            self._remove(old)

    def newest(self) -> Checkpoint | None:
        """The one furthest on that is whole and of this training; None if there is none."""
        for name in self._names():
            if (found := self._read(name)) is not None:
                return found
        return None

    def _names(self) -> list[str]:
        """Names of all checkpoints, furthest first. Raises ArtifactError."""
        self._filesystem.invalidate_cache()  # another attempt may have written since
        try:
            paths = self._filesystem.ls(self._path, detail=False)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise ArtifactError(f"{self._folder} cannot be looked into: {error}. Mend it, then --resume.") from error
        names = [path.rsplit("/", 1)[-1] for path in paths]
        return sorted((name for name in names if _NAME.fullmatch(name)), reverse=True)

    def _read(self, name: str) -> Checkpoint | None:
        """None for one that is broken, of another version or of another training."""
        try:
            raw = self._filesystem.cat_file(f"{self._path}/{name}")
            digest, body = raw[:_HASH_BYTES], raw[_HASH_BYTES:]
            if hashlib.sha256(body).digest() != digest:
                raise ValueError("it does not hash to what was written")
            # weights_only: a checkpoint is data and must not be able to run code.
            state: dict[str, Any] = torch.load(io.BytesIO(body), map_location="cpu", weights_only=True)
            return Checkpoint(**state) if state.pop("fingerprint") == self._fingerprint else None
        except (OSError, ValueError, RuntimeError, EOFError, TypeError, KeyError, pickle.UnpicklingError) as error:
            log.warning("Checkpoint %s is skipped, an older one is tried: %s", name, error)
            return None

    def _remove(self, name: str) -> None:
        try:
            self._filesystem.rm_file(f"{self._path}/{name}")
        except FileNotFoundError:
            log.debug("Checkpoint %s was removed by another attempt", name)
        except OSError as error:
            log.warning("Checkpoint %s could not be removed: %s", name, error)


def job_fingerprint(job: TrainingJob) -> str:
    """A hash of all that decides the result: configuration, training set, seed and starting point."""
    named = [one for one in (job.classes, job.rule) if one is not None]
    digest = hashlib.sha256(msgspec.json.encode([job.model, job.training, job.data, job.seed, *named], order="sorted"))
    digest.update(job.rows.dataset.config.name.encode())
    digest.update(job.rows.digest)
    digest.update(hashlib.sha256(job.previous or b"").digest())
    return digest.hexdigest()
