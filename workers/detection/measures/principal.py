"""Windows in fewer dimensions: along the directions in which the reference scatters most."""

from __future__ import annotations

import numpy.typing as npt
import torch

from shared.errors import ConfigurationError
from workers.detection.measures.windows import Rows, windows


def principal_components(reference: npt.ArrayLike, current: npt.ArrayLike, components: int) -> tuple[Rows, Rows]:
    """Both windows along the reference's first principal components: (n, d), (m, d) → (n, components), (m, components).

    In the features' units, from the reference's mean; a component's largest coefficient is positive (Pearson,
    Philosophical Magazine 1901). What changes across them only is not seen any more. Raises DataError, and
    ConfigurationError for more components than features, or than rows of the reference.
    """
    x, y = (torch.from_numpy(rows) for rows in windows(reference, current))
    most = min(x.shape)
    if not 1 <= components <= most:
        raise ConfigurationError(
            f"{components} principal components were asked of {len(x):,} rows with {x.shape[1]} features; "
            f"from 1 to {most} are possible"
        )
    middle = x.mean(dim=0)
    directions = torch.linalg.svd(x - middle, full_matrices=False).Vh[:components]
    largest = directions.gather(1, directions.abs().argmax(dim=1, keepdim=True))
    directions = directions * largest.sign()
    return ((x - middle) @ directions.T).numpy(), ((y - middle) @ directions.T).numpy()
