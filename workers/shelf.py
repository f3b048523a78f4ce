"""The models that were used last, ready on their device: the first and the deployed one are asked for again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from shared.artifacts import ArtifactRef
from workers.loaded_model import LoadedModel

Key = tuple[str, str, tuple[str, ...]]  # sha256, device, trusted modules


class Shelf:
    """Models by what they are; those that were not asked for longest go when there is no room."""

    def __init__(self, room_bytes: int) -> None:
        self._room_bytes = room_bytes
        self._models: OrderedDict[Key, tuple[LoadedModel, int]] = OrderedDict()

    def take(
        self, ref: ArtifactRef, device: str, trusted: tuple[str, ...], load: Callable[[], LoadedModel]
    ) -> LoadedModel:
        """The model with this hash on this device, loaded if it is not there. Raises what `load` raises."""
        key = (ref.sha256, device, trusted)
        if key not in self._models:
            self._models[key] = (load(), ref.size_bytes)
            while len(self._models) > 1 and sum(size for _, size in self._models.values()) > self._room_bytes:
                self._models.popitem(last=False)
        self._models.move_to_end(key)
        return self._models[key][0]

    def clear(self) -> None:
        """Give their memory back."""
        self._models.clear()
