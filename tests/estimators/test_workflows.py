"""Among scikit-learn's own tools: searching, pipelines, copies, frames, metadata, pictures."""

from __future__ import annotations

import copy
import pickle
import runpy
from base64 import b64decode
from xml.etree import ElementTree

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.datasets import load_iris
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_predict, cross_val_score
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils import estimator_html_repr

from deltarule.errors import InputError
from deltarule.estimators import MLPAutoencoder, MLPClassifier, MLPRegressor
from deltarule.nn.activations import Activation
from deltarule.nn.losses import Loss

from .cases import CLASSES, ESTIMATORS, LABELS, NUMBERS, WEIGHT, X, fitted, numbers_of, small, target_for

IRIS, SPECIES = load_iris(return_X_y=True)
NAMES = ["sepal length", "sepal width", "petal length", "petal width"]

#: None of these trainings is long enough to converge.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def quick(**parameters):
    """A classifier that learns the iris in a moment."""
    defaults = {"hidden_layer_sizes": (8,), "preset": "robust", "max_iter": 50, "random_state": 0}
    return MLPClassifier(**(defaults | parameters))


# ---------------------------------------------------------------- searching and scoring


@pytest.mark.slow  # to start a process takes seconds
def test_grid_search_gives_the_same_in_two_processes():
    grid = {"mlp__hidden_layer_sizes": [(2,), (8,)], "mlp__alpha": [0.01, 1.0]}
    pipeline = Pipeline(
        [("scaler", StandardScaler()), ("mlp", MLPClassifier(solver="lbfgs", random_state=0))]
    )
    searches = [GridSearchCV(pipeline, grid, cv=3, n_jobs=n).fit(IRIS, SPECIES) for n in (1, 2)]
    one, two = (search.cv_results_ for search in searches)
    np.testing.assert_array_equal(one["mean_test_score"], two["mean_test_score"])
    assert searches[0].best_params_ == searches[1].best_params_
    assert searches[0].best_score_ > 0.9


def test_grid_search_over_our_own_parameters():
    grid = {
        "dropout": [0.0, [0.0, 0.1]],
        "solver": ["adamw", "rmsprop"],
        "label_smoothing": [0.0, 0.1],
    }
    search = GridSearchCV(quick(), grid, cv=2, error_score="raise").fit(IRIS, SPECIES)
    assert len(search.cv_results_["params"]) == 8
    assert search.best_score_ > 0.9


@pytest.mark.slow
def test_cross_validation_gives_the_same_in_two_processes():
    folds = StratifiedKFold(4)
    one, two = (cross_val_score(quick(), IRIS, SPECIES, cv=folds, n_jobs=n) for n in (1, 2))
    np.testing.assert_array_equal(one, two)
    assert one.mean() > 0.9


def test_cross_validated_probabilities():
    proba = cross_val_predict(quick(), IRIS, SPECIES, cv=3, method="predict_proba")
    np.testing.assert_allclose(proba.sum(axis=1), 1)


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_calibration(method):
    model = CalibratedClassifierCV(quick(), method=method, cv=2).fit(IRIS, SPECIES)
    assert model.score(IRIS, SPECIES) > 0.9


def test_inside_other_estimators():
    bagging = BaggingClassifier(quick(max_iter=5), n_estimators=2, random_state=0).fit(IRIS, SPECIES)
    voting = VotingClassifier([("a", quick()), ("b", LogisticRegression())], voting="soft").fit(IRIS, SPECIES)
    several = MultiOutputClassifier(small(preset="robust", max_iter=20)).fit(X, LABELS)
    scaled = TransformedTargetRegressor(small(MLPRegressor), transformer=StandardScaler()).fit(X, NUMBERS)
    assert bagging.score(IRIS, SPECIES) > 0.6
    assert voting.score(IRIS, SPECIES) > 0.9
    assert several.predict(X).shape == LABELS.shape
    assert scaled.predict(X).shape == NUMBERS.shape


def test_hidden_activations_feed_another_estimator():
    pipeline = make_pipeline(StandardScaler(), quick(), LogisticRegression()).fit(IRIS, SPECIES)
    assert pipeline.score(IRIS, SPECIES) > 0.9
    assert pipeline[:-1].get_feature_names_out().tolist() == [f"mlpclassifier{i}" for i in range(8)]
    coded = make_pipeline(MLPAutoencoder(2, preset="robust", random_state=0), LogisticRegression())
    assert coded.fit(IRIS, SPECIES).score(IRIS, SPECIES) > 0.7


# ---------------------------------------------------------------- copies


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_clone_has_the_parameters_and_nothing_else(Estimator):
    model = fitted(small(Estimator, activation=["tanh"], dropout=[0.0, 0.1]), X, target_for(Estimator))
    twin = clone(model)
    assert twin.get_params() == model.get_params()
    assert vars(twin).keys() == twin.get_params().keys()
    np.testing.assert_array_equal(numbers_of(fitted(twin, X, target_for(Estimator))), numbers_of(model))


def swish_value(z):
    return z / (1 + np.exp(-z))


def swish_derivative(z, a):
    s = 1 / (1 + np.exp(-z))
    return s + a * (1 - s)


SWISH = Activation("my_swish", swish_value, swish_derivative, "z σ(z)", "σ(z) + a(1 − σ(z))")


def quartic(a, y):
    return (a - y) ** 4


def quartic_derivative(a, y):
    return 4 * (a - y) ** 3


QUARTIC = Loss("quartic", quartic, quartic_derivative, "(a − y)⁴", "4(a − y)³")


def through_joblib(model, path):
    joblib.dump(model, path)
    return joblib.load(path)


COPIES = {
    "pickle": lambda model, path: pickle.loads(pickle.dumps(model)),
    "oldest pickle": lambda model, path: pickle.loads(pickle.dumps(model, protocol=2)),
    "joblib": through_joblib,
    "deepcopy": lambda model, path: copy.deepcopy(model),
}
CASES = {
    "plain": (MLPClassifier, {}),
    "robust": (MLPRegressor, {"preset": "robust"}),
    "stopped early": (MLPClassifier, {"early_stopping": True}),
    "rates": (MLPClassifier, {"solver": "sgd", "learning_rate": "cosine(0.1)"}),
    "by records": (MLPRegressor, {"activation": SWISH, "loss": QUARTIC}),
    "by functions": (MLPRegressor, {"loss": (quartic, quartic_derivative)}),
    "compiled": (MLPClassifier, {"engine": "compiled"}),
    "autoencoder": (MLPAutoencoder, {"standardize": True}),
}
COPIED = [pytest.param(case, marks=[pytest.mark.slow] * (case == "compiled")) for case in CASES]


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("case", COPIED)
def test_copies_answer_and_go_on_alike(case, way, tmp_path):
    Estimator, parameters = CASES[case]
    y = target_for(Estimator)
    model = fitted(small(Estimator, **parameters), X, y)
    twin = COPIES[way](model, tmp_path / "model")
    np.testing.assert_array_equal(twin.predict(X), model.predict(X))
    np.testing.assert_array_equal(twin.transform(X), model.transform(X))
    assert twin.get_params().keys() == model.get_params().keys()
    assert twin.loss_curve_ == model.loss_curve_
    assert all(np.shares_memory(W, twin.network_.parameters) for W in twin.coefs_)
    assert not np.shares_memory(twin.network_.parameters, model.network_.parameters)
    validation = {"validation_data": (X, y)[: 1 if y is None else 2]} if model.early_stopping else {}
    for one in (model, twin):
        one.partial_fit(X, y, **validation)
    np.testing.assert_array_equal(numbers_of(twin), numbers_of(model))
    twin.coefs_[0][:] = 0  # still what computes
    assert (twin.network_.layers[0].W == 0).all()


def test_weights_that_are_replaced_compute():
    model = fitted(small(), X, CLASSES)
    model.coefs_ = [np.zeros((5, 4)), np.zeros((4, 3))]
    model.intercepts_ = [np.zeros(4), np.log([1.0, 2, 1])]
    np.testing.assert_allclose(model.predict_proba(X), np.tile([0.25, 0.5, 0.25], (len(X), 1)))
    model.coefs_[1] = np.zeros((4, 2))
    with pytest.raises(InputError, match=r"keep their shapes: expected \(4, 3\), got \(4, 2\)"):
        model.predict(X)


# ---------------------------------------------------------------- frames


@pytest.fixture(params=["pandas", "polars"])
def frames(request):
    """A library of data frames, and how its frames are made."""
    return pytest.importorskip(request.param)


def frame_of(frames, values, names):
    return frames.DataFrame({name: values[:, i] for i, name in enumerate(names)})


def test_frames_are_taken_with_their_names(frames):
    frame = frame_of(frames, IRIS, NAMES)
    labels = frames.Series(np.array(["setosa", "versicolor", "virginica"])[SPECIES])
    model = quick(early_stopping=True).fit(frame, labels)
    assert model.feature_names_in_.tolist() == NAMES
    assert set(model.predict(frame)) == {"setosa", "versicolor", "virginica"}
    plain = quick(early_stopping=True).fit(IRIS, SPECIES)
    np.testing.assert_allclose(model.predict_proba(frame), plain.predict_proba(IRIS), rtol=1e-10)
    assert model.score(frame, labels) == plain.score(IRIS, SPECIES) > 0.8
    model.partial_fit(frame, labels, validation_data=(frame, labels))
    model.loss_and_gradients(frame, labels)
    model.explain(frame, labels, "loss", sample=0)
    for other in (frame_of(frames, IRIS, NAMES[::-1]), frame_of(frames, IRIS, ["a", "b", "c", "d"])):
        with pytest.raises(ValueError, match="feature names"):
            model.predict(other)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(IRIS)


def test_names_are_forgotten_with_the_next_fit(frames):
    model = quick().fit(frame_of(frames, IRIS, NAMES), SPECIES).fit(IRIS, SPECIES)
    assert not hasattr(model, "feature_names_in_")


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_transform_gives_frames(frames, Estimator):
    library = frames.__name__
    frame = frame_of(frames, X, list("abcde"))
    model = fitted(small(Estimator, hidden_layer_sizes=(4, 3)), frame, target_for(Estimator))
    given = model.transform(frame)
    model.set_output(transform=library)
    shown = model.transform(frame)
    assert isinstance(shown, frames.DataFrame)
    assert list(shown.columns) == model.get_feature_names_out().tolist()
    np.testing.assert_array_equal(shown.to_numpy(), given)
    if library == "pandas":
        assert shown.index.equals(frame.index)


def test_frames_of_a_named_layer(frames):
    model = fitted(small(hidden_layer_sizes=(4, 3)), X, CLASSES).set_output(transform=frames.__name__)
    first = model.transform(X, layer=1)
    assert isinstance(first, frames.DataFrame)
    np.testing.assert_array_equal(
        first.to_numpy(), model.set_output(transform="default").transform(X, layer=1)
    )


def test_frames_pass_through_a_column_transformer():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"x": X[:, 0], "colour": np.where(X[:, 1] > 0, "red", "blue")})
    columns = make_column_transformer((StandardScaler(), ["x"]), (OneHotEncoder(), ["colour"]))
    pipeline = make_pipeline(columns, small()).fit(frame, CLASSES)
    assert pipeline.predict(frame).shape == CLASSES.shape


def test_frames_with_missing_values_are_refused():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X).astype("Float64")
    frame.columns = list("abcde")
    fitted(small(), frame, CLASSES)
    frame.loc[3, "b"] = pandas.NA
    with pytest.raises(ValueError, match="NaN"):
        small().fit(frame, CLASSES)


# ---------------------------------------------------------------- metadata


def test_sample_weights_find_their_way_through_search_and_pipeline():
    with sklearn.config_context(enable_metadata_routing=True):
        model = small().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=True)
        pipeline = make_pipeline(scaler, model)
        search = GridSearchCV(pipeline, {"mlpclassifier__alpha": [0.01]}, cv=2)
        search.fit(X, CLASSES, sample_weight=WEIGHT)
        found = search.best_estimator_[-1]
        by_hand = fitted(small(alpha=0.01), scaler.fit(X, sample_weight=WEIGHT).transform(X), CLASSES, WEIGHT)
        np.testing.assert_array_equal(numbers_of(found), numbers_of(by_hand))
        cross_val_score(model, X, CLASSES, params={"sample_weight": WEIGHT}, cv=2)


def test_sample_weights_must_be_asked_for():
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(StandardScaler(), small())
        with pytest.raises(ValueError, match="sample_weight"):
            pipeline.fit(X, CLASSES, sample_weight=WEIGHT)


def test_validation_data_find_their_way_through_a_pipeline():
    with sklearn.config_context(enable_metadata_routing=True):
        model = small().set_fit_request(validation_data=True, callbacks=True)
        seen = []
        make_pipeline(model).fit(X, CLASSES, validation_data=(X, CLASSES), callbacks=[seen.append])
        assert len(model.validation_scores_) == len(seen) == 6


# ---------------------------------------------------------------- pictures


def drawing_in(page):
    """The last image of a page, which must be an SVG that holds all it needs."""
    image = ElementTree.fromstring(page[page.rindex("<img") : page.rindex("/>") + 2])
    return b64decode(image.attrib["src"].removeprefix("data:image/svg+xml;base64,")).decode()


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("names", [None, ['<script>alert("1")</script>', "a&b", "]]>", "'", "é\u202e\x07"]])
def test_notebook_picture_is_well_formed(Estimator, names):
    pandas = pytest.importorskip("pandas")
    data = X if names is None else pandas.DataFrame(X, columns=names)
    model = small(Estimator)
    before = model._repr_html_()
    assert "<img" not in before
    fitted(model, data, target_for(Estimator))
    page = model._repr_html_()
    assert "<script>alert" not in page
    ElementTree.fromstring(drawing_in(page))
    assert estimator_html_repr(model)
    assert estimator_html_repr(make_pipeline(StandardScaler(), model))
    assert page.startswith(estimator_html_repr(model)[:7])


@pytest.mark.parametrize(
    ("labels", "shown"),
    [(["no", "yes"], ["yes"]), (["a", "b", "c"], ["a", "b", "c"]), (["only"], ["not only"])],
)
def test_notebook_picture_and_exported_file_name_the_classes(labels, shown, tmp_path):
    model = small(MLPClassifier).fit(X, np.resize(labels, len(X)))
    page = model._repr_html_()
    drawing = drawing_in(page)
    for label in shown:
        assert f">{label}<" in drawing
    model.export(tmp_path / "model.py")
    exported = runpy.run_path(str(tmp_path / "model.py"))
    assert [exported["predict"](list(row)) for row in X[:5]] == list(model.predict(X[:5]))


def test_repr_shows_what_was_changed():
    assert (
        repr(MLPClassifier((5,), preset="robust"))
        == "MLPClassifier(hidden_layer_sizes=(5,), preset='robust')"
    )
    with sklearn.config_context(display="text"):
        assert repr(MLPRegressor()) == "MLPRegressor()"
