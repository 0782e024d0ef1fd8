"""TCP ports on the loopback interface: is one free, who holds it, and finding one for internal use."""

import random
import socket
from collections.abc import Collection

import psutil

LOOPBACK = "127.0.0.1"
INTERNAL_PORTS = range(20_000, 32_000)  # below every system's range for outgoing connections, which could take one


def is_free(port: int) -> bool:
    """Tell whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: closed connections do not count
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def answers(host: str, port: int, timeout_seconds: float = 2.0) -> bool:
    """Tell whether something accepts connections there."""
    try:
        socket.create_connection((host, port), timeout_seconds).close()
    except OSError:
        return False
    return True


def holder(port: int) -> str:
    """Name the process that listens on the port, as far as we may know it."""
    try:
        pids = {
            connection.pid
            for connection in psutil.net_connections("tcp")
            if connection.pid and connection.status == psutil.CONN_LISTEN
            if connection.laddr and connection.laddr.port == port
        }
        return " and ".join(f"{psutil.Process(pid).name()} (pid {pid})" for pid in sorted(pids)) or "another process"
    except psutil.Error:
        return "another process"


def choose_internal(count: int, excluded: Collection[int] = ()) -> list[int]:
    """Return `count` different free ports, none of them `excluded`."""
    chosen: list[int] = []
    while len(chosen) < count:
        port = random.choice(INTERNAL_PORTS)  # noqa: S311 - spreads the stacks of one machine, guards nothing
        if port not in chosen and port not in excluded and is_free(port):
            chosen.append(port)
    return chosen
