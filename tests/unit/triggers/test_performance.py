"""Policy performance: when it looks, what it asks, and what it makes of the scores it is told."""

from __future__ import annotations

import numpy as np
import pytest
from marshmallow import ValidationError
from streams import SECOND_US, Player, pieces, rows

from supervisor.triggers.performance import Performance
from supervisor.triggers.policy import StreamStart, Training, Trigger

DROP = {"policy": "drop", "by": 0.05}
START = StreamStart(first_key=0, event_time_us=0)


def policy(decide, **options):
    """The policy as a file asks for it, looking every ten rows."""
    return Performance(Performance.Schema().load({"every": 10, "decide": decide, **options}), START)


def told(score, **changes):
    """A detector's answer."""
    answer = {"metric": "accuracy", "greater_is_better": True, "model": 0, "score": score, "n": 10, "unlabelled": 0}
    return {**answer, "known": 10, "error": None, "expected": None, "expected_n": 0, **changes}


class Run(Player):
    """A stream that a policy observes; each trigger is fired, and its model there at once."""

    def __init__(self, policy, answers, settles=True):
        left = iter(answers)
        super().__init__(policy, answers=lambda question: next(left))
        self.settles = settles

    def observe(self, count, cuts=()):
        """So many rows, a second apart, in batches."""
        for batch in pieces(rows(np.arange(count) * SECOND_US), cuts):
            self.give(batch)
        self.triggers, self.reasons = [one.key for one in self.played.fired], [one.reason for one in self.played.fired]
        self.misses = [one.reason for one in self.played.near_misses]
        self.asked, self.state = self.played.questions, self.played.state
        return self

    def after(self, trigger):
        """Its model is there."""
        if self.settles:
            training = Training(trigger=trigger.number, samples=1, train_s=None)
            self.keep(self.policy.trained(training, self.played.state))


def test_a_drop_is_against_what_the_model_scored_on_held_out_rows():
    """It fires without a model, then on a score that is worse than expected by so much; reasons and misses say so."""
    answers = [told(0.85, expected=0.88, expected_n=50), told(0.81, n=8, unlabelled=2)]
    run = Run(policy(DROP), answers).observe(30)
    assert run.triggers == [9, 29]
    assert run.reasons == [
        "there is no model yet, and 10 rows",
        "accuracy 0.81 is 0.07 below the expected 0.88 on 8 of 10 rows (50 held-out): 0.07 ≥ 0.05",
    ]
    assert run.misses == ["accuracy 0.85 is 0.03 below the expected 0.88 on 10 rows (50 held-out): 0.03 < 0.05"]


def test_it_asks_about_rows_behind_the_newest_trigger_and_expects_once():
    """Each model's expected score is asked until it is known; rows from before the trigger are no longer looked at."""
    answers = [told(0.9), told(0.9, known=20, expected=0.9, expected_n=5), told(0.5, known=30), told(0.9, model=1)]
    run = Run(policy(DROP), answers).observe(50)
    assert run.triggers == [9, 39]
    asked = [one.options for one in run.asked]
    assert [one["current"] for one in asked] == [[10, 19], [10, 29], [10, 39], [40, 49]]
    assert [one["expected_of"] for one in asked] == [None, None, 0, 0]
    looks = [(9, 0), (19, 10), (29, 20), (39, 0)]
    assert [one["window"] for one in asked] == [{"since": {"key": key, "known": known}} for key, known in looks]
    assert asked[0]["trainings"] == [[0, 0, 9]]
    assert asked[3]["trainings"] == [[0, 0, 9], [1, 10, 39]]
    assert asked[3]["since_us"] == 39_000_000
    assert run.misses[0].endswith("but nothing is expected of model 0: no held-out row of it can be scored")
    assert run.misses[-1].startswith("accuracy 0.9 on 10 rows, but nothing is expected of model 1")


@pytest.mark.parametrize(
    ("decide", "scores", "fires"),
    [
        ({"policy": "threshold", "threshold": 0.5}, [0.4, 0.5], [False, True]),
        ({"policy": "drop", "by": 0.1}, [0.5, 0.6], [False, True]),
        ({"policy": "drop", "by": 0.2, "relative": True}, [0.59, 0.6], [False, True]),
        ({"policy": "rolling_average", "deviation": 0.1, "window": 1}, [0.5, 0.3, 0.4], [False, False, True]),
        ({"policy": "quantile", "q": 0.5, "window": 1}, [0.5, 0.4, 0.6], [False, False, True]),
    ],
)
def test_of_a_loss_large_values_fire(decide, scores, fires):
    """The metric knows which side is worse; with accuracy the mirror image fires."""
    for sign in (1, -1):
        loss = {"metric": "log_loss", "greater_is_better": False} if sign > 0 else {}
        if decide["policy"] == "threshold":
            decide = {**decide, "threshold": sign * 0.5}
        for number in range(len(scores)):
            answers = [told(sign * one, expected=sign * 0.5, expected_n=5, **loss) for one in scores[: number + 1]]
            run = Run(policy(decide), answers)
            run.observe(10 * number + 20)
            assert (run.triggers[-1] == 10 * number + 19) == fires[number], (sign, number)


def test_mistakes_are_those_that_were_expected_of_nobody():
    """Each look adds (expected − observed) · rows, never less than 0, until a trigger; then it counts anew."""
    expected = {"expected": 0.9, "expected_n": 5}
    answers = [told(0.8, **expected), told(1.0), told(0.7), told(0.8, model=1, **expected)]
    run = Run(policy({"policy": "mistakes", "at_least": 3}), answers).observe(50)
    assert run.triggers == [9, 39]
    assert run.reasons[1] == (
        "avoidable mistakes since the newest trigger: 3 ≥ 3; 2 of them now, accuracy 0.7 on 10 rows, 0.9 expected"
    )
    assert [miss.split(": ")[1][:5] for miss in run.misses] == ["1 < 3"] * 3


def test_mistakes_are_counted_once_there_is_something_to_compare_with():
    """Rows of a look at which nothing was expected yet, or at a model that is about to be replaced, are not lost."""
    answers = [told(0.5), told(0.8, known=20, expected=0.9, expected_n=5), told(0.9, known=30)]
    for settles, looks in ((True, [(9, 0), (9, 0), (29, 20)]), (False, [(9, 0)] * 3)):
        run = Run(policy({"policy": "mistakes", "at_least": 3}), answers, settles=settles).observe(40)
        windows = [one.options["window"]["since"] for one in run.asked]
        assert windows == [{"key": key, "known": known} for key, known in looks]


@pytest.mark.parametrize("expected", ["held_out", 0.88, {"looks": 3}])
@pytest.mark.parametrize("greater", [True, False])
def test_a_cusum_is_that_of_a_plain_loop(expected, greater):
    """Of looks with any number of rows: the sum of what each is worse than expected, less the slack, never below 0."""
    random, sign = np.random.default_rng(2), 1 if greater else -1
    scores = (random.normal(0.86, 0.05, 60) * sign).round(6).tolist()
    counts = random.integers(1, 40, 60).tolist()
    answers = [
        told(one, n=n, greater_is_better=greater, model=0, expected=0.88 * sign if at == 0 else None, expected_n=5)
        for at, (one, n) in enumerate(zip(scores, counts, strict=True))
    ]
    given = sign * expected if isinstance(expected, float) else expected
    decide = {"policy": "cusum", "threshold": 1e9, "slack": 0.01, "expected": given}
    run = Run(policy(decide), answers).observe(610)
    usual, total, first = 0.88 * sign, 0.0, 0
    if isinstance(expected, dict):
        first, usual = 3, np.average(scores[:3], weights=counts[:3])
    for score, n in zip(scores[first:], counts[first:], strict=True):
        total = max(total + n * (sign * (usual - score) - 0.01), 0.0)
    assert total > 0
    assert run.state["memory"]["sum"] == pytest.approx(total)
    assert sum("that say what is expected" in miss for miss in run.misses) == first
    assert (run.asked[0].options["trainings"] != []) == (expected == "held_out")


def test_a_cusum_fires_at_its_threshold_and_begins_anew():
    """Whoever was better than expected is taken off; a trigger ends it; the reason has all that was weighed."""
    expected = {"expected": 0.9, "expected_n": 50}
    answers = [told(0.7, **expected), told(0.8), told(0.6), told(0.4), told(0.5, model=1)]
    run = Run(policy({"policy": "cusum", "threshold": 4, "slack": 0.1}), answers).observe(60)
    assert run.triggers == [9, 49]
    assert run.misses[:3] == [
        "CUSUM since the newest trigger: 1 < 4; +1 now, accuracy 0.7 on 10 rows, 0.9 expected (50 held-out)",
        "CUSUM since the newest trigger: 1 < 4; +0 now, accuracy 0.8 on 10 rows, 0.9 expected (50 held-out)",
        "CUSUM since the newest trigger: 3 < 4; +2 now, accuracy 0.6 on 10 rows, 0.9 expected (50 held-out)",
    ]
    assert run.reasons[1].startswith("CUSUM since the newest trigger: 7 ≥ 4; +4 now, ")
    assert run.misses[3].startswith("accuracy 0.5 on 10 rows, but nothing is expected of model 1")


def test_looks_say_what_is_expected_after_each_trigger():
    """Not while the model is being made: those are of another. Then the mean of so many, by rows."""
    decide = {"policy": "cusum", "threshold": 3, "expected": {"looks": 2}}
    answers = [told(0.9), told(0.6, n=5), told(0.5), *[told(0.5, model=1)] * 3]
    run = Run(policy(decide), answers).observe(70)
    assert run.triggers == [9, 39]
    assert run.misses[0] == "accuracy 0.9 on 10 rows: look 1 of 2 that say what is expected"
    assert run.reasons[1] == "CUSUM since the newest trigger: 3 ≥ 3; +3 now, accuracy 0.5 on 10 rows, 0.8 expected"
    assert run.misses[2] == "accuracy 0.5 on 10 rows: look 1 of 2 that say what is expected"
    assert run.misses[4].startswith("CUSUM since the newest trigger: 0 < 3; +0 now, ")
    unsettled = Run(policy(decide), answers, settles=False).observe(40)
    assert unsettled.state["memory"]["first"] == [0, 0, 0.0]


def test_a_window_without_a_known_label_is_a_near_miss():
    """Nothing is decided, and why is said."""
    undefined = told(None, n=0, unlabelled=10, known=0, error="no label is known")
    run = Run(policy({"policy": "threshold", "threshold": 1.0}), [undefined]).observe(20)
    assert (run.triggers, run.misses) == ([9], ["accuracy is undefined on 0 of 10 rows: no label is known"])


def test_nothing_fires_while_a_model_is_being_made():
    """The rows behind a trigger say nothing of its model yet; one that failed is another matter."""
    run = Run(policy({"policy": "threshold", "threshold": 0.5}), [told(None, model=None), told(0.1)], settles=False)
    run.observe(30)
    assert run.triggers == [9]
    assert run.misses[0] == "there is no model yet: trigger 0 is being trained on"
    assert run.misses[1] == "accuracy 0.1 ≤ 0.5, on 10 rows; model 0, as trigger 0 is being trained on"


def test_a_trigger_that_made_no_model_is_made_up_for_once_there_are_labels():
    """One at a time: triggers that have nothing to train on are of no use."""
    answers = [told(None, model=None, known=0), told(None, model=None)]
    run = Run(policy({"policy": "threshold", "threshold": 0.5}), answers).observe(30)
    assert run.triggers == [9, 29]
    assert run.misses == ["there is no model yet: trigger 0 made none, and no label of a row behind it is known"]
    assert run.reasons[1] == "there is no model yet: trigger 0 made none"


def test_an_answer_that_a_trigger_overtook_counts_for_nothing():
    """Its rows are no longer those behind the newest trigger."""
    asked = policy({"policy": "mistakes", "at_least": 3})
    run = Run(asked, [told(0.9, expected=0.9, expected_n=5)]).observe(20)
    state = asked.fired(Trigger(number=1, key=19, timestamp_us=0), run.state)
    found = asked.answer(run.asked[0], told(0.1), state)
    assert (found.state, found.decision) == (state, None)
    assert found.near_misses[0].reason == "trigger 1 came before the answer"


def test_quantile_fires_at_its_nominal_rate_on_noise():
    """Also across models, as its memory is of how good the pipeline was."""
    looks, q = 4_000, 0.1
    noise = np.random.default_rng(0).normal(0.8, 0.05, looks).tolist()
    run = Run(policy({"policy": "quantile", "q": q, "window": 12}), [told(one) for one in noise])
    run.observe(10 * looks)
    rate = (len(run.triggers) - 1) / looks
    assert abs(rate - q) < 4 * np.sqrt(q * (1 - q) / looks)


def test_batches_do_not_matter():
    """However the rows are cut, the same is asked, decided and noted, and the state is the same."""
    answers = [told(one, expected=0.9, expected_n=5) for one in np.random.default_rng(1).uniform(0.8, 1, 30).tolist()]
    runs = [Run(policy(DROP), answers).observe(300, cuts) for cuts in ((), range(300), (7, 10, 19, 20, 111))]
    assert runs[0].triggers != [9]
    for run in runs[1:]:
        assert (run.triggers, run.reasons, run.misses) == (runs[0].triggers, runs[0].reasons, runs[0].misses)
        assert (run.asked, run.state) == (runs[0].asked, runs[0].state)


@pytest.mark.parametrize(
    ("options", "key", "said"),
    [
        ({"decide": {"policy": "drop"}}, "by", "is missing; policy drop needs it."),
        ({"decide": {"policy": "p_value"}}, "policy", "unknown"),
        ({"decide": {**DROP, "direction": "above"}}, "direction", "is not a key here"),
        ({"decide": {**DROP, "release": 0.06}}, "release", "write a number below"),
        ({"decide": {**DROP, "warm_up": {"values": 2, "decide": {"policy": "p_value"}}}}, "warm_up", "alone"),
        ({"decide": {"policy": "mistakes", "at_least": 5}, "window": {"rows": 9}}, "window", "counts each row once"),
        ({"decide": {"policy": "mistakes", "at_least": 5}, "metric": "f1"}, "metric", "f1 does not count mistakes"),
        ({"decide": {"policy": "cusum", "threshold": 5}, "window": {"rows": 9}}, "window", "cusum counts each row"),
        ({"decide": {"policy": "cusum"}}, "threshold", "is missing; policy cusum needs it."),
        ({"decide": {"policy": "cusum", "threshold": 0}}, "threshold", "0 is no sum that fires; write a number > 0."),
        ({"decide": {"policy": "cusum", "threshold": 5, "slack": -1}}, "slack", "is not a number of at least 0."),
        (
            {"decide": {"policy": "cusum", "threshold": 5, "expected": "usual"}},
            "expected",
            "says no score that is expected; write held_out | number | {looks: N}.",
        ),
        ({"decide": {"policy": "cusum", "threshold": 5, "release": 6}}, "release", "write a number below"),
        ({"decide": {**DROP, "slack": 0.1}}, "slack", "goes with policy cusum, not with drop"),
        ({"decide": DROP, "window": {"days": 9}}, "window", "is not a key here"),
    ],
)
def test_what_cannot_be_is_refused_where_it_stands(options, key, said):
    """With a sentence that says what would be right."""
    with pytest.raises(ValidationError) as refused:
        Performance.Schema().load({"every": 10, **options})
    messages = refused.value.normalized_messages()
    assert said in str(messages.get("decide", messages)[key])


def test_the_rest_of_the_pipeline_may_object():
    """Held-out rows must be there, mistakes be counted, and the metric be of such a model."""
    split, metrics = {"test": 0.0, "validation": 0.0}, [{"name": "mse", "label": "mse", "options": {}}]
    pipeline = {"data": {"split": split}, "evaluation": {"metrics": metrics}}

    def objections(**options):
        return [key for key, _ in Performance.objections(Performance.Schema().load({"every": 1, **options}), pipeline)]

    assert objections(decide=DROP) == ["decide.policy"]
    assert objections(decide={"policy": "mistakes", "at_least": 1}) == ["metric", "decide.policy"]
    cusum = {"policy": "cusum", "threshold": 5}
    assert objections(decide=cusum) == ["decide.policy"]
    assert objections(decide={**cusum, "expected": 3.5}) == objections(decide={**cusum, "expected": {"looks": 2}}) == []
    assert objections(decide={"policy": "threshold", "threshold": 1}, metric="accuracy") == ["metric"]
    assert objections(decide={"policy": "threshold", "threshold": 1}) == []
    assert objections(decide={"policy": "threshold", "threshold": 1, "release": 0.9}) == []
    assert objections(decide={"policy": "threshold", "threshold": 1, "release": 1.1}) == ["decide.release"]


@pytest.mark.parametrize(
    ("metric", "decide", "key", "said"),
    [
        ("auroc", {"policy": "threshold", "threshold": 80}, "threshold", "80 is no value of auroc, which is 0 to 1; "),
        ("log_loss", {"policy": "threshold", "threshold": -0.1}, "threshold", "which is at least 0; write one."),
        ("f1", {"policy": "threshold", "threshold": 0.7, "release": 75}, "release", "75 is no value of f1"),
        ("accuracy", {"policy": "drop", "by": 5}, "by", "5 is more than accuracy can worsen by, as it is 0 to 1;"),
        (
            "accuracy",
            {"policy": "drop", "by": 5, "relative": True},
            "by",
            "can worsen by, as a share of what it was; write a share",
        ),
        ("top_k", {"policy": "rolling_average", "deviation": 3}, "deviation", "write a share, such as 0.1."),
        (
            "accuracy",
            {"policy": "quantile", "warm_up": {"values": 2, "decide": {"policy": "threshold", "threshold": 60}}},
            "warm_up.decide.threshold",
            "60 is no value",
        ),
        ("accuracy", {"policy": "cusum", "threshold": 30, "expected": 90}, "expected", "90 is no value of accuracy"),
        ("f1", {"policy": "cusum", "threshold": 30, "slack": 2}, "slack", "2 leaves nothing that could add up: f1 is"),
        ("log_loss", {"policy": "cusum", "threshold": 300, "slack": 2, "expected": 7}, None, ""),
        ("log_loss", {"policy": "drop", "by": 5}, None, ""),
        ("log_loss", {"policy": "drop", "by": 5, "relative": True}, None, ""),
        ("auroc", {"policy": "threshold", "threshold": 1.0}, None, ""),
        ("accuracy", {"policy": "mistakes", "at_least": 60}, None, ""),
    ],
)
def test_a_bound_that_no_score_can_have_is_refused(metric, decide, key, said):
    """Percents would fire at each look, or never; each with its place and what would be right."""
    pipeline = {"evaluation": {"metrics": [{"name": metric, "label": metric, "options": {}}]}}
    options = Performance.Schema().load({"every": 1, "decide": decide})
    found = list(Performance.objections(options, pipeline))
    assert [at for at, _ in found] == ([] if key is None else [f"decide.{key}"])
    assert key is None or said in found[0][1]
