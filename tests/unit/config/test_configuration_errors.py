"""Each mistake in pipeline.yaml or config.yaml is one sentence with file:line, key path, value and remedy."""

from __future__ import annotations

import pytest
import yaml

from shared.config.load import load_configuration, load_system
from shared.errors import ConfigurationError

PIPELINE = """\
pipeline: {name: flights}
model:
  id: mlp
training:
  epochs: 2
  batch_size: 64
  optimizer: {name: Adam, config: {lr: 0.001}}
data: {dataset: flights}
trigger:
  policy: data_amount
  every: 100
initial_mode: replay
evaluation:
  metrics: [accuracy]
  on:
    - {name: recent, window: {last: 7d}}
deployment:
  gate:
    metric: accuracy
    on: recent
    at_least: 0.5
  targets: [{kind: directory, uri: deployed}]
"""
VALUES = yaml.safe_load(PIPELINE.replace("  on:", "  'on':"))  # to PyYAML, a bare `on` is true
CONFIG = """\
storage:
  datasets:
    flights: {uri: data.parquet, timestamp: time}
"""


@pytest.fixture
def problems(tmp_path):
    """Loads both files after replacing `old` by `new` in the first of them, and gives what is wrong."""

    def problems_of(old="", new="", *, config=CONFIG, experiment_mode=True, also=None):
        pipeline = PIPELINE
        for there, instead in {old: new, **(also or {})}.items():
            assert there in PIPELINE
            pipeline = pipeline.replace(there, instead, 1) if there else pipeline
        (tmp_path / "pipeline.yaml").write_text(pipeline)
        (tmp_path / "config.yaml").write_text(config)
        with pytest.raises(ConfigurationError) as caught:
            load_configuration(tmp_path / "pipeline.yaml", tmp_path / "config.yaml", experiment_mode=experiment_mode)
        assert caught.value.exit_code == 2
        return caught.value.problems

    return problems_of


@pytest.mark.parametrize(
    ("nulls", "more", "told"),
    [
        ("{features: fill}", "", "nulls.features: 'fill' is unknown; known: impute, refuse"),
        ("{labels: impute}", "", "nulls.labels: 'impute' is unknown"),
        ("{features: refuse, indicator: true}", "", "nulls.indicator: stands beside features: refuse"),
        ("{indicator: true}", ", text: note", "nulls.indicator: is for tables; a model of `text` has no place for it"),
        ("{label: drop}", "", "nulls.label: is not a key here; did you mean labels?"),
    ],
)
def test_nulls_that_cannot_be_done_so(problems, nulls, more, told):
    """An option that could not be honoured is refused."""
    config = CONFIG.replace("timestamp: time", f"timestamp: time, nulls: {nulls}{more}")
    (problem,) = problems(config=config)
    assert f"storage.datasets.flights.{told}" in problem


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("{column: t, format: '%d/%m/%Q'}", "timestamp.format: '%d/%m/%Q' cannot be used: %Q is no directive here"),
        ("{column: t, format: '%d/%m'}", "timestamp.format: '%d/%m' cannot be used: it says no year; add %Y"),
        ("{column: t, format: 12}", "timestamp.format: 12 is not a text."),
        ("{column: t, zone: Mars}", "timestamp.zone: 'Mars' is no time zone; write a name of the IANA database"),
        ("{column: t, zone: W. Europe Standard Time}", "is no time zone; that is its name on Windows, write Europe/B"),
        ("{column: t, zone: 7}", "timestamp.zone: 7 is no time zone"),
        ("{column: t, unit: m}", "timestamp.unit: 'm' is unknown; did you mean"),
        ("{column: t, unit: s, format: '%Y'}", "timestamp.unit: is of numbers, and stands beside format"),
        ("{column: t, unit: s, zone: UTC}", "timestamp.zone: is of local times, and numbers with a unit count since"),
        ("{column: t, format: '%Y %z', zone: UTC}", "timestamp.zone: stands beside '%Y %z', by which each time names"),
        ("{column: t, unit: s}, unit: ms", "unit: is ms, but timestamp.unit is s; keep one."),
        ("{column: t, format: '%Y'}, unit: ms", "unit: is of numbers, and stands beside format"),
        ("{column: t, zone: UTC}, unit: ms", "timestamp.zone: is of local times"),
        ("{format: '%Y'}", "timestamp.column: is missing; add it."),
        ("{column: t, fromat: '%Y'}", "timestamp.fromat: is not a key here; did you mean format?"),
        ("t, format: '%Y'", "format: is not a key here; it stands below timestamp, as in `timestamp: {column: date, f"),
        ("t, zone: UTC", "zone: is not a key here; it stands below timestamp"),
        ("[t]", "timestamp: ['t'] is neither a column nor a group such as {column: …, format: …}."),
        ("{column: label}", "label: label is the timestamp; name the column to be learned."),
    ],
)
def test_times_that_could_not_be_read_so(problems, said, told):
    """A directive or a zone that is none, and what contradicts itself, with file, line and key."""
    (problem,) = problems(config=CONFIG.replace("timestamp: time", f"timestamp: {said}"))
    assert problem.startswith("config.yaml:3: storage.datasets.flights.")
    assert told in problem


def test_missing_files_are_both_named(tmp_path):
    """A path that is not there is named, for both files at once."""
    with pytest.raises(ConfigurationError) as caught:
        load_configuration(tmp_path / "p.yaml", tmp_path / "c.yaml", experiment_mode=True)
    assert caught.value.problems == tuple(
        f"{tmp_path / name}: there is no such file; check the path." for name in ("p.yaml", "c.yaml")
    )


def test_folder_instead_of_file(tmp_path):
    """A folder where a file belongs is refused with a sentence."""
    with pytest.raises(ConfigurationError, match="cannot be read as a file"):
        load_configuration(tmp_path, tmp_path, experiment_mode=True)


def test_broken_yaml(problems):
    """Broken YAML is told with its line and what to look for."""
    (problem,) = problems("  id: mlp", "  id: [mlp")
    assert problem.startswith("pipeline.yaml:4:")
    assert "is not YAML" in problem
    assert problem.endswith("check indentation and quotes.")


def test_a_format_without_quotes(problems):
    """YAML lets no value begin with `%`; the remedy says so."""
    (problem,) = problems(config=CONFIG.replace("timestamp: time", "timestamp: {column: time, format: %d/%m/%Y}"))
    assert problem.startswith("config.yaml:3:")
    assert problem.endswith("found character '%' that cannot start any token; put that value in quotes.")


def test_file_without_keys(problems):
    """An empty file is told apart from broken YAML."""
    (problem,) = problems(config="")
    assert problem == "config.yaml:1: holds no `key: value` pairs; see docs/configuration.md."


def test_key_given_twice(problems):
    """A repeated key is an error, not a silent choice."""
    (problem,) = problems("  epochs: 2\n", "  epochs: 2\n  epochs: 3\n")
    assert problem == "pipeline.yaml:6: training.epochs: stands here a second time; keep one of the two."


def test_missing_key(problems):
    """A required key that is absent is asked for, at the group it belongs to."""
    (problem,) = problems("  id: mlp\n", "  config: {}\n")
    assert problem == "pipeline.yaml:2: model.id: is missing; add it."


def test_empty_value(problems):
    """A key without a value is told to be filled or removed."""
    (problem,) = problems("  epochs: 2", "  epochs:")
    assert problem == "pipeline.yaml:5: training.epochs: is empty; give a value or remove the key."


def test_an_empty_value_is_no_wish_for_none(problems):
    """A gate with nothing in it must not deploy everything, nor `metrics:` show nothing, as leaving them out would."""
    gate = PIPELINE[PIPELINE.index("    metric: accuracy") : PIPELINE.index("  targets:")]
    told = problems(gate, "", config=CONFIG + "metrics:\n", also={"  epochs: 2": "  gradient_clip_norm:"})
    empty = "is empty; give a value or remove the key."
    assert set(told) == {
        f"pipeline.yaml:5: training.gradient_clip_norm: {empty}",
        f"pipeline.yaml:18: deployment.gate: {empty}",
        "config.yaml:4: metrics: is empty; write `metrics: {}` for its defaults, or remove the key.",
    }


def test_null_is_a_wish_for_none(problems):
    """Who writes it out means what leaving the key out does: only the other mistake is told."""
    (problem,) = problems("  epochs: 2", "  epochs: two\n  gradient_clip_norm: null")
    assert "training.epochs" in problem


def test_wrong_type(problems):
    """A text where a number belongs is quoted, with what is right."""
    (problem,) = problems("  epochs: 2", "  epochs: two")
    assert problem == "pipeline.yaml:5: training.epochs: 'two' is not a whole number of at least 1."


def test_text_instead_of_group(problems):
    """A text where keys belong says how a group is written."""
    (problem,) = problems("data: {dataset: flights}", "data: flights")
    assert problem == "pipeline.yaml:8: data: 'flights' is not a group of keys; write `key: value` lines below it."


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("", "metrics: is empty; write `metrics: {}` for its defaults, or remove the key."),
        (
            "true",
            "metrics: True is not a group of keys; write `key: value` lines below it, or `{}` for its defaults.",
        ),
    ],
)
def test_metrics_that_say_neither_yes_nor_no(problems, given, told):
    """Nobody believes that metrics are served which are not."""
    (problem,) = problems(config=f"{CONFIG}\nmetrics: {given}\n")
    assert problem.partition(": ")[2] == told


def test_unknown_key_gets_a_suggestion(problems):
    """A misspelt key is answered with the key that was probably meant."""
    (problem,) = problems("  batch_size: 64", "  batchsize: 64")
    assert problem == "pipeline.yaml:6: training.batchsize: is not a key here; did you mean batch_size?"


def test_unknown_top_level_key(problems):
    """Unknown keys of the file itself are refused too."""
    (problem,) = problems("initial_mode: replay", "initial_mode: replay\nwhatever: 1")
    assert problem.startswith("pipeline.yaml:13: whatever: is not a key here; known: data, deployment")


def test_unknown_model(problems):
    """An unknown model is answered with the nearest built-in one."""
    (problem,) = problems("  id: mlp", "  id: resnet19")
    assert problem.startswith("pipeline.yaml:3: model.id: 'resnet19' is unknown; did you mean resnet")


def test_model_of_an_untrusted_module(problems):
    """A class to import is refused unless its module is trusted."""
    (problem,) = problems("  id: mlp", '  id: "somewhere.nets:Net"')
    assert problem.startswith("pipeline.yaml:3: model.id: somewhere.nets is not in config.yaml's trusted_modules; add")


def test_unknown_metric(problems):
    """An unknown metric is answered with the nearest one, at its place in the list."""
    (problem,) = problems("metrics: [accuracy]", "metrics: [accuracy, acuracy]")
    assert problem == "pipeline.yaml:14: evaluation.metrics.1: 'acuracy' is unknown; did you mean accuracy?"


def test_metric_that_is_a_list(problems):
    """A list where a metric's name belongs is a mistake like any other."""
    (problem,) = problems("metrics: [accuracy]", "metrics: [[accuracy]]")
    assert problem.startswith("pipeline.yaml:14: evaluation.metrics.0: ['accuracy'] is unknown;")


def test_unknown_metric_option(problems):
    """An option that a metric does not have is answered, at its key, with those it has."""
    (problem,) = problems("metrics: [accuracy]", "metrics: [accuracy, {name: top_k, n: 3}]")
    assert problem == "pipeline.yaml:14: evaluation.metrics.1.n: is not a key here; known: k."


def test_unknown_policy(problems):
    """An unknown trigger policy is told at its own line."""
    (problem,) = problems("  policy: data_amount", "  policy: data_amont")
    assert problem == "pipeline.yaml:10: trigger.policy: 'data_amont' is unknown; did you mean data_amount?"


def test_missing_policy(problems):
    """A trigger without a policy is asked for one."""
    (problem,) = problems("  policy: data_amount\n", "")
    assert problem == "pipeline.yaml:9: trigger.policy: is missing; add it."


@pytest.mark.parametrize("anchor", ["soon", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"])
def test_anchor_that_is_no_time(problems, anchor):
    """A moment that cannot be written in UTC is no time either."""
    (problem,) = problems("  policy: data_amount\n  every: 100", f"  policy: time\n  every: 7d\n  anchor: {anchor}")
    assert problem.startswith(f"pipeline.yaml:12: trigger.anchor: '{anchor}' is not a time; write one such as")


def test_option_of_another_policy(problems):
    """An option that belongs to another policy is not ignored."""
    (problem,) = problems("  every: 100", "  every: 100\n  anchor: 2013-01-01")
    assert problem.startswith("pipeline.yaml:12: trigger.anchor: is not a key here;")


def test_unknown_strategy(problems):
    """An unknown strategy is told with its key path."""
    (problem,) = problems("initial_mode: replay", "strategy: {name: newdata}\ninitial_mode: replay")
    assert problem == "pipeline.yaml:12: strategy.name: 'newdata' is unknown; did you mean new_data?"


@pytest.mark.parametrize("number", ["0", "-5", "1.5", "true"])
def test_rows_between_triggers_must_be_positive(problems, number):
    """Zero, negative, broken and boolean counts are refused."""
    (problem,) = problems("  every: 100", f"  every: {number}")
    value = {"true": "True"}.get(number, number)
    assert problem == f"pipeline.yaml:11: trigger.every: {value} is not a whole number of at least 1."


@pytest.mark.parametrize("key", ["epochs: 2", "batch_size: 64"])
@pytest.mark.parametrize("number", [0, -1])
def test_counts_must_be_positive(problems, key, number):
    """A training needs at least one epoch and one sample in a batch."""
    name = key.split(":")[0]
    (problem,) = problems(f"  {key}", f"  {name}: {number}")
    assert f"training.{name}: {number} is not a whole number of at least 1." in problem


@pytest.mark.parametrize("number", ["0", "-0.5"])
def test_clip_norm_must_be_positive(problems, number):
    """A clipping norm of zero would train nothing."""
    (problem,) = problems("  epochs: 2", f"  gradient_clip_norm: {number}")
    assert problem == f"pipeline.yaml:5: training.gradient_clip_norm: {number} is not a number above zero."


@pytest.mark.parametrize("rate", ["-0.1", "-1"])
def test_a_rate_must_not_be_negative(problems, rate):
    """A negative learning rate climbs; whatever the optimizer, it is refused before anything starts."""
    (problem,) = problems("config: {lr: 0.001}", f"config: {{lr: {rate}}}")
    assert problem == (
        f"pipeline.yaml:7: training.optimizer.config.lr: {rate} is negative; a learning rate is at least 0."
    )


def test_window_without_length(problems):
    """A duration of zero is too short for a window."""
    (problem,) = problems("{last: 7d}", "{last: 0d}")
    assert problem.startswith("pipeline.yaml:16: evaluation.on.0.window: '0d' is too short;")


def test_duration_without_unit(problems):
    """A duration says which unit it is in."""
    (problem,) = problems("{last: 7d}", "{last: 7}")
    assert problem.startswith(
        "pipeline.yaml:16: evaluation.on.0.window: 7 is not a duration; write a number and one of"
    )


def test_split_that_leaves_nothing(problems):
    """Shares that add up to everything leave nothing to train on."""
    (problem,) = problems("{dataset: flights}", "{dataset: flights, split: {test: 0.6, validation: 0.4}}")
    assert problem.startswith("pipeline.yaml:8: data.split.test: test and validation together leave nothing")


def test_negative_share(problems):
    """A share is at least 0 and below 1."""
    (problem,) = problems("{dataset: flights}", "{dataset: flights, split: {test: -0.1}}")
    assert problem == "pipeline.yaml:8: data.split.test: -0.1 is not a number of at least 0 and below 1."


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("epochs", "1" + "0" * 30, "is too large; at most 9223372036854775807 can be used."),
        ("epochs", "1e400", "inf is not a whole number"),
        ("epochs", "010", "'010' is not a whole number"),
        ("epochs", "1:30", "'1:30' is not a whole number"),
        ("threads", "100000", "is too large; at most 1024 can be used."),
        ("optimizer", "{name: SGD, config: {lr: .nan}}", "config.lr: nan is not a finite number."),
        ("optimizer", "{name: SGD, config: {lr: 1e400}}", "config.lr: inf is not a finite number."),
        ("optimizer", "{name: SGD, config: {a: {b: [0, -.inf]}}}", "config.a.b.1: -inf is not a finite number."),
        ("optimizer", f"{{name: SGD, config: {{lr: {'9' * 30}}}}}", "config.lr: 9999"),
    ],
)
def test_numbers_that_nothing_can_use(problems, key, value, told):
    """Huge, infinite and octal-looking numbers are refused at their key."""
    (problem,) = problems(
        "  epochs: 2\n  batch_size: 64\n  optimizer: {name: Adam, config: {lr: 0.001}}", f"  {key}: {value}"
    )
    assert problem.startswith(f"pipeline.yaml:5: training.{key}")
    assert told in problem


def test_window_longer_than_time(problems):
    """A duration that no two moments can be apart is refused before it overflows."""
    (problem,) = problems("{last: 7d}", "{last: 99999999999999d}")
    assert "'99999999999999d' is too long; at most 3660000d can be used." in problem


def test_long_values_are_cut(problems):
    """A sentence stays a sentence, however long the wrong value."""
    (problem,) = problems("  epochs: 2", f"  epochs: {'x' * 5000}")
    assert len(problem) < 200
    (problem,) = problems("  epochs: 2", f"  epochs: -0x{'f' * 5000}")
    assert "a number of thousands of digits is not a whole number" in problem


def test_anchors_that_hold_themselves(problems):
    """A list inside itself has no end, and is told as such."""
    (problem,) = problems("  epochs: 2", "  epochs: &a [*a]")
    assert "holds an anchor inside itself" in problem


def test_anchors_that_multiply(problems):
    """A few lines that unfold to millions of values are refused, not unfolded."""
    lines = [
        "a: &a [1]",
        *(f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
    ]
    (problem,) = problems("pipeline: {name: flights}", "\n".join(["pipeline: {name: flights}", *lines]))
    assert "holds more than 100000 values" in problem


@pytest.mark.parametrize("tag", ["!mine", "!!binary", "!!python/object:os.system"])
def test_tags(problems, tag):
    """A tag is not silently left out."""
    (problem,) = problems("  id: mlp", f"  id: {tag} mlp")
    assert problem == f"pipeline.yaml:3: model.id: has the tag {tag}, which means nothing here; remove it."


@pytest.mark.parametrize("key", [*VALUES, "strategy", "logging"])
@pytest.mark.parametrize("value", [[], 0, "x", [None], True])
def test_groups_that_are_none(problems, key, value):
    """Null, lists, numbers and texts where a group belongs are sentences with a remedy."""
    (problem,) = problems(PIPELINE, yaml.safe_dump({**VALUES, key: value}))
    assert f": {key}: " in problem


def test_suggestions_name_keys_as_the_file_does(problems):
    """What is suggested is what can be written."""
    (problem,) = problems(config=CONFIG + "leas: 5s")
    assert problem == "config.yaml:4: leas: is not a key here; did you mean lease?"


def test_mistakes_come_in_the_order_of_the_file(problems):
    """Lines are told from top to bottom."""
    found = problems("pipeline: {name: flights}", "pipeline: {name: flights}\nz: 1\na: 1\nm: 1\nb: 1")
    assert [problem.split(":")[1] for problem in found] == ["2", "3", "4", "5"]


@pytest.mark.parametrize("name", ["../up", "a/b", ".hidden", "größe", "", "x" * 101])
def test_datasets_are_named_like_files(problems, name):
    """A dataset's manifest is called after it."""
    found = problems(config=f"storage: {{datasets: {{flights: {{uri: a}}, '{name}': {{uri: b}}}}}}")
    assert "cannot name a folder" in found[0]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("features: [x, label]", "features: label is the label; a model must not see it."),
        ("features: [x, x]", "features.1: x stands here twice; keep one."),
        ("features: []", "features: [] leaves nothing to learn from; name columns, or time_features."),
        ("time_features: []", "time_features: [] is not a list with at least one entry."),
        (
            "time_features: hour",
            "time_features: 'hour' is not a list with at least one entry; write [hour], or lines that begin with `-`.",
        ),
        ("time_features: [hours]", "time_features.0: 'hours' is unknown; did you mean hour?"),
        ("time_features: [hour, month, hour]", "time_features.2: hour stands here twice; keep one."),
        ("text: x, time_features: [hour]", "time_features: is for tables; a model of `text` has no place for it."),
        (
            "image: {column: x, shape: [1, 2, 2]}, time_features: [hour]",
            "time_features: is for tables; a model of `image` has no place for it.",
        ),
        ("text: label", "text: label is the label; a model must not see it."),
        ("image: {column: label, shape: [1, 2, 2]}", "image: label is the label; a model must not see it."),
        ("label: timestamp", "label: timestamp is the timestamp; name the column to be learned."),
        ("classes: [no, yes, no]", "classes.2: 'no' stands here twice; keep one."),
        ("classes: [no, true]", "classes.1: True is not a text; a class that is called so stands in quotes."),
        ("classes: [0, yes]", "classes.0: 0 is not a text; a class that is called so stands in quotes."),
        ("classes: []", "classes: [] is not a list with at least one entry."),
        (
            "classes: yes",
            "classes: 'yes' is not a list with at least one entry; write [yes], or lines that begin with `-`.",
        ),
    ],
)
def test_columns_and_classes_that_are_not_one_thing_each(problems, given, told):
    """A model must not see its label; columns and classes stand once."""
    (problem,) = problems(config=f"storage:\n  datasets:\n    flights: {{uri: a, {given}}}\n")
    assert problem == f"config.yaml:3: storage.datasets.flights.{told}"


def test_more_classes_than_the_model_has(problems):
    """Told with both files; one output tells two apart."""
    config = CONFIG.replace("timestamp: time", "timestamp: time, classes: [no, yes, perhaps]")
    for known in (1, 2):
        (problem,) = problems("  id: mlp", f"  id: mlp\n  config: {{num_classes: {known}}}", config=config)
        told = f"is {known}, but `classes` of dataset flights in config.yaml names 3; write 3, or name fewer there."
        assert problem == f"pipeline.yaml:4: model.config.num_classes: {told}"


def test_classes_that_are_no_list_are_told_alone(problems):
    """What they mean for the model cannot be said."""
    for wrong in ("{a: 1, b: 2, c: 3}", "nono", "3"):
        config = CONFIG.replace("timestamp: time", f"timestamp: time, classes: {wrong}")
        told = problems("  id: mlp", "  id: mlp\n  config: {num_classes: 2}", config=config)
        assert all(one.startswith("config.yaml:") for one in told), told


@pytest.mark.parametrize("target", ["file:journal.jsonl", "file:..", "file:workers.log", "file:a/b.log", "file:", "x"])
def test_logs_go_to_files_of_their_own(problems, target):
    """Log lines must not land in a file that the run writes."""
    (problem,) = problems("initial_mode: replay", f"initial_mode: replay\nlogging: {{to: ['{target}']}}")
    assert problem.startswith("pipeline.yaml:13: logging.to.0: ")


def test_lines_go_to_a_place_once(problems):
    """Each would stand there twice."""
    (problem,) = problems("initial_mode: replay", "initial_mode: replay\nlogging: {to: ['file:a.log', 'file:a.log']}")
    assert problem == "pipeline.yaml:13: logging.to.1: file:a.log stands here twice; keep one."


def test_a_path_below_a_file(tmp_path):
    """A path that goes through a file, or is too long, is refused with a sentence."""
    (tmp_path / "p.yaml").write_text(PIPELINE)
    for path in (tmp_path / "p.yaml/q.yaml", tmp_path / ("x" * 300)):
        with pytest.raises(ConfigurationError, match="cannot be read as a file"):
            load_configuration(path, path, experiment_mode=True)


def test_number_beyond_floats(problems):
    """A number with hundreds of digits is refused, not a crash."""
    (problem,) = problems("at_least: 0.5", f"at_least: 1{'0' * 400}")
    assert problem.startswith("pipeline.yaml:21: deployment.gate.at_least: 1000")
    assert problem.endswith("is not a number.")


@pytest.mark.parametrize("mode", ["ignore", "train_on_everything"])
def test_experiment_needs_replay(problems, mode):
    """An experiment replays the dataset; any other initial mode is refused with the line to write."""
    (problem,) = problems("initial_mode: replay", f"initial_mode: {mode}")
    assert problem == (
        f"pipeline.yaml:12: initial_mode: {mode} cannot be used with --experiment-mode; write `initial_mode: replay`."
    )


@pytest.mark.parametrize("window", ["until_next_trigger", "{every: 7d}"])
def test_gate_on_a_window_beyond_the_watermark(problems, window):
    """A gate judges only on rows that are there when the model is."""
    (problem,) = problems("{last: 7d}", window)
    assert problem == (
        "pipeline.yaml:20: deployment.gate.on: recent does not end at the watermark; "
        "a gate needs a window such as {last: 7d}."
    )


def test_gate_on_no_window(problems):
    """A gate's window is one of evaluation.on."""
    (problem,) = problems("    on: recent", "    on: recnt")
    assert problem == "pipeline.yaml:20: deployment.gate.on: recnt is no window of evaluation.on; did you mean recent?"


def test_gate_on_a_metric_that_is_not_measured(problems):
    """A gate's metric is one of evaluation.metrics."""
    (problem,) = problems("    metric: accuracy", "    metric: auroc")
    assert problem.startswith("pipeline.yaml:19: deployment.gate.metric: auroc is not in evaluation.metrics, which has")
    assert "accuracy" in problem


@pytest.mark.parametrize(
    ("metric", "bound", "sentence"),
    [
        ("accuracy", "70", "70 is reached by no model, as accuracy is at most 1; write a share, such as 0.7."),
        ("log_loss", "-0.5", "-0.5 is reached by no model, as log_loss is at least 0; write the largest log_loss that"),
    ],
)
def test_gate_that_no_model_passes(problems, metric, bound, sentence):
    """Percents for a share, or the sign turned round: a run would end with nothing deployed."""
    gate = PIPELINE[PIPELINE.index("    metric: accuracy") : PIPELINE.index("  targets:")]
    asked = f"    metric: {metric}\n    on: recent\n    at_least: {bound}\n"
    (problem,) = problems(gate, asked, also={"metrics: [accuracy]": f"metrics: [{metric}]"})
    assert problem.startswith(f"pipeline.yaml:21: deployment.gate.at_least: {sentence}")


def test_gate_that_asks_nothing(problems):
    """A gate without a bound would let everything pass."""
    (problem,) = problems("    at_least: 0.5\n", "")
    assert "the gate asks nothing; add at_least or not_worse_by." in problem


def test_dataset_that_is_not_configured(problems):
    """The pipeline's dataset is one of config.yaml's."""
    (problem,) = problems("{dataset: flights}", "{dataset: fligths}")
    assert problem == "pipeline.yaml:8: data.dataset: fligths is not in storage.datasets; did you mean flights?"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("host/hook", "is no web address; write http://HOST"),
        ("ftp://host/hook", "is no web address"),
        ("http://:80/", "is no web address"),
        ("http://host:99999/", "is no web address"),
        ("http://host:abc/", "is no web address"),
        ("http://[::1/", "is no web address"),
        ("http://ho st/", "is no web address"),
        ("https://host/für", "is no web address"),
        ("https://me:s3cret@host/", "names a user, whom nobody tells the receiver"),
    ],
)
def test_alerts_that_could_never_be_posted(problems, url, told):
    """What is wrong with the address alone is told at once, not when something has failed."""
    (problem,) = problems(config=f"{CONFIG}alerts: [{{url: '{url}'}}]\n")
    assert problem.startswith("config.yaml:4: alerts.0.url: ")
    assert told in problem
    assert "s3cret" not in problem


def test_broker_of_an_unknown_kind(problems):
    """A broker URL of another scheme is refused without showing its password."""
    (problem,) = problems(config=f"broker: {{url: 'amqp://me:s3cret@host'}}\n{CONFIG}")
    assert problem.startswith("config.yaml:1: broker.url: 'amqp' is no broker; write embedded")
    assert "s3cret" not in problem


def test_secret_that_the_environment_lacks(problems):
    """A secret that is not exported is asked for by name."""
    (problem,) = problems(config=f"broker: {{url: 'redis://:${{NO_SUCH_SECRET}}@host'}}\n{CONFIG}")
    assert problem == "config.yaml:1: broker.url: the environment has no NO_SUCH_SECRET; export it first."


def test_name_in_the_pipeline_that_the_environment_lacks(problems):
    """`${NAME}` means the same in both files: one that is not set is named, and no folder is called after it."""
    (problem,) = problems("{name: flights}", "{name: flights, description: 'by ${NOBODY_SET_THIS}'}")
    assert problem.startswith("pipeline.yaml:1: pipeline.description: the environment has no NOBODY_SET_THIS; export")


def test_experiment_without_an_initial_mode(problems):
    """A key that is not in the file is not blamed: what it means when it is left out is said, and what to write."""
    (problem,) = problems("initial_mode: replay\n", "")
    assert problem == (
        "pipeline.yaml:1: initial_mode: is not written, and then is ignore, which cannot be used with "
        "--experiment-mode; write `initial_mode: replay`."
    )


def test_forecasts_that_an_experiment_could_not_repeat(problems):
    """What trainings take differs from run to run: an experiment is told, or says that it need not be repeatable."""
    forecasting = "trigger:\n  policy: cost\n  per_training_second: 5\n"
    (problem,) = problems(also={"trigger:\n  policy: data_amount\n": forecasting})
    assert problem == (
        "pipeline.yaml:9: trigger.seconds_per_sample: is missing, and what is measured differs from run to run with "
        "--experiment-mode; write it, or `measured: true` if that is meant."
    )
    budget = "trigger:\n  budget: {gpu_hours: 2, per: 30d}\n  policy: data_amount\n"
    (problem,) = problems(also={"trigger:\n  policy: data_amount\n": budget})
    assert problem.startswith("pipeline.yaml:10: trigger.budget.seconds_per_sample: is missing, and what is measured")


def test_files_in_the_wrong_order(tmp_path):
    """Two files in the wrong order are one mistake, told with the right order."""
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    (tmp_path / "config.yaml").write_text(CONFIG)
    with pytest.raises(ConfigurationError) as caught:
        load_configuration(tmp_path / "config.yaml", tmp_path / "pipeline.yaml", experiment_mode=True)
    (problem,) = caught.value.problems
    assert "are pipeline and config swapped?" in problem
    assert "PIPELINE CONFIG" in problem


def test_a_pipeline_in_the_place_of_config(tmp_path):
    """Commands that want config.yaml alone say so once, not once for each key; one key of its own makes it one."""
    path = tmp_path / "pipeline.yaml"
    path.write_text(PIPELINE)
    with pytest.raises(ConfigurationError) as caught:
        load_system(path)
    (problem,) = caught.value.problems
    assert problem.startswith(
        "pipeline.yaml says what to learn, and this command wants the file that says on what system"
    )
    path.write_text(f"{PIPELINE}\n{CONFIG}")
    with pytest.raises(ConfigurationError, match="model: is not a key here"):
        load_system(path)


def test_no_suggestion_where_several_are_as_near(problems):
    """Of several words that are as near none is suggested: all are listed."""
    (problem,) = problems(
        "{dataset: flights}", "{dataset: x3}", config="storage: {datasets: {x31: {uri: a}, x32: {uri: b}}}\n"
    )
    assert problem == "pipeline.yaml:8: data.dataset: x3 is not in storage.datasets; known: x31, x32."


def test_what_one_value_means_for_another_is_told_beside_other_mistakes(problems):
    """Dataset, gate metric and gate window are looked at although their neighbours have mistakes, too."""
    told = problems(
        "epochs: 2\n",
        "epochs: x\n",
        config="storage: {datasets: {flihgts: {uri: a, lable: y}}}\nfleet: {train: x}\n",
        also={
            "metrics: [accuracy]": "metrics: [accuracy]\n  device: gpu",
            "metric: accuracy": "metric: acuracy",
            "on: recent": "on: recnt",
            "at_least: 0.5": "at_least: x",
        },
    )
    assert [one.split(": ")[1] for one in told] == [
        "training.epochs",
        "evaluation.device",
        "deployment.gate.at_least",
        "storage.datasets.flihgts.lable",
        "fleet.train",
        "data.dataset",
        "deployment.gate.metric",
        "deployment.gate.on",
    ]


def test_a_name_that_is_not_set_hides_no_other_mistake(problems):
    """What it stands in is not complained of a second time; all else is told in the same round."""
    told = problems(
        "  epochs: 2\n",
        "  epochs: '${NOBODY_SET_THIS}'\n  epocks: 3\n",
        config="fleet: {trian: 1, device: 'c${NOBODY_SET_THIS}'}\n" + CONFIG.replace("flights:", "fligths:"),
    )
    assert [one.split(": ")[1] for one in told] == [
        "training.epochs",
        "fleet.device",
        "training.epocks",
        "fleet.trian",
        "data.dataset",
    ]


def test_all_mistakes_at_once(problems):
    """All mistakes of both files are told in one go."""
    found = problems(
        "  epochs: 2\n  batch_size: 64", "  epochs: 0\n  batchsize: 64", config=CONFIG + "fleet: {train: -1}"
    )
    assert sorted(problem.split(": ")[1] for problem in found) == [
        "fleet.train", "training.batchsize", "training.epochs",
    ]  # fmt: skip


def test_mistakes_of_every_kind_are_told_at_once(problems):
    """A mistake in one group hides neither another in it nor what does not fit across groups and files."""
    told = problems("  epochs: 2\n", "  epocks: 2\n  workers: x\n", config=CONFIG.replace("flights:", "fligths:"))
    assert [one.split(": ")[1] for one in told] == ["training.epocks", "training.workers", "data.dataset"]


def test_every_option_of_a_strategy_that_is_wrong_is_told(problems):
    """Its own, and those that any has."""
    told = problems("initial_mode: replay", "strategy: {name: new_data, warm_up: x, tial: 3}\ninitial_mode: replay")
    assert [one.split(": ")[1] for one in told] == ["strategy.warm_up", "strategy.tial"]


def test_a_gate_that_no_model_can_pass(problems):
    """Test rows are asked for, and none are kept."""
    (problem,) = problems("{last: 7d}}", "{last: 7d}, split: test}")
    assert "recent looks at test rows, and there are none: data.split.test is 0" in problem


def test_two_targets_of_one_name(problems):
    """Targets are told apart by their names, which come from their uris unless they are given."""
    targets = "[{kind: directory, uri: a/x}, {kind: directory, uri: b/x}]"
    (problem,) = problems("targets: [{kind: directory, uri: deployed}]", f"targets: {targets}")
    sentence = "x is the name of two targets; give one of them another with `name:`."
    assert problem == f"pipeline.yaml:22: deployment.targets.1.name: {sentence}"


def test_two_targets_in_one_place(problems):
    """However they are called, and however the place is written: it would be decided on twice."""
    targets = "[{kind: directory, uri: a/x}, {kind: directory, name: y, uri: ./a/x/}]"
    (problem,) = problems("targets: [{kind: directory, uri: deployed}]", f"targets: {targets}")
    assert problem == (
        "pipeline.yaml:22: deployment.targets.1.uri: ./a/x/ is the place of two targets; keep one of them."
    )


def test_a_target_without_a_name(problems):
    """A uri that ends in nothing that could be a name wants one beside it."""
    (problem,) = problems("uri: deployed", "uri: ..")
    assert problem == (
        "pipeline.yaml:22: deployment.targets.0.name: .. ends in nothing that could be a name; write `name:`."
    )


@pytest.mark.parametrize("uri", ["s3://bucket/models", "memory://models"])
def test_a_directory_is_local(problems, uri):
    """No other URI is taken for a path, below which a model would be deployed to nobody knows where."""
    (problem,) = problems("uri: deployed", f"uri: '{uri}'")
    scheme = uri.split("://")[0]
    assert problem == (
        f"pipeline.yaml:22: deployment.targets.0.uri: {scheme}:// is not available yet; available: a local folder."
    )


@pytest.mark.parametrize("uri", ["s3://bucket/runs", "file://"])
def test_artifacts_are_local(problems, uri):
    """Neither is one of the place of run directories, and a URI that names no place is none."""
    (problem,) = problems(config=f"{CONFIG}artifacts: {{uri: '{uri}'}}\n")
    assert problem.startswith("config.yaml:4: artifacts.uri: ")
