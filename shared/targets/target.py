"""What a deployment target is: a place that holds one model, numbers its decisions, and is switched conditionally."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import msgspec

from shared.config import fields as f
from shared.ids import RunId, TriggerId


class TargetOptions(f.Group):
    """What every target has; a kind with more options extends it."""

    name = f.Name("what it is called; else the last part of its uri", load_default=None)
    uri = f.Text("where; relative to pipeline.yaml", required=True)


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that switched."""

    decision: int  # from 1 on; 0: it was put here before there were records
    run: RunId
    trigger: TriggerId
    object: str  # relative to the target
    sha256: str
    size_bytes: int
    pipeline: str = ""
    model: str = ""
    reason: str = ""
    replaced: int | None = None  # the decision that it was judged against
    deployed_at: str = ""
    classes: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET  # what they are called, where they have names


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A model that is to be deployed, and who it is."""

    run: RunId
    trigger: TriggerId
    attempt: str  # unique among all that may deploy it
    pipeline: str
    model: str
    body: bytes
    classes: tuple[str, ...] | None = None  # what they are called, where they have names


class DeploymentTarget:
    """The base of all kinds. Methods raise ArtifactError if the target cannot be read or written.

    Several runs may share a target, and anybody may be killed at any point: what it holds is always whole.
    """

    Schema: ClassVar[type[TargetOptions]] = TargetOptions

    def __init__(self, uri: str, options: Mapping[str, Any]) -> None:
        """`uri`: absolute. `options`: what the schema has beside name and uri."""

    def problem(self) -> str | None:
        """Why no model could be put here, as far as can be told from this machine; None if nothing is known against it.

        Asked before a run starts, so it leaves nothing behind. A sentence with its remedy; it raises nothing.
        """
        return None

    def held(self) -> Record | None:
        """What the target holds, None if nothing. Raises NotReadyError for a place that is something else's."""
        raise NotImplementedError

    def since(self, decision: int) -> Iterator[Record]:
        """The records after this decision, the newest first."""
        raise NotImplementedError

    def body(self, record: Record) -> bytes:
        """The bytes of a model that the target holds or held. Raises ArtifactLostError if they are not what was put."""
        raise NotImplementedError

    def switch(self, candidate: Candidate, held: Record | None, reason: str) -> Record | None:
        """Put the candidate in the place of what was `held` when it was judged; None if that is no longer so.

        Killed at any point it leaves the old model or the new one. Raises NotReadyError for a place that is something
        else's.
        """
        raise NotImplementedError

    def show(self) -> None:
        """Bring up to date what readers look at, should the last who switched have died before that."""
        raise NotImplementedError
