"""The models: shapes, where they come from, and how they start."""

from __future__ import annotations

import sys
import types

import msgspec
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from shared.config.pipeline import Model
from workers.construction import FindingsError
from workers.features.image import ImagePixels
from workers.features.inputs import InputSpec
from workers.features.table import TableColumns
from workers.features.text import TextBytes
from workers.models.build import MODELS, build_model
from workers.models.text_bag import TextBag, frame


def build(id, kind="table", shape=(4,), trusted=(), **config):
    spec = Model(id=id, framework="pytorch", config=config, pretrained_uri=None)
    return build_model(spec, InputSpec(kind=kind, shape=shape), trusted)


@pytest.mark.parametrize(
    ("stored", "kind"),
    [
        (b'{"categories":{"origin":["EWR"]},"columns":["origin"],"type":"table"}', TableColumns),
        (
            b'{"categories":{},"columns":[],"times":{"column":"time","features":["hour","month"],'
            b'"written":{"unit":"ms"}},"type":"table"}',
            TableColumns,
        ),
        (b'{"column":"picture","shape":[1,2,2],"type":"image"}', ImagePixels),
        (b'{"column":"name","max_chars":8,"type":"text"}', TextBytes),
    ],
)
def test_features_of_older_model_files_are_read_and_written_alike(stored, kind):
    """What was added since stands in a file only where it says something."""
    description = msgspec.json.decode(stored, type=TableColumns | ImagePixels | TextBytes)
    assert type(description) is kind
    assert description.nulls == "impute"
    assert msgspec.json.encode(description, order="sorted") == stored


@pytest.fixture
def my_models():
    """A module of the user's own, importable while the test runs."""
    module = types.ModuleType("my_models")

    class Wide(nn.Module):
        def __init__(self, in_features, factor=1):
            super().__init__()
            self.linear = nn.Linear(in_features, factor)

    class Shaped(nn.Module):
        def __init__(self, input_shape):
            super().__init__()
            self.shape = input_shape

    module.Wide, module.Shaped, module.number, module.make_list = Wide, Shaped, 3, lambda: []
    sys.modules["my_models"] = module
    yield
    del sys.modules["my_models"]


@pytest.mark.parametrize("id", ["small_cnn", "resnet18", "resnet50", "logistic", "mlp"])
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 9, 7)])
def test_image_models_take_any_channels_and_size(id, shape):
    """One row of outputs for each image."""
    network = build(id, "image", shape, num_classes=5).eval()
    assert network(torch.rand(2, *shape)).shape == (2, 5)


def test_large_images_are_halved_before_the_blocks():
    """A residual network on 64 pixels and more starts with the stem of the paper's table 1."""
    network = build("resnet18", "image", (3, 64, 64), num_classes=2).eval()
    assert network.stem(torch.rand(1, 3, 64, 64)).shape == (1, 64, 16, 16)


@pytest.mark.parametrize(("id", "millions"), [("resnet18", 11.7), ("resnet50", 25.6)])
def test_residual_networks_have_the_papers_size(id, millions):
    """Parameters for 1000 classes, as published."""
    network = build(id, "image", (3, 224, 224), num_classes=1000)
    assert sum(parameter.numel() for parameter in network.parameters()) / 1e6 == pytest.approx(millions, abs=0.05)


def test_initialisation_follows_torchs_seed():
    """The same seed gives the same weights, another seed others."""

    def weights(seed):
        torch.manual_seed(seed)
        return build("mlp", num_classes=2).layers[0].weight

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


@pytest.mark.parametrize(("kind", "shape"), [("table", (4,)), ("image", (1, 3, 3))])
def test_a_logistic_model_starts_from_zeros(kind, shape):
    """Whatever the seed: before it has learned it prefers no class, and so is never worse than chance."""
    torch.manual_seed(1)
    assert not build("logistic", kind, shape, num_classes=3)(torch.rand(2, *shape)).any()


def test_every_model_says_what_it_reads():
    """Each built-in model refuses inputs of another kind."""
    for id, built_in in MODELS.items():
        for kind in {"table", "image", "text"} - {*built_in.reads}:
            with pytest.raises(FindingsError, match="cannot read"):
                build(id, kind, (3, 8, 8), num_classes=2)


def test_mlp_is_as_deep_as_it_is_told():
    """Hidden widths, activation and dropout are what the file says."""
    layers = build("mlp", num_classes=2, hidden=[8, 6], activation="tanh", dropout=0.5).layers
    assert [type(layer).__name__ for layer in layers] == [
        "Linear",
        "Tanh",
        "Dropout",
        "Linear",
        "Tanh",
        "Dropout",
        "Linear",
    ]
    assert [layer.out_features for layer in layers if isinstance(layer, nn.Linear)] == [8, 6, 2]


def text(*words, length=8):
    return torch.tensor([list(word.encode().ljust(length, b"\0")) for word in words], dtype=torch.uint8)


def test_texts_are_framed_by_start_and_end():
    """An n-gram knows whether it begins or ends the text."""
    assert frame(text("ab", "", "abcdefgh").long())[:, :4].tolist() == [[1, 97, 98, 2], [1, 2, 0, 0], [1, 97, 98, 99]]
    assert frame(text("abcdefgh").long())[0, -1] == 2


@given(st.text(alphabet="abcdé", max_size=6), st.integers(1, 20))
def test_padding_does_not_change_the_answer(word, padding):
    """The same text in a longer row gives the same output."""
    network = TextBag(num_classes=2, ngrams=[1, 3], buckets=64, max_chars=40).eval()
    size = max(len(word.encode()), 1)
    short, long = text(word, length=size), text(word, length=size + padding)
    assert torch.allclose(network(short), network(long), atol=1e-6)


def test_order_of_letters_matters_from_bigrams_on():
    """`ab` and `ba` have the same letters and other pairs."""
    pairs, letters = (TextBag(num_classes=2, ngrams=[n]).eval() for n in (2, 1))
    assert not torch.allclose(pairs(text("ab")), pairs(text("ba")))
    assert torch.allclose(letters(text("ab")), letters(text("ba")))


def test_hashes_spread_over_the_buckets():
    """A thousand different trigrams fill most of a thousand buckets as chance would: about 63 in 100."""
    network = TextBag(num_classes=2, ngrams=[3], buckets=1000)
    words = [bytes([97 + i // 100, 97 + i // 10 % 10, 97 + i % 10]).decode() for i in range(1000)]
    buckets = network.hashed(text(*words, length=3).long(), 3)
    assert 550 < len(buckets.unique()) < 750


@pytest.mark.usefixtures("my_models")
def test_a_trusted_class_gets_the_inputs_it_declares():
    """`in_features` is the width, `input_shape` the shape; other arguments come from the file."""
    wide = build("my_models:Wide", "image", (1, 2, 3), trusted=["my_models"], factor=2)
    shaped = build("my_models:Shaped", "image", (1, 2, 3), trusted=["my_models"])
    assert (wide.linear.in_features, wide.linear.out_features) == (6, 2)
    assert shaped.shape == (1, 2, 3)


@pytest.mark.usefixtures("my_models")
@pytest.mark.parametrize(
    ("id", "trusted", "sentence"),
    [
        ("my_models:Wide", (), "not trusted"),
        ("my_models:Wide", ("my_model",), "not trusted"),
        ("my_models:Wid", ("my_models",), r"my_models has no class or function Wid; did you mean Wide\?"),
        ("my_models:number", ("my_models",), "no class or function number"),
        ("my_models:make_list", ("my_models",), "not a torch.nn.Module"),
        ("absent_models:Wide", ("absent_models",), "cannot be imported.*Have Python find absent_models"),
    ],
)
def test_a_class_that_cannot_be_had_is_a_finding(id, trusted, sentence):
    """Untrusted, absent or no model at all: one sentence at model.id."""
    with pytest.raises(FindingsError, match=sentence) as caught:
        build(id, trusted=trusted)
    assert caught.value.findings[0].path == "model.id"


@pytest.mark.usefixtures("my_models")
def test_an_argument_of_ones_own_class_is_checked_too():
    """A wrong argument is found by name."""
    with pytest.raises(FindingsError, match="did you mean factor"):
        build("my_models:Wide", trusted=["my_models"], facter=2)
