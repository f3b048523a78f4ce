"""Taking a run up again: what its journal says of it, and what of that is no longer on disk."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import msgspec

from shared.artifacts import ArtifactRef, ArtifactStore
from shared.config.load import Configuration
from shared.dataset.labels_table import labels_name
from shared.dataset.manifest import ManifestEntry, manifest_path, read_manifest, refuse_moved_keys, restore_manifest
from shared.dataset.rejudged import refuse_rejudged
from shared.errors import ArtifactLostError, RunFailedError
from shared.ids import TriggerId
from shared.messages.tasks import GatherTask
from shared.timestamps import now_us
from supervisor.core.commands import CommitModel, CommitState, CommitTrainingSet
from supervisor.core.events import Resumed
from supervisor.core.state import RunState
from supervisor.results.tally import Tally
from supervisor.run.act.cleanup import collect
from supervisor.run.act.committer import Commit, Committer
from supervisor.run.directory import RunDirectory
from supervisor.run.told import Told, told_by

log = logging.getLogger(__name__)

_NAMES: dict[type, str] = {
    CommitTrainingSet: "training set",
    CommitState: "state that the strategy kept",
    CommitModel: "model",
}


class Recovered(msgspec.Struct, kw_only=True):
    """A run as its journal tells it."""

    state: RunState
    tally: Tally
    entries: tuple[ManifestEntry, ...]  # of the dataset, that the journal knows
    label_entries: tuple[ManifestEntry, ...]  # of its table of labels, likewise
    rows: int  # of these
    code: dict[str, str] | None  # of the user's modules, as the last session found them
    resumed: Resumed  # with what was lost; the tasks that workers still have are for the loop to find


def recover(configuration: Configuration, directory: RunDirectory) -> Recovered:
    """Fold the journal, finish commits that a crash cut off, and find what was lost. Raises ModynError.

    A lost dataset manifest is written anew, too: keys are for ever.
    """
    try:
        told = told_by(configuration, directory.journal_path)
    except OSError as error:
        raise RunFailedError(
            f"{directory.journal_path} cannot be read: {error.strerror}; check path and user."
        ) from None
    root, name = configuration.system.artifacts_root, configuration.pipeline.data.dataset
    path, now = _manifest(root, name, told.entries)
    refuse_rejudged(configuration.system.datasets[name], told.entries, now, path)
    _manifest(root, labels_name(name), told.label_entries)
    resumed = _resumed(told, configuration, directory)
    collect(directory.path, told.state)
    return Recovered(
        state=told.state,
        tally=told.tally,
        entries=tuple(told.entries),
        label_entries=tuple(told.label_entries),
        rows=told.entries[-1].stop_key if told.entries else 0,
        code=told.code,
        resumed=resumed,
    )


def _resumed(told: Told, configuration: Configuration, directory: RunDirectory) -> Resumed:
    """What is gone, once all is committed that can be."""
    committer = Committer(configuration.pipeline, directory)
    lost: dict[type, list[TriggerId]] = {kind: [] for kind in _NAMES}
    for (kind, trigger_id), commit in sorted(told.commits.items(), key=lambda one: one[0][1]):
        if not _is_wanted(told.state, commit) or committer.is_done(commit):
            continue
        try:
            committer.commit(commit, told.state)
        except ArtifactLostError:
            log.warning("! the %s of trigger %d is gone; %s", _NAMES[kind], trigger_id, _remedy(kind))
            lost[kind].append(trigger_id)
    for trigger_id in _without_members(told.state, directory.store):
        log.warning("! what was trained for trigger %d is gone; it is trained anew", trigger_id)
        lost[CommitModel].append(trigger_id)
    return Resumed(
        time_us=now_us(),
        lost_training_sets=tuple(lost[CommitTrainingSet]),
        lost_models=tuple(lost[CommitModel]),
        lost_states=tuple(lost[CommitState]),
    )


def _manifest(root: str, dataset: str, known: Sequence[ManifestEntry]) -> tuple[Path, tuple[ManifestEntry, ...]]:
    """The manifest, written back if it was lost, and what stands in it. Raises DataError where it gives other keys."""
    restore_manifest(root, dataset, known)
    path = manifest_path(root, dataset)
    now = read_manifest(path)
    refuse_moved_keys(known, now, path)
    return path, now


def _without_members(state: RunState, store: ArtifactStore) -> list[TriggerId]:
    """Triggers whose members were trained and are to be gathered, but are no longer there."""
    gathers = [one for one in state.tasks.values() if isinstance(one.task, GatherTask)]
    return [
        gather.task.trigger_id
        for gather in gathers
        if not all(store.stands(msgspec.convert(member, ArtifactRef)) for member in gather.results.values())
    ]


def _remedy(kind: type) -> str:
    return "it is made anew if it is needed" if kind is CommitState else "it is made anew"


def _is_wanted(state: RunState, commit: Commit) -> bool:
    trigger = state.trigger(commit.trigger_id)
    if isinstance(commit, CommitState):
        return trigger.state is not None and not trigger.state_gone
    if trigger.phase.without_model or (isinstance(commit, CommitModel) and trigger.retired):
        return False
    return (trigger.training_set if isinstance(commit, CommitTrainingSet) else trigger.model) is not None
