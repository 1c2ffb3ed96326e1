"""Interrupted anywhere and resumed, a run ends as one never interrupted, bit for bit."""

import os
import signal
import socket
import time

import msgspec
import pytest
import torch
from safetensors.torch import load_file

from modeling.intent.learning import IntentTask
from modeling.intent.settings import IntentSettings
from modeling.intent.train import train_intent
from modeling.training import checkpoint, loop
from modeling.training.log import read_log
from modeling.training.settings import TrainingSettings
from photochat.errors import DataError
from photochat.release import Release, SourceFile, read_release, write_release
from tests.conftest import SAMPLE
from tests.forked import COMMAND_LINE, Forked

SETTINGS = IntentSettings(
    model="tiny-bert",
    kind="turn-causal",
    keep_negatives=0.7,
    select="average_precision",
    training=TrainingSettings(
        epochs=2, rows_per_step=4, evaluations=2, learning_rate=1e-3, average=0.9
    ),
)


@pytest.fixture(scope="module")
def release():
    dialogues = read_release(SAMPLE).dialogues
    parts = {"train": dialogues[:24], "dev": dialogues[24:40]}
    return Release(tuple(SourceFile(SAMPLE, name, part) for name, part in parts.items()))


@pytest.fixture(scope="module")
def whole(release, tmp_path_factory):
    """The run that nothing interrupts: 12 steps, dev looks after 3, 6, 9 and 12."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, train_intent(release, SETTINGS, folder, device="cpu")


def curve(folder):
    told = ("step", "loss", "gradient_norm", "learning_rate", "dev_f1", "dev_average_precision")
    return [{name: line[name] for name in told if name in line} for line in read_log(folder)]


def assert_same(folder, whole, release, run):
    expected_folder, expected = whole
    assert curve(folder) == curve(expected_folder)
    for name in ("model.safetensors", "head.safetensors"):
        one, other = (load_file(f / "model" / name) for f in (folder, expected_folder))
        assert all(torch.equal(one[key], other[key]) for key in other)
    assert run.chosen.dev == expected.chosen.dev
    assert not list((folder / "checkpoints").glob(".*"))


class Killed(BaseException):
    """Nothing of ours catches this: the disk is left as a kill leaves it."""


def killed_at(monkeypatch, moment):
    """Arrange for the process to die at a moment of the run."""
    seen = {"steps": 0, "saves": 0}

    if moment in ("in a step", "before any checkpoint"):
        do, last = loop._do, 2 if moment == "before any checkpoint" else 8

        def dying(*arguments):
            seen["steps"] += 1
            if seen["steps"] == last:
                raise Killed
            return do(*arguments)

        monkeypatch.setattr(loop, "_do", dying)
    elif moment == "while writing a checkpoint":
        encode = msgspec.json.encode

        def dying(value):
            seen["saves"] += isinstance(value, checkpoint.Progress)
            if seen["saves"] == 2:
                raise Killed
            return encode(value)

        monkeypatch.setattr(checkpoint.msgspec.json, "encode", dying)
    else:
        keep = loop._keep

        def dying(*arguments):
            keep(*arguments)
            seen["saves"] += 1
            if seen["saves"] == 2:
                raise Killed

        monkeypatch.setattr(loop, "_keep", dying)


@pytest.mark.parametrize(
    "moment",
    [
        "before any checkpoint",
        "in a step",
        "while writing a checkpoint",
        "between model and checkpoint",
    ],
)
def test_a_run_killed_anywhere_ends_the_same(moment, release, whole, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        killed_at(patch, moment)
        with pytest.raises(Killed):
            train_intent(release, SETTINGS, tmp_path, device="cpu")
    run = train_intent(release, SETTINGS, tmp_path, device="cpu", resume=True)
    assert_same(tmp_path, whole, release, run)


def test_a_run_that_has_ended_stays_as_it_is(release, whole, tmp_path):
    folder, run = whole
    again = train_intent(release, SETTINGS, folder, device="cpu", resume=True)
    assert again.chosen.dev == run.chosen.dev
    assert again.chosen.training["steps"] == run.chosen.training["steps"]


def test_a_loss_that_is_no_number_stops_and_the_last_checkpoint_is_good(
    release, whole, tmp_path, monkeypatch
):
    loss, seen = IntentTask.loss, {"batches": 0}

    def poisoned(task, model, batch):
        seen["batches"] += 1
        return loss(task, model, batch) * (float("nan") if seen["batches"] == 8 else 1)

    with monkeypatch.context() as patch:
        patch.setattr(IntentTask, "loss", poisoned)
        with pytest.raises(DataError, match=r"loss is nan in step 8.*last good checkpoint"):
            train_intent(release, SETTINGS, tmp_path, device="cpu")
    run = train_intent(release, SETTINGS, tmp_path, device="cpu", resume=True)
    assert_same(tmp_path, whole, release, run)


def test_memory_that_runs_out_is_answered_with_what_to_try(release, tmp_path, monkeypatch):
    def full(task, model, batch):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(IntentTask, "loss", full)
    with pytest.raises(DataError, match=r"--max-tokens 4096, or --precision bf16, or --checkpoint"):
        train_intent(release, SETTINGS, tmp_path, device="cpu")


def test_a_run_is_resumed_by_its_own_settings_and_data_alone(release, whole):
    folder, _ = whole
    other = msgspec.structs.replace(SETTINGS, hide_roles=True)
    with pytest.raises(DataError, match=r"other settings \(hide_roles\)"):
        train_intent(release, other, folder, resume=True)
    shorter = Release(tuple(SourceFile(f.path, f.split, f.dialogues[:-1]) for f in release.files))
    with pytest.raises(DataError, match="a run on other data"):
        train_intent(shorter, SETTINGS, folder, resume=True)
    with pytest.raises(DataError, match="is not empty"):
        train_intent(release, SETTINGS, folder)
    damaged = checkpoint.checkpoints(folder / "checkpoints")[-1] / "model.safetensors"
    kept = damaged.read_bytes()
    damaged.write_bytes(kept[:100])
    with pytest.raises(DataError, match="is damaged or of another model"):
        train_intent(release, SETTINGS, folder, device="cpu", resume=True)
    damaged.write_bytes(kept)


def test_early_stopping_keeps_the_best_and_tensorboard_is_told(release, tmp_path):
    pytest.importorskip("tensorboard")
    patient = msgspec.structs.replace(SETTINGS.training, patience=1, learning_rate=0.0)
    settings = msgspec.structs.replace(SETTINGS, training=patient)
    run = train_intent(release, settings, tmp_path, device="cpu", tensorboard=True)
    assert run.chosen.training["stopped_early"] == 1
    assert (run.chosen.training["steps"], run.chosen.training["best_step"]) == (6, 3)
    assert list((tmp_path / "tensorboard").glob("events.*"))


def test_gradients_do_not_depend_on_how_a_step_is_cut(release, tmp_path):
    """Micro-batches of 200 tokens and of 8,192 give the same step."""
    curves = []
    for budget in (200, 8192):
        training = msgspec.structs.replace(SETTINGS.training, max_tokens=budget, epochs=1)
        settings = msgspec.structs.replace(SETTINGS, dropout=0.0, training=training)
        folder = tmp_path / str(budget)
        train_intent(release, settings, folder, device="cpu")
        curves.append([line["loss"] for line in curve(folder) if "loss" in line])
    assert curves[0] == pytest.approx(curves[1], abs=1e-5)


COMMAND = f"""
import modeling.intent.learning, modeling.intent.train, transformers.models.bert.modeling_bert
{COMMAND_LINE}"""


@pytest.mark.slow
def test_a_process_killed_by_the_system_resumes_and_two_processes_equal_one(
    tmp_path, run_photochat
):
    """On the command line: one process is killed after a checkpoint, two share a run (gloo)."""
    torch.set_num_threads(1)  # as in the processes below: sums in another order differ
    dialogues = read_release(SAMPLE).dialogues
    write_release({"train": dialogues[:24], "dev": dialogues[24:40]}, tmp_path / "data")

    def words(folder):
        return [
            *("train", "intent", "--device", "cpu", "--data", str(tmp_path / "data")),
            *("--preset", "tiny", "--epochs", "4", "--dropout", "0", "--rows-per-step", "6"),
            *("--max-tokens", "300", "--out", str(tmp_path / folder)),
        ]

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2"}
    with Forked(COMMAND, tmp_path) as processes:
        both = [
            processes.start(*words("two"), RANK=str(r), LOCAL_RANK=str(r), **address)
            for r in (0, 1)
        ]
        assert run_photochat(*words("one"))[0] == 0
        killed = processes.start(*words("killed"))
        while not checkpoint.checkpoints(tmp_path / "killed/checkpoints"):
            time.sleep(0.02)
        os.kill(killed, signal.SIGKILL)
        assert processes.wait(killed) == -signal.SIGKILL
        assert run_photochat(*words("killed"), "--resume")[0] == 0
        assert curve(tmp_path / "killed") == curve(tmp_path / "one")
        assert [processes.wait(process) for process in both] == [0, 0]
    losses = [[line.get("loss", 0) for line in curve(tmp_path / f)] for f in ("one", "two")]
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)
    one, two = (load_file(tmp_path / f / "model" / "model.safetensors") for f in ("one", "two"))
    assert all(torch.allclose(one[name], two[name], atol=1e-5) for name in one)
