"""What pipeline.yaml may say: every key with its type, default and meaning (docs/configuration.md is made of this)."""

from __future__ import annotations

from shared.config import fields as f
from shared.config.schema.data import Data
from shared.config.schema.deployment import Deployment
from shared.config.schema.evaluation import Evaluation
from shared.config.schema.logging import Logging
from shared.config.schema.model import Model
from shared.config.schema.strategy import StrategyBlock
from shared.config.schema.training import Training
from shared.config.schema.trigger import TriggerBlock


class Identity(f.Group):
    """`pipeline:`."""

    name = f.Name("the pipeline's name; run directories are called after it", required=True)
    version = f.Whole("your own count of its versions", least=0, load_default=1)
    description = f.Text("what it is for", may_be_empty=True, load_default="")


class PipelineSchema(f.Group):
    """All of pipeline.yaml."""

    pipeline = f.Sub(Identity, "who this pipeline is", required=True)
    model = f.Sub(Model, "what is trained", required=True)
    training = f.Sub(Training, "how one training goes", load_default=lambda: Training().load({}))
    data = f.Sub(Data, "which dataset", required=True)
    trigger = TriggerBlock("when to retrain", required=True)
    strategy = StrategyBlock(
        "on what to train",
        load_default=lambda: StrategyBlock("").deserialize({"name": "new_data"}),
    )
    initial_mode = f.Choice(
        "what is done with rows that exist already", "ignore", "train_on_everything", "replay", load_default="ignore"
    )
    evaluation = f.Sub(Evaluation, "what is measured, where", load_default=lambda: Evaluation().load({}))
    deployment = f.Sub(Deployment, "when and where a model goes out", load_default=None)
    logging = f.Sub(Logging, "what is written where", load_default=lambda: Logging().load({}))
