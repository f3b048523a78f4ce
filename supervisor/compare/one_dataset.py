"""Whether runs are of one dataset: the same rows under the same keys, with the same labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from shared.config.system import Dataset
from shared.dataset.manifest import ManifestEntry
from shared.errors import NotReadyError
from supervisor.compare.scored_run import ScoredRun


def refuse_other_datasets(runs: Sequence[ScoredRun]) -> None:
    """Raise NotReadyError with what is another dataset than that of the first run, a sentence for each such run."""
    found = [sentence for other in runs[1:] for sentence in _differences(runs[0], other)]
    if found:
        raise NotReadyError(*found)


def refuse_changed(
    run: ScoredRun, entries: Sequence[ManifestEntry], label_entries: Sequence[ManifestEntry] | None
) -> None:
    """Raise NotReadyError if the dataset is not what it was for a run; `entries`: of its files as they are now."""
    difference = _of_files("file", run.entries, entries) or _of_files(
        "file of labels", run.label_entries, label_entries or ()
    )
    if difference is not None:
        raise NotReadyError(f"the dataset is not what it was for {run.run}: {difference}; train the models again.")


def _differences(one: ScoredRun, other: ScoredRun) -> Iterator[str]:
    """The first thing in which their datasets differ. Names, and where files lie, may."""
    apart = f"{one.run} and {other.run} are not of one dataset, and only runs of one can be compared"
    difference = (
        _of_labels(_dataset(one), _dataset(other))
        or _of_files("file", one.entries, other.entries)
        or _of_files("file of labels", one.label_entries, other.label_entries)
    )
    if difference is not None:
        yield f"{apart}: {difference}."


def _dataset(run: ScoredRun) -> Dataset:
    pipeline, system = run.configuration.pipeline, run.configuration.system
    return system.datasets[pipeline.data.dataset]


def _of_labels(one: Dataset, other: Dataset) -> str | None:
    if one.label != other.label:
        return f"the label is {one.label} in one and {other.label} in the other"
    if (one.labels is None) != (other.labels is None):
        return "the labels of one stand in a table of their own, those of the other in its rows"
    if one.labels is not None and other.labels is not None and one.labels.key != other.labels.key:
        keys = " and ".join(", ".join(labels.key) for labels in (one.labels, other.labels))
        return f"their labels are found by other columns ({keys})"
    return None


def _of_files(what: str, ours: Sequence[ManifestEntry], theirs: Sequence[ManifestEntry]) -> str | None:
    """Over the keys that both have: one may have seen more of a dataset that grows."""
    stop_key = min((entries[-1].stop_key if entries else 0) for entries in (ours, theirs))
    some, others = ([one for one in entries if one.first_key < stop_key] for entries in (ours, theirs))
    for one, other in zip_longest(some, others):
        if one is None or other is None or not _alike(one, other):
            here, there = (
                "none" if entry is None else f"{entry.file} with {entry.rows:,} rows" for entry in (one, other)
            )
            key = next(entry.first_key for entry in (one, other) if entry is not None)
            same = one is not None and other is not None and (one.file, one.rows) == (other.file, other.rows)
            contents = ", but with other contents" if same else ""
            return f"the {what} that begins at key {key:,} is {here} in one and {there} in the other{contents}"
    return None


def _alike(one: ManifestEntry, other: ManifestEntry) -> bool:
    return (one.first_key, one.rows, one.fingerprint) == (other.first_key, other.rows, other.fingerprint)
