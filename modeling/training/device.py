"""The processor and the precision a run computes with, chosen once and said aloud."""

from __future__ import annotations

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, PartialState

from modeling.training.settings import Device, Precision
from photochat.errors import DataError


def open_accelerator(device: Device = "auto", precision: Precision = "fp32") -> Accelerator:
    """Return an Accelerator for this process: one of many under `accelerate launch`.

    Raises:
        DataError: "cuda" is asked for and there is none, or the precision is not to be had.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise DataError("no CUDA device is to be seen: use --device cpu, or auto")
    on_cpu = device == "cpu" or not torch.cuda.is_available()
    if precision == "fp16" and on_cpu:
        raise DataError("fp16 needs a GPU: use --precision bf16 or fp32")
    # Accelerate keeps one state a process; a second run in it may want another precision.
    AcceleratorState._reset_state()
    if PartialState._shared_state and PartialState().num_processes == 1:
        PartialState._reset_state()
    mixed = "no" if precision == "fp32" else precision
    return Accelerator(cpu=on_cpu, mixed_precision=mixed)
