"""Where models run, and in which precision."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from rag.errors import ConfigError

if TYPE_CHECKING:
    import torch

# Read once, when torch is first imported: its idle threads then sleep instead of spinning. Alone
# on the machine a query takes 28 ms, not 24; beside a busy process 30 to 120 ms, not 2 s.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# What a CPU must have for bfloat16 to be faster than float32, not slower.
BF16_CAPABILITIES = ("amx_bf16", "avx512_bf16")


def pick_device(device: str) -> str:
    """Return "cpu" or "cuda" for "auto", "cpu" or "cuda".

    Raises:
        ConfigError: cuda is asked for, but torch sees no such device.
    """
    import torch

    available = torch.cuda.is_available()
    if device == "cuda" and not available:
        raise ConfigError(
            f"device is 'cuda', but torch {torch.__version__} sees no NVIDIA GPU; "
            "expected a driver and a CUDA build of torch, or device auto or cpu"
        )
    return "cuda" if available and device != "cpu" else "cpu"


def pick_dtype(device: str, capabilities: Mapping[str, object] | None = None) -> "torch.dtype":
    """Return bfloat16 on a GPU and on CPUs with instructions for it, else float32.

    Args:
        device: "cpu" or "cuda".
        capabilities: of the CPU, by name; what torch finds by default.
    """
    import torch

    if device != "cpu":
        return torch.bfloat16
    found = torch.cpu.get_capabilities() if capabilities is None else capabilities
    return torch.bfloat16 if any(found.get(c) for c in BF16_CAPABILITIES) else torch.float32
