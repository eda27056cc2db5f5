"""Recording and promoting, ended before each of their writes: never half a champion, no second version."""

from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from mlflow import MlflowClient

from retrain.model_record import BUNDLE
from retrain.registry import Candidate

WRITES = (
    "create_experiment", "create_run", "log_artifacts", "log_batch", "log_inputs", "set_terminated",
    "create_registered_model", "create_model_version", "set_registered_model_alias",
    "delete_registered_model_alias",
)  # fmt: skip


class Killed(BaseException):
    """The process ends here; nothing catches it."""


class Dying(MlflowClient):
    """MLflow's own client until so many writes are done; the one after it is the last."""

    def __init__(self, url: str, writes: int) -> None:
        super().__init__(url, url)
        self.left = writes

    def count(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Killed

    def log_artifacts(self, run_id: str, local_dir: str, artifact_path: str | None = None) -> None:
        if not self.left:
            self.log_artifact(run_id, next(str(path) for path in Path(local_dir).iterdir() if path.is_file()))
        self.count()
        super().log_artifacts(run_id, local_dir, artifact_path)


def counted(name: str) -> Callable[..., Any]:
    def call(self: Dying, *arguments: Any, **named: Any) -> Any:
        self.count()
        return getattr(MlflowClient, name)(self, *arguments, **named)

    return call


for name in WRITES:
    if name != "log_artifacts":
        setattr(Dying, name, counted(name))


def champion(client: MlflowClient) -> set[str]:
    """The runs of the versions that the champion's bundle pins, and its own."""
    models = {each.name: each for each in client.search_registered_models()}
    return {
        client.get_model_version(each.name, each.aliases["champion"]).tags["tonnage.run"]
        for each in models.values()
    }


def shown(client: MlflowClient) -> str:
    """The run whose bundle is the champion: the one switch."""
    bundle = client.get_registered_model(BUNDLE)
    return str(client.get_model_version(BUNDLE, bundle.aliases["champion"]).tags["tonnage.run"])


def test_killed_before_each_write(tracked: Any, make: Callable[..., Candidate]) -> None:
    levels = [(), ("organization", "material")]
    healthy, client = tracked.registry(), tracked.client()
    before = make("2025-01", levels=levels)
    healthy.record(before)
    healthy.promote(before.run.id)
    for writes in count():
        candidate = make("2026-10", key=f"{writes:012x}", levels=levels)
        dying = tracked.registry(Dying(tracked.url, writes))
        try:
            dying.record(candidate)
            dying.promote(candidate.run.id)
        except Killed:
            assert shown(client) == before.run.id
        else:
            break
        healthy.record(candidate)
        kept = client.search_model_versions(f"tags.`tonnage.run` = '{candidate.run.id}'")
        assert Counter(each.name for each in kept) == dict.fromkeys(
            (BUNDLE, "tonnage-total", "tonnage-organization-material"), 1
        )
        assert len({each.run_id for each in kept}) == 1
        assert shown(client) == before.run.id
        healthy.promote(candidate.run.id)
        assert champion(client) == {candidate.run.id}
        before = candidate
    # run, files, metrics, parameters, snapshot and end; two levels, bundle and its aliases three times over
    assert writes > 20
    experiments = [each.experiment_id for each in client.search_experiments()]
    assert len(client.search_runs(experiments)) == writes + 2
