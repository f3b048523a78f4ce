"""The detector of drift: rows of files in, statistics out; with the policy around it, it finds what moved."""

from __future__ import annotations

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from shared.config.system import ImageColumn
from shared.errors import ConfigurationError
from supervisor.triggers.data_drift import DataDrift
from supervisor.triggers.drift.statistic import STREAMED, Statistic
from tests.unit.detection.seen import answered, dataset_of, sees
from tests.unit.training.samples import flights, job, model, names, run
from tests.unit.triggers.driven import DAY_US, Driven, made
from workers.detection.drift import Drift
from workers.detection.statistics import ks, mmd
from workers.inference import load_model_bytes

DECIDE = {"policy": "threshold", "threshold": 0.05}
EVERY = [name for name in Statistic.fitting if name not in STREAMED]


def entry(name, **options):
    """An entry of `statistics:`, decided by a threshold."""
    return {"name": name, "decide": DECIDE, **options}


def watched(dataset, **options):
    """data_drift over the whole dataset, a row a second, with the detector that answers it."""

    def answer(question):
        return Drift(question.options).answer(sees(dataset, question.key, seed=question.key))

    policy = made(DataDrift, options)
    return Driven(policy, answers=answer).over(np.arange(dataset.rows) * 1_000_000)


@pytest.fixture(scope="module")
def moved(tmp_path_factory):
    """Two features of 400 rows, of which the first moves by two from row 200 on."""
    rows = np.random.default_rng(0).normal(size=(400, 2))
    rows[200:, 0] += 2
    return dataset_of(tmp_path_factory.mktemp("moved"), {"a": rows[:, 0], "b": rows[:, 1]})


def test_four_shifts_are_found_and_nothing_else(tmp_path):
    """Means that move by half a deviation in 32 dimensions, four times: each within one interval of 500 rows."""
    rows = np.random.default_rng(0).normal(size=(20_000, 32))
    for key in (4_000, 8_000, 12_000, 16_000):
        rows[key:] += 0.5
    dataset = dataset_of(tmp_path, {f"x{place}": rows[:, place] for place in range(32)})
    found = watched(dataset, every=500, window={"rows": 500}, statistics=[entry("mmd", permutations=0)])
    assert found.keys == [499, 4_499, 8_499, 12_499, 16_499]
    assert "≥ 0.05 on 500 vs 500 rows" in found.triggers[1][1]


def test_rows_that_are_set_aside_are_compared_with_nothing(moved):
    """Neither as reference nor as what is new: without those that moved, nothing has."""
    question = {"reference": {"first_key": 0, "last_key": 199}, "current": {"first_key": 100, "last_key": 399}}
    options = {**question, "space": "input", "ignore": [], "pca": None, "most_rows": 20_000}
    options["statistics"] = [{"name": "mmd"}]
    sight = msgspec.structs.replace(sees(moved, 399), left_out=((150, 160), (200, 399)))
    answer = Drift(options).answer(sight)
    assert answer["rows"] == [189, 89]
    assert answer["statistics"]["mmd"]["p_value"] > 0.05


def test_noise_fires_as_seldom_as_it_says(tmp_path):
    """A p-value of 5 % fires on 5 % of looks at rows that never change."""
    rows = np.random.default_rng(1).normal(size=(20_000, 2))
    dataset = dataset_of(tmp_path, {"a": rows[:, 0], "b": rows[:, 1]})
    statistics = [{"name": "ks", "decide": {"policy": "p_value", "alpha": 0.05}}]
    found = watched(dataset, window={"rows": 50}, statistics=statistics)
    looks = len(found.questions)
    assert looks > 350
    assert len(found.triggers) - 1 == pytest.approx(0.05 * looks, abs=4 * (0.05 * 0.95 * looks) ** 0.5)


@pytest.mark.parametrize("name", EVERY)
def test_every_statistic_finds_a_shift(moved, name):
    """All nine, by name, with their defaults: of the predecessor's five one worked."""
    answer = answered(sees(moved), (0, 199), (200, 399), entry(name))
    still = answered(sees(moved), (0, 99), (100, 199), entry(name))
    found, less = (one["statistics"][name] for one in (answer, still))
    assert found["statistic"] > 1.5 * abs(less["statistic"])
    assert (found["p_value"] is None) or (found["p_value"] <= 0.01 < less["p_value"])
    assert (answer["rows"], answer["model"]) == ([200, 200], None)
    assert (answer["reference"], answer["current"]) == ([0, 199], [200, 399])


def test_statistics_are_those_of_the_functions(moved):
    """Of features in deviations of the reference, with the options of the file and the question's seed."""
    rows = np.stack([np.array(one["a"]) for one in [next(moved.take_batches(["a", "b"], np.arange(400), 400))]], axis=1)
    rows = np.concatenate([rows, np.array(next(moved.take_batches(["b"], np.arange(400), 400))["b"])[:, None]], axis=1)
    x, y = ((rows[some] - rows[:200].mean(axis=0)) / rows[:200].std(axis=0) for some in (slice(200), slice(200, 400)))
    how = {"bandwidth": 2.0, "unbiased": False, "permutations": 10}
    answer = answered(sees(moved, seed=5), (0, 199), (200, 399), entry("mmd", **how), entry("ks", features="mean"))
    value, p_value = mmd(x, y, seed=5, **how)
    assert answer["statistics"]["mmd"] == {"statistic": pytest.approx(value), "p_value": p_value}
    of_ks = {"statistic": pytest.approx(ks(x, y)[0].mean()), "p_value": None, "most": "a"}
    assert answer["statistics"]["ks"] == of_ks


def test_the_feature_that_differs_most_is_named(tmp_path, moved):
    """Column, category, number of a component or pixel, on one short line; none where no feature differs."""

    def most(dataset, reference, current, *, way="max", **options):
        found = answered(sees(dataset), reference, current, entry("ks", features=way), entry("mmd"), **options)
        assert "most" not in found["statistics"]["mmd"]
        return found["statistics"]["ks"].get("most")

    ends = (0, 199), (200, 399)
    assert [most(moved, *ends, way=way) for way in ("mean", "max", "bonferroni")] == ["a", "a", "a"]
    assert most(moved, *ends, pca=2) in ("component 0", "component 1")
    assert most(moved, (0, 99), (0, 99)) is None
    texts = ["x", "long\n" * 40] * 2 + ["y"] * 4
    dataset = dataset_of(tmp_path, {"origin": texts, "b": [1.0] * 8})
    assert most(dataset, (0, 3), (4, 7)) == "new categories of origin"
    assert most(dataset, (4, 6), (0, 0)) == "origin = y"
    cut = most(dataset, (1, 1), (0, 0))
    assert cut.startswith("origin = long long")
    assert (len(cut), cut[-1]) == (60, "…")


def test_a_column_that_is_ignored_drifts_unseen(moved):
    """Of two columns one moves: without it nothing fires after the first trigger, and nothing else changes."""
    seen, unseen = (
        watched(moved, window={"rows": 100}, ignore=ignored, statistics=[entry("mmd")]).keys for ignored in ([], ["a"])
    )
    assert (seen, unseen) == ([99, 299], [99])


def test_a_trigger_says_which_feature_moved(moved):
    """Beside the statistic's value, also where it did not fire."""
    found = watched(moved, window={"rows": 100}, statistics=[entry("psi", features="max")])
    assert "psi" in found.triggers[1][1]
    assert found.triggers[1][1].endswith("(most: a) on 100 vs 100 rows")


def test_principal_components_see_what_scatters(moved):
    """One direction instead of two; the same answer for the same seed."""
    one, two = (answered(sees(moved), (0, 199), (200, 399), entry("energy"), pca=pca) for pca in (1, 2))
    assert one["statistics"] != two["statistics"]
    with pytest.raises(ConfigurationError, match="3 principal components"):
        answered(sees(moved), (0, 199), (200, 399), entry("energy"), pca=3)
    few = answered(sees(moved), (0, 0), (200, 399), entry("energy"), pca=2)
    assert "the reference has 1" in few["statistics"]["energy"]["why"]


def test_what_is_undefined_says_why(moved):
    """Too few rows for one statistic leave the others their values."""
    answer = answered(sees(moved), (0, 3), (200, 399), entry("classifier_two_sample"), entry("psi"))
    assert answer["statistics"]["classifier_two_sample"]["statistic"] is None
    assert "5 or more" in answer["statistics"]["classifier_two_sample"]["why"]
    assert answer["statistics"]["psi"]["statistic"] > 0
    nothing = answered(sees(moved), (5, 4), (200, 399), entry("psi"))
    assert (nothing["rows"], nothing["statistics"]["psi"]["statistic"]) == ([0, 200], None)
    assert "200 rows to compare with 0" in nothing["statistics"]["psi"]["why"]


def test_of_many_rows_as_many_are_drawn_as_shall_be(moved):
    """The seed of the question says which, in each window others; the whole window otherwise."""
    some = [
        answered(sees(moved, seed=seed), (0, 199), (200, 399), entry("energy"), most_rows=100) for seed in (1, 1, 2)
    ]
    assert some[0] == some[1] != some[2]
    assert some[0]["rows"] == [100, 100]
    assert some[0]["current"] == [200, 399]


def test_windows_of_event_time_are_found(tmp_path):
    """The rows within so much of the last one's event time; late rows belong where they came."""
    times_s = np.array([0, 10, 20, 15, 30, 40, 35, 50, 60, 70])
    dataset = dataset_of(tmp_path, {"a": np.arange(10.0)}, times_s)

    def keys(**current):
        second = 1_000_000
        current = {"first_key": 2, "last_key": 8, "last_us": 25 * second, **current}
        return answered(sees(dataset), (0, 1), current, entry("energy"))["current"]

    assert keys() == keys(event_time_us=60_000_000, so_far_us=10_000_000) == [5, 8]  # event time 40, 40, 50, 60
    assert keys(last_us=100_000_000) == [2, 8]
    assert keys(last_us=1, last_key=3) == [2, 3]  # the late row's event time is the one before it
    assert keys(last_us=DAY_US, first_key=6) == [6, 8]


@pytest.mark.parametrize("id", ["logistic", "mlp"])
def test_an_embedding_is_what_enters_the_last_linear_layer(tmp_path, id):
    """Of a logistic model the encoded rows, of an mlp its hidden layer; drift of the input shows there."""
    rows = flights(400)
    moving = np.array(rows.table["wind"]) + 4 * (np.arange(400) >= 200)
    table = rows.table.set_column(0, "wind", pa.array(moving))
    loaded = load_model_bytes(run(job(tmp_path, flights(), model=model(id))).body)
    width = {"logistic": 5, "mlp": 128}[id]
    embedded = loaded.embed(loaded.encode(table, np.arange(400)))
    assert embedded.shape == (400, width)
    columns = {name: table[name] for name in ("wind", "delay", "origin")}
    dataset = dataset_of(tmp_path / "rows", columns)
    ends = ((0, 99), (100, 199)), ((0, 199), (200, 399))
    p_values = []
    for reference, current in ends:
        answer = answered(sees(dataset, model=loaded), reference, current, entry("mmd"), space="embedding")
        assert answer["model"] == 3
        p_values.append(answer["statistics"]["mmd"]["p_value"])
    assert p_values[0] > 0.05 > p_values[1]


def test_texts_are_compared_as_a_model_sees_them(tmp_path):
    """They are no numbers by themselves, which a sentence says."""
    loaded = load_model_bytes(run(job(tmp_path, names(), model=model("text_bag", dim=8))).body)
    texts = ["maria", "paolo"] * 50 + ["xxxxxx"] * 100
    dataset = dataset_of(tmp_path / "rows", {"name": texts}, text="name")
    with pytest.raises(ConfigurationError, match="write `space: embedding`"):
        answered(sees(dataset), (0, 99), (100, 199), entry("mmd"))
    answer = answered(sees(dataset, model=loaded), (0, 99), (100, 199), entry("mmd"), space="embedding", pca=2)
    assert answer["statistics"]["mmd"]["p_value"] < 0.05
    assert answered(sees(dataset), (0, 99), (100, 199), entry("mmd"), space="embedding") == {"model": None}


def test_images_are_compared_by_their_pixels(tmp_path):
    """From 0 to 1; what would not fit into memory is refused with the number that would."""
    pixels = np.random.default_rng(0).integers(0, 100, (200, 16)).astype(np.uint8)
    pixels[100:] += 100
    images = pa.array([one.tobytes() for one in pixels], pa.binary())
    image = ImageColumn(column="picture", shape=(1, 4, 4))
    dataset = dataset_of(tmp_path, {"picture": images}, image=image)
    answer = answered(sees(dataset), (0, 99), (100, 199), entry("wasserstein", features="max"))
    assert answer["statistics"]["wasserstein"]["statistic"] == pytest.approx(100 / 255, abs=0.05)
    large = ImageColumn(column="picture", shape=(3, 2_000, 2_000))
    dataset = dataset_of(tmp_path / "large", {"picture": images}, image=large)
    with pytest.raises(ConfigurationError, match="most_rows: 22"):
        answered(sees(dataset), (0, 99), (100, 199), entry("psi"))


def test_a_row_that_cannot_be_used_makes_the_look_undefined(tmp_path):
    """A picture of another size ends no run: nothing is trained on it here."""
    images = pa.array([bytes(4), bytes(4), bytes(4), bytes(3)], pa.binary())
    image = ImageColumn(column="picture", shape=(1, 2, 2))
    answer = answered(sees(dataset_of(tmp_path, {"picture": images}, image=image)), (0, 1), (2, 3), entry("psi"))
    assert "The image at key 3 has 3 bytes" in answer["statistics"]["psi"]["why"]


def test_stream_detectors_count_the_features_that_changed(moved):
    """By the package river, an extra: of two features one moved, and neither before."""
    pytest.importorskip("river", reason="river is not installed; pip install '.[river]'", exc_type=ImportError)
    for name in STREAMED:
        found = [
            answered(sees(moved), (0, 99), current, {"name": name})["statistics"][name]
            for current in ((200, 299), (100, 199))
        ]
        assert [one["statistic"] for one in found] == [1.0, 0.0], name
