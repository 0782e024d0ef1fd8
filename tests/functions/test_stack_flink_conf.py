"""Flink ignores a misspelt option without a word, so every name is looked up in Flink's own classes."""

import zipfile
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from darkroom.stack.cluster import APPLICATION_CONF, local_settings, prepare_cluster
from darkroom.stack.layout import Cache, Home
from darkroom.stack.plan import Options, plan_stack

READ_BY_FLINKS_SCRIPTS = {"env.java.opts.all", "env.log.dir", "env.pid.dir", "env.stdout-err.redirect-to-file"}


def unknown_options(names: Iterable[str], jars: Iterable[Path]) -> set[str]:
    """Return the names that no class of Flink's option holders has as a constant."""
    unknown = set(names)
    for jar in jars:
        with zipfile.ZipFile(jar) as archive:
            for entry in archive.namelist():
                if entry.startswith("org/apache/flink/") and entry.endswith(("Options.class", "Factory.class")):
                    constants = archive.read(entry)
                    # a class file's constant: its length in two bytes, then its text
                    unknown -= {name for name in unknown if len(name).to_bytes(2) + name.encode() in constants}
    return unknown


@pytest.fixture(scope="module")
def flink_jars() -> list[Path]:
    spec = find_spec("pyflink")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    folder = Path(next(iter(spec.submodule_search_locations)))
    return [*folder.glob("lib/flink-dist-*.jar"), *folder.glob("opt/flink-python-*.jar")]


def test_every_application_setting_is_an_option_of_flink(flink_jars: list[Path]) -> None:
    settings = YAML(typ="safe").load(APPLICATION_CONF / "config.yaml")

    assert unknown_options(settings.keys() - READ_BY_FLINKS_SCRIPTS, flink_jars) == set()


def test_every_local_setting_is_an_option_of_flink(flink_jars: list[Path], tmp_path: Path) -> None:
    record = plan_stack(Home(tmp_path), Cache(tmp_path), Options(high_availability=True, proxied=True), {})
    names = {name for name in local_settings(record, Home(tmp_path)) if not name.startswith("s3.")}

    assert unknown_options(names - READ_BY_FLINKS_SCRIPTS, flink_jars) == set()


def test_a_misspelt_option_is_found(flink_jars: list[Path]) -> None:
    assert unknown_options(["execution.checkpointing.intervall"], flink_jars) == {"execution.checkpointing.intervall"}


def test_every_application_setting_has_its_reason_beside_it() -> None:
    lines = (APPLICATION_CONF / "config.yaml").read_text().splitlines()

    assert [line for line in lines if line and not line.startswith("#") and "  # " not in line] == []


def test_the_effective_file_is_the_application_s_and_this_machine_s(tmp_path: Path) -> None:
    home = Home(tmp_path / 'a "strange" home')
    record = plan_stack(home, Cache(tmp_path), Options(slots=3), {"DARKROOM_FLINK_BUCKET": "elsewhere"})

    prepare_cluster(record, home)

    effective = YAML(typ="safe").load(home.flink_conf / "config.yaml")  # refuses a name given twice
    assert effective["execution.checkpointing.dir"] == "s3://elsewhere/checkpoints"
    assert effective["taskmanager.numberOfTaskSlots"] == 3
    assert effective["env.log.dir"] == str(home.logs / "flink")
    assert not {name for name in effective if "access-key" in name or "secret" in name}


@pytest.mark.parametrize("file", ["log4j-console.properties", "log4j-cli.properties", "log4j.properties"])
def test_the_loggers_that_print_the_environment_are_off(file: str) -> None:
    text = (APPLICATION_CONF / file).read_text()

    assert "logger.beamenv.name = org.apache.beam.runners.fnexecution.control.DefaultJobBundleFactory" in text
    assert "logger.beamenv.level = OFF" in text
    assert "logger.pythonenv.name = org.apache.flink.client.python.PythonEnvUtils" in text
    assert "logger.pythonenv.level = WARN" in text
