"""Takes from a process what decoding a picture does not need: descriptors, files, network, other processes, memory.

Linux only.
"""

import ctypes
import errno
import os
import resource
import signal
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

NICENESS: Final = 10  # what is short and awaited, fetching and storing, checkpoints and heartbeats, has the cores first
CHANNEL_FD: Final = 3  # the one descriptor a child keeps, beside three that lead nowhere

PR_SET_PDEATHSIG: Final = 1
PR_SET_NAME: Final = 15
PR_GET_SECCOMP: Final = 21
PR_SET_NO_NEW_PRIVS: Final = 38
CLONE_NEWUSER: Final = 0x10000000
CLONE_NEWNET: Final = 0x40000000
CLONE_THREAD: Final = 0x00010000
PROT_EXEC: Final = 4

# Enough to compute, to talk through open descriptors and to have threads; what an architecture lacks is left out.
ALLOWED: Final = (
    "read", "write", "readv", "writev", "close", "lseek", "fstat", "poll", "ppoll", "select", "pselect6",
    "munmap", "mremap", "brk", "madvise", "membarrier",
    "futex", "set_robust_list", "rseq", "sched_yield", "sched_getaffinity",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "restart_syscall",
    "getcwd", "getpid", "gettid", "getrusage", "times", "uname", "sysinfo", "getrandom", "getrlimit",
    "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time",
    "exit", "exit_group",
)  # fmt: skip

libc = ctypes.CDLL(None, use_errno=True)


class Protection(StrEnum):
    """What keeps a child from the network."""

    SECCOMP = "seccomp: no files, no network, no other process"
    NETWORK_NAMESPACE = "a network namespace of its own; files stay readable"
    NONE = "neither seccomp nor a network namespace: files and network stay in reach"


def load_filter() -> Callable[[], None] | None:
    """Return what installs the seccomp filter in the calling process; None without libseccomp or kernel support."""
    try:
        import pyseccomp
    except (ImportError, RuntimeError):  # the latter: no libseccomp
        return None
    if libc.prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0:
        return None
    return lambda: _install(pyseccomp)


def confined_network() -> Protection:
    """Move the calling process and its future children into a network namespace without interfaces, if allowed."""
    left = libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0
    return Protection.NETWORK_NAMESPACE if left else Protection.NONE


def confine(channel: int, memory_bytes: int, install_filter: Callable[[], None] | None) -> None:
    """Leave the calling process the descriptor `channel`, as CHANNEL_FD, and `memory_bytes` more than it has."""
    _die_with_parent()
    libc.prctl(PR_SET_NAME, b"darkroom-render", 0, 0, 0)
    os.nice(NICENESS)
    with open("/proc/self/oom_score_adj", "w") as preferred:  # before the worker, when a container runs out of memory
        preferred.write("1000")
    _keep_only(channel)
    with open("/proc/self/statm") as sizes:
        has_bytes = int(sizes.read().split()[0]) * resource.getpagesize()
    _limit(resource.RLIMIT_AS, has_bytes + memory_bytes)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_NOFILE, CHANNEL_FD + 1)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if install_filter:
        install_filter()


def _die_with_parent() -> None:
    parent = os.getppid()
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before it was watched
        os._exit(1)


def _keep_only(channel: int) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(channel, CHANNEL_FD)
    for standard in range(CHANNEL_FD):
        os.dup2(nowhere, standard)
    os.closerange(CHANNEL_FD + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def _limit(what: int, most: int) -> None:
    resource.setrlimit(what, (most, most))


def _install(seccomp: Any) -> None:
    """Allow the calling process and its threads the system calls above; every other fails with EPERM."""
    own, arg = os.getpid(), seccomp.Arg
    rules = seccomp.SyscallFilter(seccomp.ERRNO(errno.EPERM))
    for name in ALLOWED:
        _add(seccomp, rules, name)
    for name in ("mmap", "mprotect"):
        _add(seccomp, rules, name, arg(2, seccomp.MASKED_EQ, PROT_EXEC, 0))
    _add(seccomp, rules, "clone", arg(0, seccomp.MASKED_EQ, CLONE_THREAD, CLONE_THREAD))
    _add(seccomp, rules, "prlimit64", arg(0, seccomp.EQ, 0), arg(2, seccomp.EQ, 0))  # reading the own ones
    _add(seccomp, rules, "tgkill", arg(0, seccomp.EQ, own))  # abort()
    # Its flags lie in memory, where a filter cannot look; libc falls back to clone.
    rules.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")
    rules.load()


def _add(seccomp: Any, rules: Any, name: str, *conditions: Any) -> None:
    try:
        rules.add_rule(seccomp.ALLOW, name, *conditions)
    except ValueError:  # this architecture has no such call
        return
