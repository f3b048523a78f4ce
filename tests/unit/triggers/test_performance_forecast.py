"""Policy performance_forecast: what it asks, learns and forecasts."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError
from paid_stream import PaidStream
from workplace import Workplace

from shared.config.load import load_configuration
from shared.config.schema.trigger import TriggerBlock
from shared.errors import ConfigurationError
from supervisor.triggers.build import policy_of
from supervisor.triggers.policy import StreamStart

BLOCK = TriggerBlock("")
START = StreamStart(first_key=0, event_time_us=0)
TIMES_S = [float(row) for row in range(400)]
_SOON = {"trainings": 2, "looks": 2}
_FORECAST = (
    r"over 20 looks keeping costs up to (\S+) [>≤] (\S+) of retraining, price included; error (\S+) of model \d+"
)


def policy(training=1.0, **options):
    """The policy as a file asks for it, looking every ten rows."""
    price = {"training": training, "error": 0.1}
    return policy_of(
        BLOCK.deserialize({"policy": "performance_forecast", "every": 10, "price": price, **options}), START
    )


class Ageing:
    """A detector's answers: a model's error grows by so much with each look since it was made."""

    def __init__(self, per_look):
        self.per_look = per_look

    def __call__(self, question):
        """Of one look."""
        if question.detector == "drift":
            return {"statistics": {"mean_shift": {"statistic": 0.1, "p_value": None}}, "rows": [10, 10], "model": None}
        last_key = question.options["current"][0] - 1
        looks = (question.key - last_key) // 10
        return {
            "metric": "accuracy",
            "model": 0,
            "score": 0.9 - self.per_look * looks,
            "n": 10,
            "known": question.key - last_key,
            "error": None,
            "expected": None,
        }


class Stream(PaidStream):
    """Says of which model an answer is: that of the newest trigger."""

    def __init__(self, policy, answers, **options):
        def told(question):
            answer = answers(question)
            return answer if question.detector == "drift" else {**answer, "model": self._triggers[-1].number}

        super().__init__(policy, answers=told, **options)


def test_it_first_trains_models_to_learn_from():
    """Each is kept for so many looks; from the first look of the last of them on it forecasts."""
    seen = Stream(policy(1e9, learn={"trainings": 3, "looks": 4}), Ageing(0.02)).run(TIMES_S[:200])
    assert [one.key for one in seen.fired] == [9, 49, 89]
    assert seen.reasons == [
        "there is no model yet",
        "learning from model 1 of 3: look 4 of 4; error 0.18 of model 0",
        "learning from model 2 of 3: look 4 of 4; error 0.18 of model 1",
    ]
    assert seen.near_misses[0] == (19, "learning from model 1 of 3: look 1 of 4; error 0.12 of model 0")
    forecasts = [reason for key, reason in seen.near_misses if key > 89]
    assert len(forecasts) == 11
    assert all(re.fullmatch(_FORECAST, reason) for reason in forecasts)


def test_learning_ends_however_long_a_model_is_kept():
    """Also where more looks than are remembered lie between the first model to learn from and the last."""
    seen = Stream(policy(1e9, learn={"trainings": 5, "looks": 50}), Ageing(0.001)).run(
        [float(row) for row in range(3_000)]
    )
    assert [one.key for one in seen.fired] == [9, 509, 1009, 1509, 2009]


def test_learning_ends_where_nobody_knows_how_far_features_moved():
    """They are taken not to have, as in rows that cannot be compared."""

    def incomparable(question):
        undefined = {"statistics": {"mean_shift": {"statistic": None, "p_value": None, "why": "no number"}}}
        return {**Ageing(0.02)(question), **(undefined if question.detector == "drift" else {})}

    seen = Stream(policy(1e9), incomparable).run(TIMES_S)
    assert [one.key for one in seen.fired] == [9, 49, 89]
    assert {one[2] for one in seen.state["seen"]} == {0.0}


def test_without_a_model_it_fires_once_there_is_something_to_train_on():
    """Not at each look while no label is known: these triggers would train nothing."""

    def nothing(question):
        known = max(question.key - 39, 0)
        return {**Ageing(0)(question), "score": None, "known": known}

    seen = PaidStream(policy(), selects=lambda rows: 0, answers=lambda question: {**nothing(question), "model": None})
    seen = seen.run(TIMES_S[:50])
    assert [one.key for one in seen.fired] == [9, 49]
    assert seen.near_misses[-1][1].endswith("trigger 0 made none, and no label of a row behind it is known")


def test_it_weighs_the_price_of_a_training():
    """The dearer one is, the fewer there are; where models do not age, none that has a price."""
    keys = {
        price: [one.key for one in Stream(policy(price), Ageing(0.02)).run(TIMES_S[:250]).fired]
        for price in (0.1, 4, 1e9)
    }
    assert len(keys[0.1]) > len(keys[4]) > len(keys[1e9]) == 3
    assert len(Stream(policy(0.1), Ageing(0.0)).run(TIMES_S[:200]).fired) == 3


def test_costs_are_those_of_the_rows_to_come():
    """Keeping a model whose error is .12 for 20 looks of ten rows, at .1 an error, costs 2.4 or a little more."""
    seen = Stream(policy(1e9), Ageing(0.0)).run(TIMES_S[:200])
    kept, replaced, error = re.fullmatch(_FORECAST, seen.near_misses[-1][1]).groups()
    assert float(kept) == pytest.approx(20 * 10 * 0.1 * 0.1, rel=0.05)
    assert float(replaced.replace(",", "")) == pytest.approx(1e9)
    assert float(error) == 0.1


def test_it_asks_for_the_error_and_then_how_far_features_moved():
    """Of the rows since the look before, against those of that one; in the embedding through the current model."""
    seen = Stream(policy(space="embedding"), Ageing(0.02)).run(TIMES_S[:40])
    assert [(one.key, one.detector, one.needs_model) for one in seen.questions[:4]] == [
        (19, "performance", True),
        (19, "drift", True),
        (29, "performance", True),
        (29, "drift", True),
    ]
    options = seen.questions[3].options
    assert (options["reference"], options["current"]) == (
        {"first_key": 10, "last_key": 19},
        {"first_key": 20, "last_key": 29},
    )
    assert options["statistics"] == [{"name": "mean_shift", "features": "mean"}]
    assert (options["space"], options["ignore"], options["pca"]) == ("embedding", [], None)
    assert not Stream(policy(), Ageing(0.02)).run(TIMES_S[:40]).questions[1].needs_model


def test_looks_without_a_score_or_a_model_say_so():
    """Nothing is learned from them, and nothing is asked while a model is made."""

    def unknown(question):
        return {**Ageing(0)(question), "score": None, "known": 0, "error": "no label is known"}

    seen = Stream(policy(), unknown).run(TIMES_S[:30])
    assert seen.near_misses == [(key, "accuracy is undefined: no label is known") for key in (19, 29)]
    assert seen.state["seen"] == []
    late = Stream(policy(), Ageing(0), late=9).run(TIMES_S[:30])
    assert late.near_misses == [(key, "the model of trigger 0 is being trained") for key in (19, 29)]
    assert late.questions == []


def test_what_it_remembers_is_bounded():
    """However long a model is kept; having learned once it does not begin to learn again."""
    seen = Stream(policy(1e9, horizon=2), Ageing(0.0)).run([float(row) for row in range(1_500)])
    assert len(seen.fired) == 3
    assert len(seen.state["seen"]) == 120
    assert len({one[0] for one in seen.state["seen"]}) == 1


@settings(max_examples=8)
@given(cuts=st.lists(st.integers(0, 150), max_size=8), late=st.integers(0, 1))
def test_batches_do_not_matter(cuts, late):
    """However rows are cut into batches: the same triggers, near misses and state."""
    whole = Stream(policy(horizon=5, learn=_SOON), Ageing(0.02), late=late).run(TIMES_S[:150])
    assert Stream(policy(horizon=5, learn=_SOON), Ageing(0.02), late=late).run(TIMES_S[:150], cuts) == whole


def test_what_has_no_bound_cannot_be_forecast(small: Workplace) -> None:
    """A Beta lies between 0 and 1."""
    small.pipeline["evaluation"]["metrics"] = ["accuracy", "log_loss"]
    price = {"training": 1, "error": 1, "metric": "log_loss"}
    small.pipeline["trigger"] = {"policy": "performance_forecast", "every": 10, "price": price}
    small.write()
    with pytest.raises(ConfigurationError, match=r"trigger\.price\.metric: log_loss can be as bad as may be"):
        load_configuration(small.folder / "pipeline.yaml", small.folder / "config.yaml", experiment_mode=True)


@pytest.mark.parametrize(
    ("written", "key"),
    [({"horizon": 0}, "horizon"), ({"quantile": 1}, "quantile"), ({"learn": {"trainings": 1}}, "learn"),
     ({"space": "embedding", "ignore": ["a"]}, "ignore")],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_key(written, key):
    """Before a run."""
    with pytest.raises(ValidationError) as refused:
        policy(**written)
    assert list(refused.value.messages) == [key]
