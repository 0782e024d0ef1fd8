"""The real local stack, one beside any other: its own home and ports. The tests run in order and share it."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psutil
import pytest
import urllib3

from darkroom.stack.inspection import taskmanager_pid
from darkroom.stack.layout import Home
from darkroom.stack.ports import choose_internal
from darkroom.stack.processes import marked_processes, python_workers
from darkroom.stack.supervision import is_supervised
from darkroom.target import Target, job_environment, resolve_target

pytestmark = pytest.mark.timeout(1500)  # a cold cache is filled here: the build of MinIO takes five minutes

PYTHON_JOB = """
import time
from pyflink.common import Types, WatermarkStrategy
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.number_seq import NumberSequenceSource

def slow(number):
    time.sleep(0.02)
    return number

if __name__ == "__main__":
    env = StreamExecutionEnvironment.get_execution_environment()
    source = NumberSequenceSource(1, 10**9)
    numbers = env.from_source(source, WatermarkStrategy.no_watermarks(), "numbers").uid("numbers")
    numbers.map(slow, output_type=Types.LONG()).uid("slow").print().uid("print")
    env.execute("a job with Python workers")
"""


def darkroom(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "darkroom", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1200, check=False)


def addresses(home: Path) -> dict[str, str]:
    """Return an environment for a stack of its own; nothing of the caller's stack shines through."""
    kafka, s3, console, flink = (str(port) for port in choose_internal(4))
    foreign = {"AWS_ACCESS_KEY_ID": "foreign", "AWS_SECRET_ACCESS_KEY": "foreign-secret"}
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("DARKROOM_") or "CACHE" in name},
        **foreign,
        "DARKROOM_HOME": str(home),
        "DARKROOM_KAFKA_PORT": kafka,
        "DARKROOM_S3_PORT": s3,
        "DARKROOM_S3_CONSOLE_PORT": console,
        "DARKROOM_FLINK_PORT": flink,
        "DARKROOM_SLOTS": "1",
    }


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("stack"))


@pytest.fixture(scope="module")
def environment(home: Home) -> dict[str, str]:
    return addresses(home.path)


@pytest.fixture(scope="module")
def stack(home: Home, environment: dict[str, str]) -> Iterator[Target]:
    told = darkroom(environment, "up")
    assert told.returncode == 0, told.stdout + told.stderr
    yield resolve_target(environment)
    darkroom(environment, "down", "--wipe")


@pytest.fixture
def other_environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    other = addresses(tmp_path / "other")
    yield other
    darkroom(other, "down", "--wipe")


def wait_until(what: str, look: Callable[[], object], seconds: float = 120) -> None:
    """Return as soon as `look` sees something; fail with what it saw last."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds:.0f} s for {what}, saw {seen!r}")
        time.sleep(0.2)


def test_every_part_is_healthy(stack: Target, environment: dict[str, str]) -> None:
    told = darkroom(environment, "ps", "--json")

    status = json.loads(told.stdout)
    assert told.returncode == 0
    assert status["healthy"] is True
    assert [(part["part"], part["state"], part["healthy"]) for part in status["parts"]] == [
        ("minio", "running", True),
        ("kafka", "running", True),
        ("jobmanager", "running", True),
        ("taskmanager", "running", True),
    ]


def test_up_again_changes_nothing(stack: Target, environment: dict[str, str], home: Home) -> None:
    before = {process.pid for process in marked_processes(home.path)}

    told = darkroom(environment, "up", "--json")

    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["environment"] == job_environment(stack)
    assert {process.pid for process in marked_processes(home.path)} == before


def test_a_second_stack_on_the_same_ports_is_refused_in_a_sentence_each(
    stack: Target, environment: dict[str, str], tmp_path: Path
) -> None:
    told = darkroom({**environment, "DARKROOM_HOME": str(tmp_path / "second")}, "up")

    assert told.returncode == 2
    words = " ".join(told.stderr.split())
    for part, option in (("Kafka", "--kafka-port"), ("MinIO", "--s3-port"), ("Flink's web interface", "--flink-port")):
        assert f"for {part} is taken by" in words
        assert f"choose another port with {option}" in words
    assert marked_processes(tmp_path / "second") == []


def test_a_running_stack_serves_as_an_external_one(
    stack: Target, environment: dict[str, str], other_environment: dict[str, str]
) -> None:
    external = {
        **other_environment,
        "DARKROOM_KAFKA_BOOTSTRAP": stack.kafka_bootstrap,
        "DARKROOM_S3_ENDPOINT": stack.s3_endpoint,
        "DARKROOM_FLINK_URL": stack.flink_url,
        "AWS_SHARED_CREDENTIALS_FILE": str(stack.credentials_file),
        "DARKROOM_EVENTS_TOPIC": "events-of-another",
    }

    up, ps = darkroom(external, "up"), darkroom(external, "ps", "--json")

    assert (up.returncode, ps.returncode) == (0, 0), up.stderr
    assert {part["state"] for part in json.loads(ps.stdout)["parts"]} == {"external"}
    assert marked_processes(Path(external["DARKROOM_HOME"])) == []


def test_an_external_part_that_does_not_answer_is_told(
    stack: Target, other_environment: dict[str, str], tmp_path: Path
) -> None:
    nowhere = f"127.0.0.1:{choose_internal(1)[0]}"

    told = darkroom({**other_environment, "DARKROOM_KAFKA_BOOTSTRAP": nowhere}, "up")

    assert told.returncode == 1
    assert f"Kafka at {nowhere} does not answer" in " ".join(told.stderr.split())
    assert marked_processes(Path(other_environment["DARKROOM_HOME"])) == []


def test_no_secret_is_in_an_argument_an_environment_a_log_or_a_generated_file(stack: Target, home: Home) -> None:
    secret = home.credentials.read_text().split("aws_secret_access_key = ")[1].strip()
    holders = {home.credentials, home.run / "minio-root-password"}

    for process in marked_processes(home.path):
        assert secret not in " ".join(process.cmdline())
        assert secret not in str(process.environ())
        assert "foreign-secret" not in str(process.environ())
    for file in (path for folder in (home.run, home.logs) for path in folder.rglob("*") if path.is_file()):
        assert file in holders or secret.encode() not in file.read_bytes(), file
    assert {stat.S_IMODE(holder.stat().st_mode) for holder in holders} == {0o600}


def test_everything_listens_on_the_loopback_interface_only(stack: Target, home: Home) -> None:
    pids = {process.pid for process in marked_processes(home.path)}

    hosts = {c.laddr.ip for c in psutil.net_connections("tcp") if c.pid in pids and c.status == psutil.CONN_LISTEN}

    assert hosts <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}


def test_a_killed_taskmanager_comes_back_without_its_orphaned_workers(
    stack: Target, environment: dict[str, str], home: Home, tmp_path: Path
) -> None:
    job = submit(stack, environment, tmp_path)
    wait_until("Python workers and a checkpoint on S3", lambda: python_workers(home.path) and checkpoints(stack, job))
    workers, killed = python_workers(home.path), taskmanager_pid(home)
    assert killed is not None

    os.kill(killed, signal.SIGKILL)

    wait_until("the end of the orphaned workers", lambda: not any(psutil.pid_exists(pid) for pid in workers))
    wait_until("new Python workers", lambda: python_workers(home.path))
    wait_until("a restored job", lambda: restored(stack, job))
    assert taskmanager_pid(home) not in (None, killed)


def test_up_mends_a_stack_whose_supervisor_was_killed(stack: Target, environment: dict[str, str], home: Home) -> None:
    pid = int((home.run / "supervisord.pid").read_text())
    os.kill(pid, signal.SIGKILL)
    wait_until("the end of the supervisor", lambda: not is_supervised(home))
    assert darkroom(environment, "ps").returncode == 1

    told = darkroom(environment, "up")

    assert told.returncode == 0, told.stderr
    assert "that an earlier stack left behind" in told.stdout
    assert darkroom(environment, "ps").returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_up_leaves_nothing_behind(
    stack: Target, other_environment: dict[str, str], number: signal.Signals
) -> None:
    other = Home(Path(other_environment["DARKROOM_HOME"]))
    command = [sys.executable, "-m", "darkroom", "up"]
    with subprocess.Popen(
        command,
        env=other_environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background job ignores it
    ) as up:
        wait_until("a first process of the stack", lambda: is_supervised(other))
        up.send_signal(number)
        status = up.wait(180)

    assert status == 130
    assert marked_processes(other.path) == []
    assert not other.record.exists()


def test_down_leaves_no_process_and_keeps_the_data(
    stack: Target, environment: dict[str, str], home: Home, tmp_path: Path
) -> None:
    submit(stack, environment, tmp_path)
    wait_until("Python workers", lambda: python_workers(home.path))
    workers, killed = python_workers(home.path), taskmanager_pid(home)
    assert killed is not None
    os.kill(killed, signal.SIGKILL)

    told = darkroom(environment, "down")

    assert told.returncode == 0, told.stderr
    assert marked_processes(home.path) == []
    wait_until("the end of the orphaned workers", lambda: not any(psutil.pid_exists(pid) for pid in workers))
    assert (home.data / "kafka" / "image-events-0").is_dir()
    assert darkroom(environment, "ps").returncode == 1


def test_down_twice_is_harmless_and_wipe_removes_everything(
    stack: Target, environment: dict[str, str], home: Home
) -> None:
    told = darkroom(environment, "down", "--wipe")

    assert told.returncode == 0, told.stderr
    assert not home.path.exists()


def submit(stack: Target, environment: dict[str, str], folder: Path) -> str:
    """Submit a job with Python workers and a checkpoint every second; return its id."""
    script = folder / "job.py"
    script.write_text(PYTHON_JOB)
    command = [f"{stack.flink_home}/bin/flink", "run", "--detached", "--python", str(script)]
    command += ["-Dexecution.checkpointing.interval=1s", "-Dexecution.checkpointing.min-pause=100ms"]
    client = {**environment, **job_environment(stack), "FLINK_CONF_DIR": str(stack.flink_conf_dir)}
    told = subprocess.run(command, env=client, capture_output=True, text=True, timeout=300, check=False)
    assert "JobID " in told.stdout, told.stdout + told.stderr
    return told.stdout.split("JobID ")[1].split()[0]


def checkpoints(stack: Target, job: str) -> int:
    """Return the number of completed checkpoints."""
    return int(_checkpoint_counts(stack, job).get("completed", 0))


def restored(stack: Target, job: str) -> int:
    """Return how many times the job was restored from a checkpoint."""
    return int(_checkpoint_counts(stack, job).get("restored", 0))


def _checkpoint_counts(stack: Target, job: str) -> dict[str, int]:
    answer = urllib3.request("GET", f"{stack.flink_url}/jobs/{job}/checkpoints", timeout=20, retries=False)
    return answer.json().get("counts", {}) if answer.status == 200 else {}
