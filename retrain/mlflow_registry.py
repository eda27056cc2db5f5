"""The model registry in MLflow; no other file knows it.

A run of the month is an MLflow run in the experiment `tonnage`; it holds the files of all levels, which are
versions of registered models (`tonnage-customer`), and the bundle `tonnage-forecaster` pins them. The bundle
is made last and in one transaction, so a version of it is complete, and what is found without one is what an
interrupted attempt left, and is completed.
"""

import datetime as dt
import json
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from itertools import batched
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import SADeprecationWarning, SQLAlchemyError

from app.store.lineage import KeptModel
from forecasting.hierarchy import Level, level_name
from forecasting.months import Month
from forecasting.recipe import Recipe
from retrain.errors import NotRecorded, RegistryUnavailable
from retrain.level_files import columns_of, example_of, write_code, write_level
from retrain.level_model import MONTH
from retrain.model_record import (
    BUNDLE,
    LEVEL,
    ORIGIN,
    PINS,
    RECIPE,
    REPLACES,
    RUN,
    description_of,
    kept_models,
    level_tags,
    metrics_of,
    model_name,
    params_of,
    parse_recipe_json,
    tags_of,
    write_documents,
)
from retrain.registry import Candidate

# MLflow reads these when it is imported or used: no word home, no copy of the lock file of whatever folder a
# month runs in, no chatter beside what is raised, seconds rather than minutes until a server is given up, and
# no connections that stay open when nobody asks.
os.environ.update(
    {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_UV_AUTO_DETECT": "false",
        "MLFLOW_LOGGING_LEVEL": "CRITICAL",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
        "MLFLOW_SQLALCHEMYSTORE_POOLCLASS": "NullPool",
    }
    | dict(os.environ)
)

logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)

with warnings.catch_warnings():
    # What MLflow finds wrong with its own types while it is imported.
    warnings.simplefilter("ignore", UserWarning)
    import mlflow.pyfunc
    from mlflow import MlflowClient
    from mlflow.entities import Dataset, DatasetInput, Metric, Param, RunTag
    from mlflow.entities import Run as MlflowRun
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel
    from mlflow.exceptions import MlflowException
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

EXPERIMENT = "tonnage"
CHAMPION, CHALLENGER = "champion", "challenger"
REQUIREMENTS = [f"{name}=={version(name)}" for name in ("mlflow-skinny", "numpy", "pandas")]

_FILES, _COMPLETE = "tonnage.files", "complete"
_NONE = "none"
_AT_ONCE = 900  # metrics in one call; MLflow takes a thousand


def open_registry(url: str, artifacts: Path | None, *, shown: str) -> "MlflowRegistry":
    """The registry at a server's URL, or in a database with its files in a folder.

    `shown` is what errors call it. Raises `RegistryUnavailable`.
    """
    with _reaching(shown), warnings.catch_warnings():
        # MLflow's own tables use what SQLAlchemy 2.1 wants to be rid of.
        warnings.simplefilter("ignore", SADeprecationWarning)
        if not url.startswith("http"):
            # MLflow tries for minutes; a database that is down is found to be so at once.
            sa.create_engine(url, poolclass=sa.NullPool).connect().close()
        client = MlflowClient(url, url)
        client.search_registered_models(max_results=1)
    return MlflowRegistry(client, artifacts, shown)


class MlflowRegistry:
    """The record of every model, in MLflow; see `retrain.registry.Registry`.

    `artifacts` is the folder of files where no server keeps them.
    """

    def __init__(self, client: MlflowClient, artifacts: Path | None, shown: str) -> None:
        self._client = client
        self._artifacts = artifacts
        self._shown = shown

    def champion(self, before: Month) -> Recipe | None:
        """The recipe that was champion before a month was trained, the same when the month is repeated."""
        with _reaching(self._shown):
            number = self._champion_before(before)
            if number == _NONE:
                return None
            tags = self._client.get_model_version(BUNDLE, number).tags
        return parse_recipe_json(f"{BUNDLE} {number} in {self._shown}", tags[RECIPE])

    def record(self, candidate: Candidate) -> tuple[KeptModel, ...]:
        """Keep a version of every level, then the bundle; the newest is challenger until it is promoted."""
        with _reaching(self._shown):
            bundle = self._bundle(candidate.run.id) or self._make_bundle(candidate)
            models = self._models()
            is_newest = bundle.version == self._versions(f"name = '{BUNDLE}'")[0].version
            if is_newest and not _has(models[BUNDLE], CHAMPION, bundle.version):
                self._point(CHALLENGER, bundle, models)
        return kept_models(candidate.run, _pinned(bundle))

    def promote(self, run: str) -> None:
        """Make a recorded run the champion: its levels first, the bundle last. Raises `NotRecorded`."""
        with _reaching(self._shown):
            bundle = self._bundle(run)
            if bundle is None:
                raise NotRecorded(run, self._shown)
            models = self._models()
            for name, number in _pinned(bundle).items():
                if _has(models[name], CHALLENGER, number):
                    self._client.delete_registered_model_alias(name, CHALLENGER)
            self._point(CHAMPION, bundle, models)

    def _champion_before(self, month: Month) -> str:
        """The version of the bundle that was champion before a month was trained, or `_NONE`."""
        recorded = self._versions(f"name = '{BUNDLE}' and tags.`{ORIGIN}` = '{month}'")
        if recorded:
            return str(recorded[-1].tags[REPLACES])
        bundle = self._models().get(BUNDLE)
        number = _NONE if bundle is None else str(bundle.aliases.get(CHAMPION, _NONE))
        # Each replaces one of an earlier month, so this ends.
        while number != _NONE:
            tags = self._client.get_model_version(BUNDLE, number).tags
            if Month.parse(tags[ORIGIN]) < month:
                break
            number = tags[REPLACES]
        return number

    def _make_bundle(self, candidate: Candidate) -> ModelVersion:
        """Everything that is missing of a version, the bundle last."""
        replaces = self._champion_before(candidate.run.origin)
        run = self._run(candidate)
        if run.data.tags.get(_FILES) != _COMPLETE:
            self._keep_files(candidate, run)
        numbers: dict[str, str] = {}
        kept = {each.name: each for each in self._versions(f"run_id = '{run.info.run_id}'")}
        for level in candidate.run.forecast.hierarchy.levels:
            name = model_name(level)
            found = kept.get(name) or self._make_version(candidate, level, run)
            numbers[name] = str(found.version)
        self._client.set_terminated(run.info.run_id)
        self._register(BUNDLE, {})
        tags = tags_of(candidate) | {REPLACES: replaces, PINS: json.dumps(numbers)}
        return self._client.create_model_version(
            BUNDLE, run.info.artifact_uri, run.info.run_id, tags, description=description_of(candidate)
        )

    def _run(self, candidate: Candidate) -> MlflowRun:
        """The MLflow run of a run, perhaps one that an interrupted attempt has left."""
        experiment = self._client.get_experiment_by_name(EXPERIMENT)
        if experiment is None:
            place = None if self._artifacts is None else self._artifacts.resolve().as_uri()
            identifier = self._client.create_experiment(EXPERIMENT, place)
        else:
            identifier = experiment.experiment_id
        found = self._client.search_runs(
            [identifier], f"tags.`{RUN}` = '{candidate.run.id}'", order_by=["attributes.start_time ASC"]
        )
        if found:
            return found[0]
        return self._client.create_run(identifier, tags=tags_of(candidate), run_name=candidate.run.id)

    def _keep_files(self, candidate: Candidate, run: MlflowRun) -> None:
        """Numbers, documents, parameters and metrics; the mark that all are there comes last."""
        forecast, identifier = candidate.run.forecast, run.info.run_id
        moment = round(dt.datetime.combine(forecast.first.first_day, dt.time(), dt.UTC).timestamp() * 1000)
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            write_documents(candidate, folder)
            for level in forecast.hierarchy.levels:
                _save_level(candidate, level, folder / "models" / model_name(level))
            self._client.log_artifacts(identifier, str(folder))
        for some in batched(metrics_of(candidate.verdict), _AT_ONCE):
            metrics = [Metric(name, value, moment, lead) for name, value, lead in some]
            self._client.log_batch(identifier, metrics=metrics)
        snapshot = candidate.run.snapshot
        source = Dataset(f"snapshot-{candidate.run.origin}", snapshot[:36], "tonnage", snapshot)
        self._client.log_inputs(identifier, [DatasetInput(source, [])])
        params = [Param(name, value) for name, value in params_of(candidate).items()]
        self._client.log_batch(identifier, params=params, tags=[RunTag(_FILES, _COMPLETE)])

    def _make_version(self, candidate: Candidate, level: Level, run: MlflowRun) -> ModelVersion:
        name = model_name(level)
        self._register(name, {LEVEL: level_name(level)})
        return self._client.create_model_version(
            name,
            f"{run.info.artifact_uri}/models/{name}",
            run.info.run_id,
            level_tags(candidate, level),
            description=description_of(candidate),
        )

    def _register(self, name: str, tags: Mapping[str, str]) -> None:
        try:
            self._client.create_registered_model(name, dict(tags))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def _point(self, alias: str, bundle: ModelVersion, models: Mapping[str, RegisteredModel]) -> None:
        """Move an alias to a bundle and what it pins, and off the levels that it has not; the bundle last."""
        pins = _pinned(bundle)
        for name, model in models.items():
            if LEVEL in model.tags and name not in pins and alias in model.aliases:
                self._client.delete_registered_model_alias(name, alias)
        for name, number in pins.items():
            if not _has(models[name], alias, number):
                self._client.set_registered_model_alias(name, alias, number)

    def _bundle(self, run: str) -> ModelVersion | None:
        """The complete version of a run, the first of them."""
        return next(reversed(self._versions(f"name = '{BUNDLE}' and tags.`{RUN}` = '{run}'")), None)

    def _versions(self, condition: str) -> list[ModelVersion]:
        """Versions, the newest first."""
        return sorted(self._client.search_model_versions(condition), key=lambda each: -int(each.version))

    def _models(self) -> dict[str, RegisteredModel]:
        """The registered models by name, with their aliases."""
        found = self._client.search_registered_models("name LIKE 'tonnage-%'", max_results=1000)
        return {each.name: each for each in found}


def _save_level(candidate: Candidate, level: Level, folder: Path) -> None:
    """A level as a model that MLflow loads with nothing but what `REQUIREMENTS` name."""
    run = candidate.run
    texts = (*level, MONTH)
    asks = Schema([ColSpec("string", name, required=False) for name in texts])
    numbers = [ColSpec("double", name) for name in columns_of(run.forecast)]
    answers = Schema([*(ColSpec("string", name) for name in texts), *numbers])
    with tempfile.TemporaryDirectory() as temporary:
        data = Path(temporary) / "data"
        data.mkdir()
        write_level(run.forecast, level, data)
        code = write_code(Path(temporary))
        mlflow.pyfunc.save_model(
            folder,
            loader_module=code.stem,
            data_path=str(data),
            code_paths=[str(code)],
            signature=ModelSignature(asks, answers),
            input_example=example_of(run.forecast, level).to_pandas(),
            pip_requirements=REQUIREMENTS,
            metadata=tags_of(candidate) | {LEVEL: level_name(level)},
        )


def _pinned(bundle: ModelVersion) -> dict[str, str]:
    """The versions that an alias moves: those of the levels, then the bundle's own."""
    levels: dict[str, str] = json.loads(bundle.tags[PINS])
    return levels | {BUNDLE: str(bundle.version)}


def _has(model: RegisteredModel, alias: str, number: str) -> bool:
    return str(model.aliases.get(alias)) == str(number)


@contextmanager
def _reaching(shown: str) -> Iterator[None]:
    """What MLflow, its database or its files raise because they are out of reach, in our words."""
    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError) as error:
        if isinstance(error, MlflowException) and error.error_code == "INVALID_PARAMETER_VALUE":
            raise
        raise RegistryUnavailable(shown, str(error)) from error
