"""What forecasts are made of: a regression with an elastic net, and quantiles of a Beta, against the known ones."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import ElasticNet

from supervisor.triggers.forecasts.beta import below, parameters, quantile
from supervisor.triggers.forecasts.elastic_net import elastic_net, fitted
from supervisor.triggers.forecasts.outlook import Horizon, Seen, outlook


@pytest.mark.parametrize("mean", [0.001, 0.02, 0.3, 0.5, 0.93, 0.999])
@pytest.mark.parametrize("deviation", [0.001, 0.01, 0.1, 0.3])
def test_betas_are_those_of_scipy(mean, deviation):
    """Distribution function and quantiles, from those that are all but sure to those with two humps."""
    variance = min(deviation**2, 0.9 * mean * (1 - mean))
    a, b = parameters(mean, variance)
    told = stats.beta(a, b)
    assert (told.mean(), told.var()) == pytest.approx((mean, variance))
    for x in (0.0, mean / 2, mean, (1 + mean) / 2, 1.0):
        assert below(x, a, b) == pytest.approx(told.cdf(x), abs=1e-9)
    for share in (0.001, 0.05, 0.5, 0.95, 0.999):
        assert quantile(share, a, b) == pytest.approx(told.ppf(share), abs=1e-9)


def test_no_beta_has_more_variance_than_its_mean_allows():
    """Then there are no parameters."""
    with pytest.raises(ValueError, match=r"no Beta has mean 0\.5 and variance 0\.25"):
        parameters(0.5, 0.25)


@pytest.mark.parametrize("penalty", [0.001, 0.05, 0.5, 5.0])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_coefficients_are_those_of_scikit_learn(penalty, seed):
    """Also where one feature is nearly the sum of others, and where none is left."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(40, 4))
    x[:, 3] = x[:, 0] + x[:, 1] + 0.01 * x[:, 3]
    x -= x.mean(axis=0)
    y = x @ [1.0, 0.0, -0.5, 0.3] + random.normal(size=40)
    y -= y.mean()
    known = ElasticNet(alpha=penalty, l1_ratio=0.5, fit_intercept=False, tol=1e-12, max_iter=100_000).fit(x, y)
    np.testing.assert_allclose(elastic_net(x, y, penalty), known.coef_, atol=1e-6)


def test_a_line_is_found_and_so_is_how_far_it_is_wrong():
    """In the units of the features, whatever these are, with one that never varies among them."""
    random = np.random.default_rng(0)
    x = np.stack([1e6 * random.normal(size=300), random.normal(size=300), np.full(300, 7.0)], axis=1)
    line = fitted(x, 3 + 2e-6 * x[:, 0] + random.normal(0, 0.1, 300))
    assert line.slopes * [1e6, 1, 1] == pytest.approx([2.0, 0.0, 0.0], abs=0.02)
    assert line.intercept == pytest.approx(3, abs=0.02)
    assert line.variance == pytest.approx(0.01, rel=0.2)
    constant = fitted(x, np.full(300, 0.4))
    assert (constant.slopes == 0).all()
    assert (constant.intercept, constant.variance) == pytest.approx((0.4, 0.0))


def history(per_look, models=4, looks=6, noise=0.0):
    """Models whose error grows by so much a look, from .1 on."""
    random = np.random.default_rng(3)
    for number in range(models * looks):
        made = number // looks * looks
        error = 0.1 + per_look * (number + 1 - made) + random.normal(0, noise)
        yield Seen(made=made, look=number + 1, shift=0.2, error=error)


def test_what_grows_with_age_is_cheaper_replaced():
    """By as much as the errors of the old model are more; where models do not age both cost the same."""
    now = Horizon(look=24, looks=5, shift=0.2, share=0.5)
    ages = outlook(list(history(0.02)), 18, now)
    assert ages.kept == pytest.approx(sum(0.1 + 0.02 * (6 + ahead) for ahead in range(1, 6)), rel=0.05)
    assert ages.replaced == pytest.approx(sum(0.1 + 0.02 * ahead for ahead in range(1, 6)), rel=0.05)
    stays = outlook(list(history(0.0)), 18, now)
    assert stays.kept == pytest.approx(stays.replaced)


def test_the_less_is_known_the_more_it_may_cost():
    """A larger share of what may come, and errors that scatter more, make the quantile larger."""
    calm, wild = (list(history(0.01, noise=noise)) for noise in (0.001, 0.05))
    shares = [outlook(wild, 18, Horizon(look=24, looks=5, shift=0.2, share=share)).kept for share in (0.5, 0.95)]
    assert shares[0] < shares[1]
    assert outlook(calm, 18, Horizon(look=24, looks=5, shift=0.2, share=0.95)).kept < shares[1]
    hopeless = [Seen(made=0, look=look, shift=0.1, error=float(look % 2)) for look in range(20)]
    assert 1.5 < outlook(hopeless, 0, Horizon(look=19, looks=3, shift=0.1, share=0.95)).kept <= 3


def test_what_is_forecast_near_nothing_may_be_more():
    """Errors that fall below 0, as a line has it, are as good as 0; and their quantile is above their mean."""
    falls = [Seen(made=0, look=look, shift=0.1, error=max(0.3 - 0.03 * look, 0.0)) for look in range(12)]
    kept = outlook(falls, 0, Horizon(look=12, looks=10, shift=0.1, share=0.95)).kept
    assert 10 * 0.001 < kept < 10 * 0.01
