"""The Toxiproxy part: between the job and Kafka and MinIO, so that a test can break the network between them.

The operator's commands connect directly. Toxiproxy forgets faults and changed upstreams when it dies; the two proxies
come back from its configuration.
"""

import json
from pathlib import Path
from urllib.parse import urlsplit

import urllib3

from darkroom.stack.layout import Home
from darkroom.stack.ports import LOOPBACK
from darkroom.stack.program import Program
from darkroom.stack.record import StackRecord

ANSWER_SECONDS = 2.0


def prepare_proxy(record: StackRecord, home: Home) -> None:
    """Write the configuration from which every start of Toxiproxy makes the two proxies."""
    upstreams = {
        "kafka": f"{LOOPBACK}:{record.internal_ports['kafka-proxied']}",
        "s3": urlsplit(record.s3_endpoint).netloc,
    }
    proxies = [
        {"name": name, "listen": record.proxies[name], "upstream": upstream, "enabled": True}
        for name, upstream in upstreams.items()
    ]
    home.run.mkdir(parents=True, exist_ok=True)
    _configuration(home).write_text(json.dumps(proxies, indent=2) + "\n")


def proxy_program(record: StackRecord, home: Home, toxiproxy: Path) -> Program:
    """Return how Toxiproxy runs."""
    address = urlsplit(record.toxiproxy_url or "")
    listen = ("-host", str(address.hostname), "-port", str(address.port))
    return Program("toxiproxy", (str(toxiproxy), *listen, "-config", str(_configuration(home))), 25)


def proxy_problem(record: StackRecord) -> str | None:
    """Return why the job cannot connect through the proxies now, or None; a proxy switched off is no problem."""
    try:
        answer = urllib3.request("GET", f"{record.toxiproxy_url}/proxies", timeout=ANSWER_SECONDS, retries=False)
    except urllib3.exceptions.HTTPError as error:
        return f"does not answer ({type(error).__name__})"
    missing = sorted(record.proxies.keys() - answer.json().keys())
    return f"has no proxy {' and '.join(missing)}" if missing else None


def _configuration(home: Home) -> Path:
    return home.run / "toxiproxy.json"
