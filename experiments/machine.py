"""The machine that something ran on; imports nothing heavy."""

import os
import pathlib
import platform
import shutil
import subprocess


def describe():
    """What this runs on.

    Returns:
        Dict with processor, cores, memory in GiB, GPUs and system.
    """
    memory = None
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "memory_gib": memory and round(memory / 2**30, 1),
        "gpus": gpus(),
        "system": f"{platform.system()} {platform.release()}",
    }


def processor():
    """The processor's name, as far as the system tells.

    Returns:
        str.
    """
    listing = pathlib.Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def gpus():
    """Name and driver of each GPU, as far as NVIDIA's tool tells.

    Returns:
        List of str.
    """
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    query = ["--query-gpu=name,driver_version", "--format=csv,noheader"]
    told = subprocess.run([tool, *query], capture_output=True, text=True)
    return [
        line.replace(", ", ", driver ") for line in told.stdout.splitlines()
    ]
