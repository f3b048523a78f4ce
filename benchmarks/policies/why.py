"""Why the product's policies beat the tuned fixed period at a price, or do not: from the figures alone."""

from __future__ import annotations

from benchmarks.policies.found import Line, Priced
from benchmarks.policies.rivals.all import PERIOD
from shared.words import counted

# These go by keys and timestamps alone: to beat a fixed period with another one is none of a policy's merits.
CLOCKS = ("data_amount", "time", "schedule", "cost_periodic", "cost: latency")
_LITTLE = 0.02  # of the period's cost: so little there is to gain


def best_policy(priced: Priced) -> Line:
    """The least costly of the product's policies that look at data or models."""
    return next(one for one in priced.of("policy") if one.name not in CLOCKS)


def chosen(priced: Priced) -> Line:
    """What somebody would take who knows the rows that are learned from: the product's least costly policy there."""
    return min(priced.of("policy"), key=lambda one: (one.learned_cost or 0.0, one.trainings))


def why(priced: Priced) -> str:
    """A few sentences."""
    ours, period, best = best_policy(priced), priced.line(PERIOD), priced.of("best")[0]
    gap = period.cost - best.cost
    head = f"At {_number(priced.price)} a training, `{ours.name}` costs {_number(ours.cost)}: "
    if ours.cost < period.cost:
        told = f"{_percent(period.cost - ours.cost, period.cost)} less than the tuned period"
        return f"{head}{told}, {_difference(priced, ours, period)}. {_bound(gap, period, best)}"
    told = f"no policy that looks beats the tuned period ({_number(period.cost)}), {_difference(priced, ours, period)}"
    return f"{head}{told}. {_bound(gap, period, best)}{_reason(priced, ours, period, best)}"


def _difference(priced: Priced, ours: Line, period: Line) -> str:
    """Where it comes from: trainings and loss."""
    errors = priced.loss(ours) - priced.loss(period)
    more = "more" if errors > 0 else "less"
    trainings = f"{counted(ours.trainings, 'training')} against {period.trainings}"
    return f"with {trainings} and {_number(abs(errors))} {more} loss"


def _bound(gap: float, period: Line, best: Line) -> str:
    """What there is to gain at all."""
    told = f"The best schedule in hindsight, of {counted(best.trainings, 'training')}, costs {_number(best.cost)}"
    return f"{told}, {_percent(gap, period.cost)} less than the period."


def _reason(priced: Priced, ours: Line, period: Line, best: Line) -> str:
    """What the figures say of why nobody beats the period."""
    gap = period.cost - best.cost
    if gap < _LITTLE * period.cost:
        return " Nobody could gain more: here a fixed period is as good as anything."
    errors, saved = priced.loss(ours) - priced.loss(period), period.trainings - ours.trainings
    if saved > 0:
        paid, fewer = _number(priced.price * saved), counted(saved, "training")
        return f" Ours trains too seldom here: the {fewer} less save {paid}, and lose {_number(errors)}."
    if saved < 0:
        paid = _number(-priced.price * saved)
        won = f"win {_number(-errors)}" if errors < 0 else "win nothing"
        return f" Ours trains too often here: the {counted(-saved, 'training')} more cost {paid}, and {won}."
    return " Ours trains as often, and at worse moments: what it looks at does not tell when a new model will help."


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %"


def _number(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"
