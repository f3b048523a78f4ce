"""Cases on which independent implementations agreed."""

from __future__ import annotations

import json

import pytest
import torch
from workplace import PROJECT

from workers.selection.coreset import craig, facility_location, grad_match, k_center

ORACLE = PROJECT.parent / "shared" / "oracles" / "selection.json"
if not ORACLE.exists():
    pytest.skip(f"{ORACLE} is not there", allow_module_level=True)
CASES = json.loads(ORACLE.read_text())
TYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])


@TYPES
def test_k_center(dtype):
    features = torch.tensor(CASES["k_center"]["features"], dtype=dtype)
    for run in CASES["k_center"]["runs"]:
        assert k_center(features, run["k"], run["first"]).tolist() == run["order"]


@TYPES
def test_facility_location_and_craig(dtype):
    """craig makes the same similarity of features."""
    case = CASES["facility_location"]
    features = torch.tensor(case["features"], dtype=dtype)
    far = torch.cdist(features, features, compute_mode="donot_use_mm_for_euclid_dist")
    similarity = far.max() - far + 1e-3
    order = facility_location(similarity, case["k"])
    assert order.tolist() == case["order"]
    assert float(similarity[:, order].amax(dim=1).sum()) == pytest.approx(case["objective"])
    assert craig(features, case["k"])[0].tolist() == case["order"]


@TYPES
def test_grad_match(dtype):
    case = CASES["grad_match"]
    gradients = torch.tensor(case["gradients"], dtype=dtype)
    indices, weights = grad_match(gradients, gradients.mean(dim=0), case["k"], case["regularisation"])
    assert indices.tolist() == case["indices"]
    assert weights.tolist() == pytest.approx(case["weights"], abs=2e-8)
