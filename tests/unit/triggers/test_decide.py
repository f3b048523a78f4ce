"""Decision rules fire where they should, as often as they say on noise, go on from their state, and say why."""

from __future__ import annotations

import json
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ConfigurationError
from supervisor.triggers.decide import (
    CoolDown,
    Hysteresis,
    PValue,
    Quantile,
    RollingAverage,
    Rule,
    Threshold,
    WarmUp,
)


def fed(rule, values, p_values=None):
    """Whether each value fires."""
    return [rule.fires(value, p) for value, p in zip(values, p_values or [None] * len(values), strict=True)]


def noise(count=20_000, seed=0):
    """Values that come in no order."""
    generator = random.Random(seed)
    return [generator.gauss(0, 1) for _ in range(count)]


@pytest.mark.parametrize(
    ("q", "window", "direction"),
    [(0.05, 19, "above"), (0.05, 99, "above"), (0.05, 20, "below"), (0.05, 37, "above"), (0.3, 3, "below")],
)
def test_quantile_fires_at_its_rate_on_noise(q, window, direction):
    """Also where q·(w + 1) is no whole number: the predecessor's 5 % fired on 12 %."""
    rule = Quantile(q, window, direction=direction)
    fires = fed(rule, noise())[window:]
    assert sum(fires) / len(fires) == pytest.approx(q, abs=4 * math.sqrt(q * (1 - q) / len(fires)))


def test_quantile_fires_at_its_rate_on_noise_with_equal_values():
    """Scores of few rows are often equal."""
    fires = fed(Quantile(0.05, 30), [round(4 * value) for value in noise()])
    assert sum(fires) / 20_000 == pytest.approx(0.05, abs=0.006)


def test_p_value_fires_at_its_rate_on_noise():
    """p is uniform where nothing changed, also in steps of permutations."""
    generator = random.Random(0)
    for p_values in (
        [generator.random() for _ in range(20_000)],
        [generator.randint(1, 100) / 100 for _ in range(20_000)],
    ):
        fires = fed(PValue(0.05), noise(), p_values)
        assert sum(fires) / 20_000 == pytest.approx(0.05, abs=0.006)


def test_quantile_is_exact_where_it_can_be():
    """With w = 19 a value fires if it is larger than all 19 before it, and no lot is drawn."""
    values = noise(2_000)
    expected = [n >= 19 and value > max(values[n - 19 : n]) for n, value in enumerate(values)]
    for seed in (0, 1):
        assert fed(Quantile(0.05, 19, seed=seed), values) == expected


@pytest.mark.parametrize(("q", "window"), [(0.05, 18), (0.01, 98), (0.3, 2), (0.5, 0)])
def test_windows_too_short_for_their_share_are_refused(q, window):
    """w < 1/q − 1, in a sentence that says which would do: then one that does is the shortest."""
    with pytest.raises(ConfigurationError, match=f"window of {window} values, too short for q {q}") as told:
        Quantile(q, window)
    enough = int(str(told.value).split("set window to ")[1].split()[0])
    assert window < enough
    Quantile(q, enough)
    with pytest.raises(ConfigurationError, match="too short"):
        Quantile(q, enough - 1)


@pytest.mark.parametrize("direction", ["above", "below"])
def test_a_value_that_never_changes_does_not_fire(direction):
    """Neither by lot, nor as being no less than the mean."""
    assert not any(fed(Quantile(0.05, 19, direction=direction), [0.7] * 500))
    assert not any(fed(RollingAverage(0, 5, direction=direction), [0.7] * 50))
    assert not any(fed(RollingAverage(0, 5, relative=True, direction=direction), [0] * 50))


def test_threshold():
    """A bound that is just met is met; below, small values fire."""
    assert fed(Threshold(0.05), [0.049, 0.05, math.inf, -math.inf]) == [False, True, True, False]
    assert fed(Threshold(0.8, direction="below"), [0.81, 0.8, 0.2]) == [False, True, True]


def test_rolling_average():
    """Against the mean of the values before, not of this one too; in units, or in shares of the mean."""
    assert fed(RollingAverage(0.3, 2), [1, 2, 1.8, 1.9, 2.5]) == [False, False, True, False, True]
    assert fed(RollingAverage(0.1, 1, relative=True), [-10, -9.01, -8, 8]) == [False, False, True, True]
    assert fed(RollingAverage(0.01, 1, direction="below"), [0.8, 0.79, 0.785]) == [False, True, False]
    assert fed(RollingAverage(6e299, 3), [math.inf, -math.inf, math.inf, math.inf])[-1]


RULES = {
    "threshold": lambda: Threshold(0.5),
    "p_value": lambda: PValue(0.3),
    "quantile": lambda: Quantile(0.25, 4, seed=3),
    "rolling_average": lambda: RollingAverage(0.2, 3, direction="below"),
    "warm_up": lambda: WarmUp(Threshold(0.2), 3, meanwhile=Quantile(0.5, 1)),
    "cool_down": lambda: CoolDown(Quantile(0.4, 3), 2),
    "hysteresis": lambda: Hysteresis(Threshold(0.8), release=Threshold(0.4)),
    "all": lambda: WarmUp(CoolDown(Hysteresis(RollingAverage(0.1, 2), release=PValue(0.6)), 1), 2),
}
values = st.none() | st.just(math.nan) | st.just(math.inf) | st.sampled_from([0.0, 0.25, 0.5, 0.75]) | st.floats(0, 1)


@pytest.mark.parametrize("name", RULES)
@given(values=st.lists(st.tuples(values, st.floats(0, 1)), max_size=30), cut=st.integers(0, 30), reset=st.booleans())
def test_a_rule_goes_on_from_its_state(name, values, cut, reset):
    """Through a journal, at any value: the same decisions and reasons as without; no value never fires."""
    whole, before, after = RULES[name](), RULES[name](), RULES[name]()
    for number, (value, p_value) in enumerate(values):
        if number == cut:
            if reset:
                whole.reset()
                before.reset()
            written = json.dumps(before.state, allow_nan=False)
            after.restore(json.loads(written))
            before = after
        fires = whole.fires(value, p_value)
        assert before.fires(value, p_value) == fires
        assert before.last == whole.last
        assert before.last.reason
        if value is None or math.isnan(value):
            assert not fires
            assert not whole.last.defined
    assert before.state == whole.state


@pytest.mark.parametrize("name", RULES)
def test_a_reset_forgets_values(name):
    """What came before is not compared with: only lots go on, and a cool-down."""
    rule, fresh = RULES[name](), RULES[name]()
    fed(rule, [0.1, 0.9, 0.1, 0.3, 0.1, 0.3, 0.1], [0.5] * 7)
    rule.reset()
    remembered = json.loads(json.dumps(rule.state), object_hook=lambda one: one | {"judgements": 0, "left": 0})
    assert remembered == json.loads(json.dumps(fresh.state), object_hook=lambda one: one | {"judgements": 0, "left": 0})


def test_warm_up():
    """The rule learns meanwhile, and another may decide. What has no value warms nothing up."""
    values = [3, 1, None, 3, 0, 4]
    assert fed(WarmUp(Threshold(3), 3), values) == [False, False, False, False, False, True]
    assert fed(WarmUp(RollingAverage(1, 2), 3), values) == [False, False, False, False, False, True]
    meanwhile = WarmUp(Threshold(3), 3, meanwhile=Threshold(1, direction="below"))
    assert fed(meanwhile, values) == [False, True, False, False, False, True]
    assert fed(WarmUp(Threshold(3), 0), [3]) == [True]


def test_cool_down():
    """So many decisions after one that fired; those kept do not begin another."""
    assert fed(CoolDown(Threshold(1), 2), [1, 1, 1, 1, None, 1, 1]) == [True, False, False, True, False, False, True]
    assert fed(CoolDown(Threshold(1), 0), [1, 1]) == [True, True]
    rule = CoolDown(Threshold(1), 1)
    assert rule.fires(1)
    rule.reset()  # by the training that it asked for
    assert fed(rule, [1, 1]) == [False, True]


def test_hysteresis():
    """A value that wavers around the threshold fires once, until it was below the one that releases."""
    rule = Hysteresis(Threshold(0.05), release=Threshold(0.03))
    values = [0.06, 0.04, 0.06, None, 0.06, 0.02, 0.04, 0.05, 0.05]
    assert fed(rule, values) == [True, False, False, False, False, False, False, True, False]


@pytest.mark.parametrize(
    ("rule", "values", "reason"),
    [
        (Threshold(0.02), [0.031], "0.031 ≥ 0.02"),
        (Threshold(0.02), [0.0199999], "0.0199999 < 0.02"),
        (Threshold(0.8, direction="below"), [0.9], "0.9 > 0.8"),
        (Threshold(0.8), [None], "is undefined"),
        (Quantile(0.25, 3), [1, 2], "2 after 1 of the 3 values that it is compared with"),
        (Quantile(0.25, 3), [1, 2, 3, 4], "4 with 0 of the 3 values before it above it: among the largest 25 %"),
        (
            Quantile(0.25, 3),
            [1, 2, 3, 2.5],
            "2.5 with 1 of the 3 values before it above it: not among the largest 25 %",
        ),
        (Quantile(0.25, 3), [1, 1, 1, 1], "1 equals all 3 values before it"),
        (RollingAverage(0.5, 2), [1, 2, 3.25], "3.25 is 1.75 above the mean 1.5 of the 2 before it, 0.5 above fires"),
        (RollingAverage(0.5, 2), [1, 2, 1.25], "1.25 is 0.25 below the mean 1.5 of the 2 before it, 0.5 above fires"),
        (CoolDown(Threshold(1), 2), [1, 2], "2 ≥ 1 (cool-down: 1 of 2 decisions)"),
        (WarmUp(Threshold(1), 2), [3], "3 ≥ 1 (warm-up: 1 of 2 values)"),
        (Hysteresis(Threshold(2), Threshold(1)), [3, 1], "1 < 2 (hysteresis: not released, 1 ≥ 1)"),
    ],
)
def test_reasons_are_words_and_numbers(rule, values, reason):
    """Of what fires, of what nearly did, and of what was kept from it."""
    fed(rule, values)
    assert rule.last.reason == reason


def test_reasons_of_p_values_and_lots():
    """With the value beside the p; a lot with its chance."""
    rule = PValue(0.05)
    assert not rule.fires(0.031, 0.0501)
    assert rule.last.reason == "0.031 with p 0.0501 > 0.05"
    assert not rule.fires(0.031, math.nan)
    assert rule.last.reason == "is undefined"
    lot = Quantile(0.3, 3)
    fed(lot, [1, 2, 3, 2.5])
    assert lot.last.reason.endswith("among the largest 30 %, by lot at 20%")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Threshold(math.nan), "threshold is nan"),
        (lambda: Threshold(1, direction="up"), "'up'; it is above or below"),
        (lambda: PValue(0), "alpha of the p_value rule is 0"),
        (lambda: PValue(0.05).fires(0.3), "statistic without a p-value"),
        (lambda: Quantile(1, 9), "q of the quantile rule is 1"),
        (lambda: RollingAverage(0.1, 0), "window of 0 values"),
        (lambda: RollingAverage(-0.1, 3), "deviation of the rolling_average rule is -0.1"),
        (lambda: CoolDown(Threshold(1), -1), "cool_down is -1"),
        (lambda: WarmUp(Threshold(1), -2), "warm_up is -2"),
    ],
)
def test_wrong_options_are_told(make, said):
    """In a sentence, with the value."""
    with pytest.raises(ConfigurationError, match=said):
        make()


def test_rules_have_one_shape():
    """Whoever has a rule need not know which."""
    assert all(isinstance(make(), Rule) for make in RULES.values())
