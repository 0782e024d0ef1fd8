"""No text of a stranger passes for a line of Flink's logs: the three configurations, run by log4j itself."""

import re
import subprocess
from pathlib import Path

import pyflink
import pytest

CONFIGURATIONS = ("log4j.properties", "log4j-console.properties", "log4j-cli.properties")
PROJECT = Path(__file__).parents[2]
FORGED = "2026-01-01 00:00:00,000 ERROR forged"
LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (INFO|WARN|ERROR) ")
BREAKS = {
    "line feed": "\n",
    "carriage return": "\r",
    "both": "\r\n",
    "next line": "\x85",
    "line separator": "\u2028",
    "vertical tab": "\v",
    "form feed": "\f",
}


def logged(configuration: str, text: str, folder: Path) -> str:
    jars = ":".join(str(jar) for jar in sorted((Path(pyflink.__file__).parent / "lib").glob("log4j-*.jar")))
    file = folder / "a.log"
    options = [f"-Dlog4j.configurationFile={PROJECT / 'flink-conf' / configuration}", f"-Dlog.file={file}"]
    source = str(Path(__file__).parent / "java" / "LogLines.java")
    command = ["java", "-Dfile.encoding=UTF-8", "-Dsun.jnu.encoding=UTF-8", "-cp", jars, *options, source, text]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60, env={"LC_ALL": "C.UTF-8", "PATH": PATH})
    assert "ERROR" not in done.stderr.decode(), done.stderr
    return file.read_bytes().decode("utf-8")


PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_no_line_of_the_log_is_a_stranger_s(configuration: str, tmp_path: Path) -> None:
    text = "x" + "".join(f"{break_}{FORGED} by {name}" for name, break_ in BREAKS.items())
    found = logged(configuration, text, tmp_path)

    lines = found.splitlines()  # at every character that any reader could take for the end of a line
    assert found.count("forged by line feed") == 3  # the message, the exception and its cause do tell what they were
    assert len([line for line in lines if LINE.match(line)]) == 3
    assert all(LINE.match(line) or line.startswith("  | ") for line in lines)
    assert not [line for line in lines if LINE.match(line) and "forged" in line.split(" - ")[0]]


def test_nothing_in_a_log_is_for_a_terminal_to_act_on(tmp_path: Path) -> None:
    found = logged("log4j.properties", "\x1b[31mred\x1b[0m \x1b]0;title\x07 \u202edrawkcab \x9b2J", tmp_path)

    assert "red" in found
    assert all(character.isprintable() or character in "\t\n" for character in found)


def test_an_exception_is_written_once_with_its_stack(tmp_path: Path) -> None:
    found = logged("log4j.properties", "text", tmp_path)

    assert found.count("java.lang.RuntimeException: outer: text") == 1
    assert "  | \tat LogLines.main(" in found
    assert "  | Caused by: java.lang.IllegalStateException: by a cause: text" in found
