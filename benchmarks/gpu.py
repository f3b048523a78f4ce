"""Trainings and evaluations of the product, claim to report, beside plain loops whose rows lie on the device.

    python -m benchmarks.gpu                     about three minutes on one GPU
    python -m benchmarks.gpu --device cpu --quick     the same steps, small, to see that they work

Every task goes through workers.process.perform, in this process: claimed in a real Redis, rows read from Parquet, model
written to disk, result reported. The plain loop is what one would write for one training: rows in the device's memory
from the start, nothing fixed that would make two trainings equal. Both are warm; figures are medians.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
import yaml

REPEATS = 3


@dataclasses.dataclass(frozen=True)
class Scenario:
    """What is trained, and on how much. `epochs` make a plain training of three seconds or more on an H100."""

    name: str
    model: dict[str, Any]
    rows: int
    epochs: int
    batch_size: int
    precision: str = "fp32"
    columns: int = 0  # of a table; 0: images of 28 × 28
    scored: int = 1  # times as many rows are scored as trained on

    def smaller(self) -> Scenario:
        """To see that it works."""
        return dataclasses.replace(self, rows=self.rows // 100, epochs=2)

    @property
    def all_rows(self) -> int:
        """Of the dataset."""
        return self.rows * self.scored


SCENARIOS = (
    Scenario("resnet18 bf16", {"id": "resnet18", "config": {"num_classes": 10}}, 30_000, 3, 256, "bf16", scored=5),
    Scenario("small_cnn", {"id": "small_cnn", "config": {"num_classes": 10}}, 30_000, 6, 128, scored=5),
    Scenario(
        "mlp, batch 128", {"id": "mlp", "config": {"num_classes": 7, "hidden": [128, 64]}}, 40_000, 6, 128, columns=54
    ),
    Scenario(
        "mlp, batch 4096",
        {"id": "mlp", "config": {"num_classes": 7, "hidden": [128, 64]}},
        200_000,
        40,
        4096,
        columns=54,
    ),
)


def table(scenario: Scenario) -> pa.Table:
    """Random rows with labels that can be learned."""
    random = np.random.default_rng(0)
    classes = scenario.model["config"]["num_classes"]
    label = random.integers(0, classes, scenario.all_rows)
    moments = pa.array(np.arange(scenario.all_rows) * 1_000_000, pa.timestamp("us", tz="UTC"))
    columns: dict[str, Any] = {"timestamp": moments, "label": label}
    if scenario.columns:
        numbers = random.normal(size=(scenario.all_rows, scenario.columns)).astype(np.float32)
        numbers[:, 0] += label
        columns |= {f"x{n}": numbers[:, n] for n in range(scenario.columns)}
    else:
        pixels = (
            random.integers(0, 200, (scenario.all_rows, 784)).astype(np.uint8) + (label * 5).astype(np.uint8)[:, None]
        )
        columns["image"] = pa.array([one.tobytes() for one in pixels], pa.binary())
    return pa.table(columns)


class Product:
    """One worker's child, in this process, and the run it works for."""

    def __init__(self, scenario: Scenario, folder: Path, device: str) -> None:
        (folder / "data").mkdir(parents=True)
        pq.write_table(table(scenario), folder / "data" / "rows.parquet")
        pipeline = {
            "pipeline": {"name": "gpu"},
            "model": scenario.model,
            "training": {
                "device": device,
                "epochs": scenario.epochs,
                "batch_size": scenario.batch_size,
                "precision": scenario.precision,
                "use_previous_model": False,
            },
            "data": {"dataset": "rows"},
            "trigger": {"policy": "data_amount", "every": scenario.rows},
            "initial_mode": "replay",
            "evaluation": {"device": device},
        }
        image = {} if scenario.columns else {"image": {"column": "image", "shape": [1, 28, 28]}}
        config = {"storage": {"datasets": {"rows": {"uri": "data/*.parquet", **image}}}}
        (folder / "pipeline.yaml").write_text(yaml.safe_dump(pipeline))
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
        self._begin(folder)
        self.rows, self.all_rows = scenario.rows, scenario.all_rows

    def _begin(self, folder: Path) -> None:
        from shared.config.load import load_configuration  # noqa: PLC0415 - after the environment is set
        from shared.dataset.discovery import discover  # noqa: PLC0415
        from shared.ids import RunId  # noqa: PLC0415
        from supervisor.system.setup import setup_record, write_setup  # noqa: PLC0415
        from workers.process.child import Child  # noqa: PLC0415
        from workers.process.perform import Performer  # noqa: PLC0415
        from workers.process.settings import WorkerSettings  # noqa: PLC0415

        files = (folder / "pipeline.yaml", folder / "config.yaml")
        configuration = load_configuration(*files, experiment_mode=True)
        discover(configuration.system.datasets["rows"], configuration.system.artifacts_root)
        self.run = RunId(f"gpu-{time.time_ns()}")
        root = configuration.system.artifacts_root
        self.record = setup_record(configuration, self.run, str(folder / "run"), root, serves=False)
        self.performer = Performer(Child(WorkerSettings.of()))
        self.client = self.performer.child.client
        write_setup(self.client, self.record)
        self.trigger = 0

    def perform(self, kind: str, **facts: Any) -> tuple[float, dict[str, Any]]:
        """Have a task done; the seconds from claim to report, and the report."""
        from shared.ids import TriggerId, task_id  # noqa: PLC0415
        from shared.names import reports_key  # noqa: PLC0415

        who = {"run_id": self.run, "trigger_id": self.trigger, "setup_version": self.record.version, "attempt": 1}
        began_s = time.perf_counter()
        self.performer.perform(
            task_id(self.run, TriggerId(self.trigger), kind), {"task": kind, "version": 1, **who, **facts}, []
        )
        took_s = time.perf_counter() - began_s
        (_, fields), *_ = self.client.xrevrange(reports_key(self.run), count=1)
        report = msgspec.json.decode(fields["report"])
        assert report["report"] != "failed", report["sentence"] + report["traceback"]
        return took_s, report

    def select(self) -> dict[str, Any]:
        """The training set: all rows."""
        return self.perform(
            "select",
            first_key=0,
            previous=[],
            labelled_key=self.rows - 1,
            trigger_key=self.rows - 1,
            trigger_timestamp_us=0,
            first_labelled_key=self.rows - 1,
        )[1]["training_set"]

    def _forget_claims(self) -> None:
        """What is done again must not be answered with what was done before."""
        from shared.ids import TaskId  # noqa: PLC0415
        from shared.names import claim_key  # noqa: PLC0415

        self.client.delete(*self.client.scan_iter(claim_key(TaskId("*"))))

    def train(self, training_set: dict[str, Any]) -> tuple[float, dict[str, Any]]:
        """One more training of the same rows; the seconds, and the report. Its trigger's seed is the first one's."""
        self._forget_claims()
        facts = {"member": 0, "training_set": training_set, "trigger_key": self.rows - 1, "previous_model": None}
        return self.perform("train", **facts)

    def evaluate(self, member: dict[str, Any], device: str, models: int) -> float:
        """So many models on all rows; the seconds."""
        self._forget_claims()
        stretch = {"window": "next", "slice": "", "first_key": 0, "last_key": self.all_rows - 1}
        refs = [{"trigger_id": number, "object": member} for number in range(models)]
        stretches = [{**stretch, "after_us": None, "event_time_us": None}]
        return self.perform("evaluate", models=refs, stretches=stretches, device=device)[0]


class Plain:
    """A loop for one training."""

    def __init__(self, scenario: Scenario, device: str) -> None:
        from shared.config.pipeline import Model  # noqa: PLC0415
        from workers.features.inputs import InputSpec  # noqa: PLC0415
        from workers.models.build import build_model  # noqa: PLC0415

        made = table(scenario)
        self.scenario, self.device = scenario, device
        self.labels = torch.tensor(made["label"].to_numpy()).to(device)
        if scenario.columns:
            numbers = np.stack([made[f"x{n}"].to_numpy() for n in range(scenario.columns)], axis=1)
            self.features = torch.from_numpy((numbers - numbers.mean(0)) / numbers.std(0)).to(device)
            inputs = InputSpec(kind="table", shape=(scenario.columns,))
        else:
            pixels = np.frombuffer(b"".join(made["image"].to_pylist()), np.uint8).reshape(-1, 1, 28, 28)
            self.features = torch.from_numpy(pixels.copy()).to(device)
            inputs = InputSpec(kind="image", shape=(1, 28, 28))
        model = Model(framework="pytorch", pretrained_uri=None, **scenario.model)
        self.make: Callable[[], torch.nn.Module] = lambda: build_model(model, inputs, ()).to(device)

    def inputs(self, picked: Any) -> torch.Tensor:
        """A batch as the model takes it."""
        rows = self.features[picked]
        return rows if self.scenario.columns else rows.float() / 255

    def train(self) -> float:
        """The seconds of a training."""
        self.synchronize()
        began_s = time.perf_counter()
        model, loss_of = self.make().train(), torch.nn.CrossEntropyLoss()
        optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
        for _ in range(self.scenario.epochs):
            order = torch.randperm(self.scenario.rows, device=self.device)
            for picked in order.split(self.scenario.batch_size):
                optimizer.zero_grad(set_to_none=True)
                with torch.autocast(self.device, torch.bfloat16, enabled=self.scenario.precision == "bf16"):
                    outputs = model(self.inputs(picked))
                loss_of(outputs.float(), self.labels[picked]).backward()
                optimizer.step()
        self.synchronize()
        self.model = model
        return time.perf_counter() - began_s

    @torch.no_grad()
    def evaluate(self, models: int) -> float:
        """The seconds of so many passes forward, with the share of right answers."""
        model = self.model.eval()
        self.synchronize()
        began_s = time.perf_counter()
        for _ in range(models):
            right = torch.zeros((), device=self.device)
            for start in range(0, len(self.labels), 8192):
                picked = slice(start, start + 8192)
                right += (model(self.inputs(picked)).argmax(1) == self.labels[picked]).sum()
            float(right)
        return time.perf_counter() - began_s

    def synchronize(self) -> None:
        """Wait for the device."""
        if self.device == "cuda":
            torch.cuda.synchronize()


def compare(scenario: Scenario, device: str, folder: Path) -> bool:
    """Print how product and plain loop compare; whether two trainings gave the same bytes."""
    product, plain = Product(scenario, folder, device), Plain(scenario, device)
    training_set = product.select()
    product.train(training_set)  # warm
    plain.train()
    done = [product.train(training_set) for _ in range(REPEATS)]
    deterministic = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(False)
    loops = [plain.train() for _ in range(REPEATS)]
    torch.use_deterministic_algorithms(deterministic, warn_only=True)
    fixed_s = plain.train()
    claimed_s, trained_s = statistics.median(took for took, _ in done), statistics.median(r["train_s"] for _, r in done)
    loop_s = statistics.median(loops)
    same = len({report["member"]["sha256"] for _, report in done}) == 1
    print(
        f"{scenario.name:16} train     {claimed_s:7.2f} s ({trained_s:.2f} s of it training)  plain {loop_s:6.2f} s  "
        f"ratio {loop_s / claimed_s:.2f}  (plain, deterministic {fixed_s:.2f} s)  bytes equal: {same}",
        flush=True,
    )
    member = done[0][1]["member"]
    for models in (1, 3):
        product.evaluate(member, device, models)
        took_s = statistics.median(product.evaluate(member, device, models) for _ in range(REPEATS))
        forward_s = statistics.median(plain.evaluate(models) for _ in range(REPEATS))
        ratio = forward_s / took_s
        print(
            f"{scenario.name:16} {models} scored  {took_s:7.2f} s  plain {forward_s:6.2f} s  ratio {ratio:.2f}",
            flush=True,
        )
    return same


def main() -> None:
    """Compare them all; exit 1 if two trainings differed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", help="scenarios whose name holds this")
    arguments = parser.parse_args()
    from shared import names  # noqa: PLC0415
    from supervisor.system.embedded_broker import EmbeddedBroker  # noqa: PLC0415
    from workers.process.slot import SlotFile  # noqa: PLC0415

    name = torch.cuda.get_device_name() if arguments.device == "cuda" else platform.processor() or platform.machine()
    print(f"{name}, PyTorch {torch.__version__}, Python {platform.python_version()}", flush=True)
    with tempfile.TemporaryDirectory(prefix="modyn-gpu-") as place:
        broker = EmbeddedBroker(place)
        os.environ |= {names.BROKER_VARIABLE: broker.url, names.DEVICE_VARIABLE: arguments.device}
        os.environ |= {names.ROLE_VARIABLE: "train", names.HOSTNAME_VARIABLE: "gpu@here", names.LEASE_VARIABLE: "60"}
        os.environ |= {names.WORKER_VARIABLE: "gpu@here-0123456789ab"}
        slot = SlotFile.create()
        os.environ[names.SLOT_VARIABLE] = str(slot.folder)
        try:
            chosen = [one for one in SCENARIOS if arguments.only is None or arguments.only in one.name]
            chosen = [one.smaller() for one in chosen] if arguments.quick else chosen
            same = [compare(one, arguments.device, Path(place) / str(n)) for n, one in enumerate(chosen)]
        finally:
            slot.remove()
            broker.stop()
    raise SystemExit(0 if all(same) else 1)


if __name__ == "__main__":
    main()
