"""``deltarule train --health``: the report after the results, for people and in JSON."""

from __future__ import annotations

import pytest

from .cases import numbers_csv, refused, report_of, run


def test_a_healthy_run_says_so_after_the_results():
    text = run("train", "iris", "--health", "--quiet")
    results, report = text.split("\nHealth: ")
    assert "test, 5 folds" in results
    assert report.startswith("no problem found.\n\nlayer")
    assert "Health" not in run("train", "iris", "--quiet")


def test_json_has_it_under_health_only_where_asked():
    report = report_of("train", "iris", "--health")["health"]
    assert report["ok"] is True
    assert report["findings"] == []
    assert [layer["neurons"] for layer in report["layers"]] == [64, 3]
    assert report["rows"] == 150
    assert report["with_history"] is True
    assert "health" not in report_of("train", "iris", "--epochs", 3)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["wine", "--scale", "none"], "unscaled_inputs"),
        (["iris", "--initializer", "zeros"], "symmetric_neurons"),
        (["iris", "--learning-rate", "3"], "learning_rate_too_high"),
        (["iris", "--learning-rate", "3e-6"], "learning_rate_too_low"),
        (["xor", "--hidden", "0"], "underfitting"),
        (
            ["breast_cancer", "--activation", "tanh", "--initializer", "normal(30)", "--epochs", "1"],
            "saturated_units",
        ),
    ],
)
def test_a_fault_is_the_first_finding(arguments, name):
    findings = report_of("train", *arguments, "--health")["health"]["findings"]
    assert findings[0]["name"] == name
    assert findings[0]["severity"] in ("warning", "problem")


def test_features_go_by_the_names_of_the_columns():
    findings = report_of("train", "wine", "--scale", "none", "--health")["health"]["findings"]
    assert "proline" in findings[0]["features"]


def test_tables_images_and_autoencoders_have_one_too(tmp_path):
    table = numbers_csv(tmp_path / "numbers.csv")
    assert report_of("train", table, "--target", "total", "--epochs", 5, "--health")["health"]["rows"] == 60
    report = report_of("train", "digits", "--autoencoder", "--epochs", 3, "--health")["health"]
    assert len(report["layers"]) == 2


@pytest.mark.parametrize("example", ["T1", "T5_xor", "T4"])
def test_worked_examples_have_one_too(example):
    text = run("train", example, "--health", "--quiet", "--epochs", 50)
    assert "\nHealth: " in text
    report = report_of("train", example, "--health", "--epochs", 50)
    assert len(report["health"]["layers"]) == 2
    assert "model" in report
    assert "health" not in report_of("train", example, "--epochs", 50)


def test_a_toml_file_has_one_too(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        "[network]\nsizes = [1, 2, 1]\ninitializer = 'zeros'\n"
        "[data]\nx = [0, 1, 2]\ny = [0, 1, 2]\n[training]\nupdates = 20\n"
    )
    findings = report_of("train", path, "--health")["health"]["findings"]
    assert findings[0]["name"] == "symmetric_neurons"


def test_examples_refuse_other_options_still():
    assert "--l2" in refused("train", "T1", "--health", "--l2", "0.1")
