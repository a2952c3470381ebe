"""The baselines against brute force and scikit-learn: a weak baseline would flatter us."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.covariance import EmpiricalCovariance
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from plasticish.core import ConfigError, LabelError, NotReadyError, ShapeError, make_generator
from plasticish.evaluation import (
    KNN,
    NCM,
    SLDA,
    JointLogistic,
    NaiveSoftmax,
    PowerTransformed,
    RanPAC,
    StreamingRidge,
    signed_sqrt,
)

BASELINES = {
    "naive": NaiveSoftmax,
    "naive-z": lambda: NaiveSoftmax("zscore"),
    "ncm": NCM,
    "knn": KNN,
    "slda": SLDA,
    "ridge": StreamingRidge,
    "ranpac": lambda: RanPAC(projections=40),
    "joint": lambda: JointLogistic(strengths=[0.1, 1.0], power_transform=[False]),
}


def blobs(seed=0, n=40, classes=3, width=5):
    """Balanced Gaussian classes with a shared, correlated covariance."""
    g = make_generator(seed)
    means = 2 * torch.randn(classes, width, generator=g)
    mix = torch.randn(width, width, generator=g)
    y = torch.arange(classes).repeat(n)
    x = means[y] + torch.randn(len(y), width, generator=g) @ mix
    return x, y


def fed(learner, x, y, batch=7):
    for start in range(0, len(x), batch):
        learner.learn((x[start : start + batch], y[start : start + batch]))
    return learner


@pytest.mark.parametrize("make", BASELINES.values(), ids=BASELINES)
class TestEveryBaseline:
    def test_learns_blobs_in_one_pass(self, make):
        x, y = blobs(width=8, n=60)
        x = torch.cat([x, 4 * torch.nn.functional.one_hot(y).float()], dim=1)
        learner = fed(make(), x, y)
        learner.sleep()
        assert (learner.predict(x) == y).float().mean() > 0.8

    def test_classes_grow_and_gaps_are_never_answered(self, make):
        x, y = blobs()
        learner = make()
        learner.learn((x[y == 2], y[y == 2]))
        assert learner.num_classes == 3
        assert set(learner.predict(x).tolist()) == {2}
        learner.learn((x[y == 0], y[y == 0]))
        learner.learn((x[y == 0] + 9, y[y == 0] + 5))
        assert set(learner.predict(torch.cat([x, x + 9])).tolist()) <= {0, 2, 5}
        assert learner.stats() == {"seen": 120, "classes": 3}

    def test_prediction_changes_nothing(self, make):
        x, y = blobs()
        learner = fed(make(), x, y)
        first = learner.predict(x)
        assert torch.equal(first, learner.predict(x))
        assert torch.equal(first[:1], learner.predict(x[:1]))

    def test_input_is_left_alone_and_may_be_reused(self, make):
        x, y = blobs()
        kept = x.clone()
        learner = make()
        learner.learn((x, y))
        assert torch.equal(x, kept)
        x.zero_()
        assert (learner.predict(kept) == y).float().mean() > 0.4

    def test_bad_batches_change_nothing(self, make):
        x, y = blobs()
        learner = make()
        with pytest.raises(NotReadyError, match="knows no class"):
            learner.predict(x)
        with pytest.raises(LabelError):
            learner.learn((x, y - 1))
        assert learner.width is None
        fed(learner, x, y)
        before = learner.predict(x)
        with pytest.raises(ShapeError, match="wrong shape"):
            learner.learn((x[:, :-1], y))
        assert torch.equal(learner.predict(x), before)

    def test_single_rows(self, make):
        x, y = blobs(n=5)
        learner = fed(make(), x, y, batch=1)
        assert learner.predict(x[:1]).shape == (1,)


class FixedShrinkage(EmpiricalCovariance):
    """(1 - e) S + e I, the paper's regulariser, for scikit-learn."""

    def fit(self, X, y=None):
        super().fit(X)
        self.covariance_ = (1 - 1e-4) * self.covariance_ + 1e-4 * np.eye(X.shape[1])
        return self


class TestSLDA:
    @settings(max_examples=25, deadline=None)
    @given(seed=st.integers(0, 1000), batch=st.integers(1, 50))
    def test_is_the_within_class_covariance_for_any_batch_size(self, seed, batch):
        x, y = blobs(seed, n=12)
        slda = fed(SLDA(), x, y, batch)
        z = x.double()
        means = torch.stack([z[y == c].mean(0) for c in range(3)])
        centred = z - means[y]
        torch.testing.assert_close(slda.means, means)
        torch.testing.assert_close(slda.covariance, centred.T @ centred / len(z))

    def test_equals_scikit_learn_with_the_same_shrinkage(self):
        x, y = blobs(3)
        theirs = LinearDiscriminantAnalysis(
            solver="lsqr", covariance_estimator=FixedShrinkage(), priors=[1 / 3] * 3
        ).fit(x.double().numpy(), y.numpy())
        ours = fed(SLDA(), x, y)
        fresh = torch.randn(200, 5, generator=make_generator(9)) * 3
        scores = ours._scores(fresh).numpy()
        expected = theirs.decision_function(fresh.double().numpy())
        np.testing.assert_allclose(
            scores - scores.mean(1, keepdims=True),
            expected - expected.mean(1, keepdims=True),
            rtol=1e-8,
        )

    def test_refuses_a_shrinkage_above_one(self):
        with pytest.raises(ConfigError, match="shrinkage"):
            SLDA(shrinkage=1.5)


class TestNearest:
    @settings(max_examples=25, deadline=None)
    @given(seed=st.integers(0, 1000), k=st.integers(1, 12))
    def test_knn_equals_scikit_learn(self, seed, k):
        x, y = blobs(seed, n=15)
        queries = torch.randn(50, 5, generator=make_generator(seed + 1)) * 3
        theirs = KNeighborsClassifier(k, algorithm="brute").fit(x.numpy(), y.numpy())
        expected = theirs.predict(queries.numpy())
        assert fed(KNN(k), x, y).predict(queries).tolist() == expected.tolist()

    def test_cosine_equals_scikit_learn(self):
        x, y = blobs(1)
        theirs = KNeighborsClassifier(5, metric="cosine").fit(x.numpy(), y.numpy())
        expected = theirs.predict(x.numpy() * 3)
        assert fed(KNN(5, "cosine"), x, y).predict(x * 3).tolist() == expected.tolist()

    def test_more_queries_than_a_chunk(self):
        x, y = blobs(2)
        many = x.repeat(6, 1)
        assert len(many) > 512
        knn = fed(KNN(3), x, y)
        assert torch.equal(knn.predict(many), knn.predict(x).repeat(6))

    def test_ncm_is_the_nearest_mean(self):
        x, y = blobs(5)
        ncm = fed(NCM(), x, y)
        means = torch.stack([x[y == c].double().mean(0) for c in range(3)])
        torch.testing.assert_close(ncm.means, means)
        assert torch.equal(ncm.predict(x), torch.cdist(x.double(), means).argmin(1))

    def test_unknown_metric(self):
        with pytest.raises(ConfigError, match="metric"):
            KNN(5, "manhattan")


class TestRidge:
    def test_equals_scikit_learn_with_a_penalised_constant(self):
        x, y = blobs(6)
        ours = fed(StreamingRidge(penalty=2.0), x, y)
        wide = np.hstack([x.double().numpy(), np.ones((len(x), 1))])
        onehot = np.eye(3)[y.numpy()]
        theirs = Ridge(alpha=2.0, fit_intercept=False).fit(wide, onehot)
        np.testing.assert_allclose(ours._scores(x).numpy(), theirs.predict(wide), atol=1e-9)

    def test_order_does_not_matter(self):
        x, y = blobs(7)
        turned = fed(StreamingRidge(), x.flip(0), y.flip(0))
        torch.testing.assert_close(fed(StreamingRidge(), x, y)._scores(x), turned._scores(x))

    def test_ranpac_held_out_error_is_the_squared_error_of_the_held_out_rows(self):
        x, y = blobs(8)
        ranpac = RanPAC(projections=30, seed=4)
        held_rows, kept_rows = [], []
        original = ranpac._add

        def spy(code, labels):
            kept_rows.append((code, labels))
            original(code, labels)

        ranpac._add = spy
        fed(ranpac, x, y)
        kept = torch.cat([code for code, _ in kept_rows])
        everything = ranpac.encode(x)
        is_held = ~(everything[:, None] == kept[None]).all(-1).any(1)
        held_rows, held_y = everything[is_held], y[is_held]
        assert 5 < len(held_rows) < 60
        onehot = torch.eye(3, dtype=torch.float64)
        W = torch.linalg.solve(
            kept.T @ kept + 3.0 * torch.eye(30, dtype=torch.float64),
            kept.T @ onehot[torch.cat([labels for _, labels in kept_rows])],
        )
        expected = ((onehot[held_y] - held_rows @ W) ** 2).sum()
        assert ranpac._held_out_error(3.0) == pytest.approx(float(expected), rel=1e-8)
        # The final readout uses every row.
        torch.testing.assert_close(ranpac.gram + ranpac._held_gram, everything.T @ everything)


class TestNaive:
    def test_one_step_is_the_gradient_of_the_cross_entropy(self):
        x, y = blobs(9, n=6)
        naive = NaiveSoftmax()
        naive.learn((x, y))
        W = torch.zeros(3, 5, requires_grad=True)
        b = torch.zeros(3, requires_grad=True)
        torch.nn.functional.cross_entropy(x @ W.T + b, y).backward()
        torch.testing.assert_close(naive.weight, -0.1 * W.grad)
        torch.testing.assert_close(naive.bias, -0.1 * b.grad)

    def test_running_scale_equals_the_standard_scaler(self):
        x, y = blobs(10)
        naive = fed(NaiveSoftmax("zscore"), x, y)
        expected = StandardScaler().fit_transform(x.double().numpy())
        np.testing.assert_allclose(naive._scaled(x).numpy(), expected, atol=1e-4)

    def test_forgets_what_the_stream_no_longer_shows(self):
        x, y = blobs(11, n=100)
        naive = fed(fed(NaiveSoftmax(), x[y == 0], y[y == 0]), x[y == 1], y[y == 1])
        assert (naive.predict(x[y == 0]) == 0).float().mean() < 0.5

    def test_unknown_scaling(self):
        with pytest.raises(ConfigError, match="scaling"):
            NaiveSoftmax("minmax")


class TestJoint:
    def test_equals_scikit_learn_at_a_single_strength(self):
        x, y = blobs(12)
        ours = fed(JointLogistic(strengths=[0.3], power_transform=[False]), x, y)
        z = StandardScaler().fit_transform(x.numpy())
        theirs = LogisticRegression(C=0.3, max_iter=300).fit(z, y.numpy())
        assert (ours.predict(x).numpy() == theirs.predict(z)).mean() > 0.99

    def test_chooses_the_strength_that_generalises(self):
        g = make_generator(0)
        y = torch.arange(2).repeat(40)
        x = torch.randn(80, 60, generator=g)
        x[:, 0] += 2 * (y * 2 - 1)
        joint = JointLogistic(strengths=[1e-6, 1e-2, 1e4], power_transform=[False])
        joint.learn((x, y))
        assert joint.sleep()["strength"] in (1e-6, 1e-2)  # 60 noisy columns: not the loosest

    def test_signed_sqrt_keeps_the_sign(self):
        x = torch.tensor([-9.0, 0.0, 4.0])
        assert signed_sqrt(x).tolist() == [-3.0, 0.0, 2.0]

    def test_nothing_to_choose_from(self):
        with pytest.raises(ConfigError, match="choose"):
            JointLogistic(strengths=[])


class TestPowerTransformed:
    def test_is_the_inner_learner_on_transformed_features(self):
        x, y = blobs(13)
        wrapped, plain = PowerTransformed(SLDA()), SLDA()
        fed(wrapped, x, y), fed(plain, signed_sqrt(x), y)
        wrapped.sleep()
        assert torch.equal(wrapped.predict(x), plain.predict(signed_sqrt(x)))

    def test_bad_features_are_refused(self):
        x, y = blobs()
        wrapped = fed(PowerTransformed(NCM()), x, y)
        with pytest.raises(ShapeError):
            wrapped.learn((x[:, 1:], y))
