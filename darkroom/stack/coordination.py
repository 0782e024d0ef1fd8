"""The ZooKeeper part: it tells who leads Flink, so that a new JobManager finds the job of a dead one.

Knows nothing of jobs. What it keeps is worth one run of the stack: a job does not come back by itself after `down`,
because its state could be older than that of a job submitted in between; `submit` finds the newest checkpoint.
"""

import shutil
import socket
from pathlib import Path

from darkroom.stack.layout import Home
from darkroom.stack.ports import LOOPBACK
from darkroom.stack.program import Program
from darkroom.stack.record import StackRecord

HERE = Path(__file__).parent
JVM_OPTIONS = ("-Xms32m", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError")
CLUSTER_ID = "local"
ANSWER_SECONDS = 2.0

CONFIGURATION = """\
dataDir={data}
clientPort={port}
clientPortAddress=127.0.0.1
# Sessions of twice to forty times this long may be asked for: 1 s to 40 s.
tickTime=500
# Its HTTP server would listen on every interface.
admin.enableServer=false
# Asked for its health; every other word stays off.
4lw.commands.whitelist=ruok
"""

CLIENT_SETTINGS: dict[str, object] = {
    "high-availability.type": "zookeeper",
    "high-availability.cluster-id": CLUSTER_ID,
    # a new JobManager waits until the dead one's session ends; its own start takes as long, so less wins little,
    # and a JobManager that gets no CPU for longer loses the lead (with 4 s it did, on two cores shared by forty)
    "high-availability.zookeeper.client.session-timeout": "6s",
    "high-availability.zookeeper.client.connection-timeout": "2s",
    "high-availability.zookeeper.client.retry-wait": "500ms",  # ZooKeeper itself is back in two seconds
    "high-availability.zookeeper.client.max-retry-attempts": 20,  # ten seconds; then its process starts again
    # ZooKeeper's own restart is shorter than a session: nobody loses the lead over it
    "high-availability.zookeeper.client.tolerate-suspended-connections": True,
}


def quorum(record: StackRecord) -> str:
    """Return where ZooKeeper listens, as host:port."""
    return f"{LOOPBACK}:{record.internal_ports['zookeeper']}"


def prepare_coordination(record: StackRecord, home: Home) -> None:
    """Write ZooKeeper's configuration and forget what an earlier stack kept there."""
    data = home.data / "zookeeper"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    home.run.mkdir(parents=True, exist_ok=True)
    _configuration(home).write_text(CONFIGURATION.format(data=data, port=record.internal_ports["zookeeper"]))


def coordination_program(record: StackRecord, home: Home, java: Path) -> Program:
    """Return how ZooKeeper runs."""
    logging = f"-Dlog4j2.configurationFile={HERE / 'zookeeper-log4j2.xml'}"
    main = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
    classes = ("-cp", f"{record.zookeeper_home}/*")
    return Program("zookeeper", (str(java), *classes, logging, *JVM_OPTIONS, main, str(_configuration(home))), 5)


def coordination_settings(record: StackRecord) -> dict[str, object]:
    """Return what Flink has to know to find its leader through ZooKeeper; nothing without high availability."""
    if not record.runs("zookeeper"):
        return {}
    return {
        **CLIENT_SETTINGS,
        "high-availability.zookeeper.quorum": quorum(record),
        "high-availability.storageDir": f"s3://{record.buckets.flink}/high-availability",
        "high-availability.jobmanager.port": record.internal_ports["jobmanager-rpc"],
    }


def coordination_problem(record: StackRecord) -> str | None:
    """Return why ZooKeeper cannot be used now, or None."""
    try:
        with socket.create_connection((LOOPBACK, record.internal_ports["zookeeper"]), ANSWER_SECONDS) as connection:
            connection.sendall(b"ruok")
            answer = connection.recv(16)
    except OSError as error:
        return f"does not answer ({type(error).__name__})"
    return None if answer == b"imok" else "is not serving"


def _configuration(home: Home) -> Path:
    return home.run / "zookeeper.properties"
