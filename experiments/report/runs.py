"""What lies in a study's folder: one folder a run, and the controls.

    output_dir/<setting>_seed<k>/  run.json, metrics.json, results.json, ...
    output_dir/controls.json

What is missing or cannot be read becomes a sentence in `Study.problems`, so
that a report can always be written and says what it lacks.
"""

import dataclasses
import json
import pathlib
import re

# In the order of the report: what the source compares, then our controls.
SETTINGS = (
    "unsplit",
    "one_subset",
    "split",
    "mixed",
    "multi_policy",
    "split_random",
)

# The source's "validation accuracy of clusters" on CIFAR-10, as it prints it.
CLAIMS = {
    "unsplit": "0.267",
    "one_subset": "0.13",
    "split": "0.37",
    "mixed": "0.44",
}
CLAIMED_CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)

REPRESENTATIONS = ("features", "projections")
SPLITS = ("validation", "test")


@dataclasses.dataclass(frozen=True)
class Run:
    """One training run: its folder and what its files say.

    Args:
        folder: path of the run's folder.
        setting: name of the setting, e.g. "split".
        seed: int, or None where it is not known.
        record: dict, run.json; empty if it could not be read.
        metrics: list of dicts, one an epoch.
        results: dict, results.json, or None if the run is not finished.
    """

    folder: pathlib.Path
    setting: str
    seed: int | None
    record: dict
    metrics: list
    results: dict | None

    @property
    def name(self):
        """The name of the folder, which is the name of the run."""
        return self.folder.name

    @property
    def label(self):
        """What tells the run from others of its setting: "seed 0"."""
        return self.name if self.seed is None else f"seed {self.seed}"

    @property
    def status(self):
        """ "finished", "running", "interrupted", "diverged" or "unknown"."""
        return str(self.record.get("status") or "unknown")

    @property
    def epochs(self):
        """Epochs that were finished, int."""
        return len(self.metrics)

    @property
    def planned_epochs(self):
        """Epochs that were asked for, int, or None if it is not recorded."""
        return part(self.record, "flags").get("epochs")

    @property
    def progress(self):
        """Epochs that were finished, of those asked for: "5 of 10"."""
        if self.planned_epochs is None:
            return str(self.epochs)
        return f"{self.epochs} of {self.planned_epochs}"

    @property
    def state(self):
        """Why there are no figures: "interrupted, 5 of 10 epochs"."""
        words = {"finished": "no results", "unknown": "status unknown"}
        status = words.get(self.status, self.status)
        return f"{status}, {self.progress} epochs"

    def figure(self, representation, split, key):
        """One figure of the evaluation, or None if it was not measured.

        Args:
            representation: "features" or "projections".
            split: "validation" or "test".
            key: name of the figure, e.g. "nmi".
        """
        return part(self.results, representation, split).get(key)


@dataclasses.dataclass(frozen=True)
class Study:
    """All runs of a study, its controls, and what could not be read.

    Args:
        folder: path of the study's folder.
        runs: tuple of `Run`, by setting and seed.
        controls: dict, controls.json; empty if it could not be read.
        problems: tuple of sentences.
        controls_cost: dict, what it took to measure the controls.
    """

    folder: pathlib.Path
    runs: tuple
    controls: dict
    problems: tuple
    controls_cost: dict = dataclasses.field(default_factory=dict)

    @property
    def settings(self):
        """Names of the settings that have a run, in the report's order."""
        return tuple(dict.fromkeys(run.setting for run in self.runs))

    @property
    def dataset(self):
        """What the first run that says anything says about its images."""
        parts = (part(run.record, "dataset") for run in self.runs)
        return next((found for found in parts if found), {})

    @property
    def labelled(self):
        """False where the images are known to have no labels."""
        return not self.dataset or bool(self.dataset.get("num_classes"))

    @property
    def comparable(self):
        """Whether the source's claims are for these images."""
        names = self.dataset.get("class_names") or ()
        return tuple(names) == CLAIMED_CLASSES

    def of(self, setting, *, finished=None):
        """The runs of a setting.

        Args:
            setting: name of the setting.
            finished: True for those with results, False for those without,
                None for all.
        """
        return tuple(
            run
            for run in self.runs
            if run.setting == setting
            and finished in (None, run.results is not None)
        )

    def values(self, setting, representation, split, key):
        """A figure by seed, of the finished runs that have it.

        Args:
            setting: name of the setting.
            representation: "features" or "projections".
            split: "validation" or "test".
            key: name of the figure.

        Returns:
            dict from the run's label, e.g. "seed 0", to the value.
        """
        found = {
            run.label: run.figure(representation, split, key)
            for run in self.of(setting, finished=True)
        }
        return {seed: x for seed, x in found.items() if x is not None}

    def control(self, name, representation, split, key):
        """A control's figure, or None.

        A control is measured on encodings (`features` and `projections`), or
        on the images as they are, which counts as features.

        Args:
            name: name of the control, e.g. "pixels".
            representation: "features" or "projections".
            split: "validation" or "test".
            key: name of the figure.
        """
        control = part(self.controls, name)
        if set(control) & set(REPRESENTATIONS):
            return part(control, representation, split).get(key)
        if representation != "features":
            return None
        return part(control, split).get(key)


def read(output_dir):
    """Reads a study's folder.

    Args:
        output_dir: path of the folder that holds the runs' folders.

    Returns:
        A `Study`.

    Raises:
        ValueError: if there is no such folder.
    """
    folder = pathlib.Path(output_dir)
    if not folder.is_dir():
        raise ValueError(
            f"`output_dir` must be the folder of a study, received "
            f"{str(output_dir)!r}, which is not a folder; give the one that "
            "experiments.three_settings wrote."
        )
    problems = []
    runs = [
        _read_run(path, problems)
        for path in sorted(folder.iterdir())
        if path.is_dir() and _is_run(path)
    ]
    if not runs:
        problems.append(
            f"No run was found in {folder.name}: a run is a folder named "
            "<setting>_seed<k> that holds run.json."
        )
    order = {name: i for i, name in enumerate(SETTINGS)}
    runs.sort(
        key=lambda run: (
            order.get(run.setting, len(order)),
            run.setting,
            -1 if run.seed is None else run.seed,
        )
    )
    controls = folder / "controls.json"
    study = Study(folder, tuple(runs), {}, ())
    # Without labels there is nothing to control.
    if study.labelled or controls.exists():
        found = _read_json(controls, folder, dict, problems) or {}
        cost = part(found, "cost")
        found.pop("cost", None)
        study = dataclasses.replace(study, controls=found, controls_cost=cost)
    return dataclasses.replace(study, problems=tuple(problems))


def part(mapping, *keys):
    """The dict under some keys, empty where anything on the way is missing.

    Args:
        mapping: dict or None.
        *keys: names to follow.
    """
    for key in keys:
        mapping = mapping.get(key) if isinstance(mapping, dict) else None
    return mapping if isinstance(mapping, dict) else {}


def _is_run(path):
    return bool(_NAME.fullmatch(path.name)) or (path / "run.json").exists()


_NAME = re.compile(r"(?P<setting>.+)_seed(?P<seed>\d+)")


def _read_run(folder, problems):
    record = (
        _read_json(folder / "run.json", folder.parent, dict, problems) or {}
    )
    named = _NAME.fullmatch(folder.name)
    setting, seed = record.get("setting"), record.get("seed")
    if named:
        setting = setting or named["setting"]
        seed = int(named["seed"]) if seed is None else seed
    metrics = _read_json(folder / "metrics.json", folder.parent, list, problems)
    return Run(
        folder=folder,
        setting=str(setting or folder.name),
        seed=seed,
        record=record,
        metrics=[epoch for epoch in metrics or [] if isinstance(epoch, dict)],
        results=_read_results(folder, record, problems),
    )


def _read_results(folder, record, problems):
    path = folder / "results.json"
    if record.get("status") == "finished":
        return _read_json(path, folder.parent, dict, problems)
    if path.exists():
        # Left by an earlier run in the same folder: not this one's.
        problems.append(
            f"{folder.name}/results.json is left out: run.json does not say "
            "that the run is finished."
        )
    return None


def _read_json(path, root, kind, problems):
    name = path.relative_to(root).as_posix()
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        problems.append(f"{name} is missing.")
        return None
    except (OSError, ValueError) as error:
        problems.append(f"{name} cannot be read: {error}.")
        return None
    if not isinstance(content, kind):
        problems.append(
            f"{name} holds a {type(content).__name__} where a "
            f"{kind.__name__} is expected."
        )
        return None
    return content
