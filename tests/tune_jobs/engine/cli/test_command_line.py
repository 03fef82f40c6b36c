"""The commands as a user types them, in a process of their own; none of these starts Ray."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import tune_jobs
from tune_jobs.digits_cnn import JOB
from tune_jobs.engine.cli.command_line import build_parser
from tune_jobs.engine.cli.output import CLOSED, OutputClosedError, OutputConsole

FORMATS = Path(__file__).parents[3] / "formats" / "c302f04"


def run_module(*arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    program = (
        "import sys; from tune_jobs.digits_cnn import JOB; "
        "from tune_jobs.engine.cli.command_line import build_parser; "
        "print(build_parser(JOB).format_help()); "
        "print([m for m in ('torch', 'ray', 'optuna', 'sklearn', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
    assert "--trials N" in done.stdout
    assert "(default: 16)" in done.stdout
    assert "\n  csv:PATH " in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--max-latency", "5 sec"],
            "argument --max-latency: '5 sec': must be a number with ms, s,",
        ),
        (
            ["--max-parameters", "1m"],
            "argument --max-parameters: '1m': must be a number, also with k",
        ),
        (["--image-size", "big"], "argument --image-size: 'big': must be a whole number, or auto"),
        (
            ["--gpus-per-trial", "all"],
            "argument --gpus-per-trial: 'all': must be a number, or auto",
        ),
    ],
)
def test_a_quantity_that_cannot_be_read_is_answered_by_its_rule(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        build_parser(JOB).parse_args(words)
    assert said in capsys.readouterr().err


OWN_JOB = """
from searchspaces import cnn
from tune_jobs.engine import Job, main

JOB = Job(name="mine", dataset="digits", architecture="cnn", space=cnn.space, trials=2, epochs=1)

if __name__ == "__main__":
    main(JOB)
"""


@pytest.mark.parametrize("words", [["-m", "mine.job"], ["mine/job.py"]])
def test_help_names_the_program_as_it_was_started(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "job.py").write_text(OWN_JOB)
    done = subprocess.run(
        [sys.executable, *words, "--help"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"usage: python {' '.join(words)} [-h]")


def test_sub_commands_are_named_as_they_were_started(tmp_path: Path) -> None:
    program = "python -m tune_jobs"
    for words in ([], ["predict"], ["preflight"], ["leaderboard"], ["leaderboard", "rebuild"]):
        done = run_module("tune_jobs", *words, "--help", cwd=tmp_path)
        assert done.stdout.startswith(f"usage: {' '.join([program, *words])} [-h]")


@pytest.mark.parametrize("words", [[], ["jobs"]])
def test_the_catalogue_lists_every_job(tmp_path: Path, words: list[str]) -> None:
    done = run_module("tune_jobs", *words, cwd=tmp_path)
    assert done.returncode == 0
    assert "digits_cnn" in done.stdout
    assert "fashion_resnet" in done.stdout


def test_the_version_is_the_packages(tmp_path: Path) -> None:
    done = run_module("tune_jobs", "--version", cwd=tmp_path)
    assert done.stdout == f"tune-jobs {tune_jobs.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--trials", "0"], "--trials = 0: must be at least 1"),
        (["--sampler", "grid"], "--sampler"),
        (["--dataset", "digit"], "digits"),
        (["--dataset", "folder:nowhere"], "nowhere"),
        (["--resume", "nothing"], "--resume = 'nothing': there is no such run"),
        (["--storage", "/proc/nowhere"], "--storage"),
        (["--time-budget", "soon"], "--time-budget"),
        (["--train-size", "7"], "--train-size"),
    ],
)
def test_a_wrong_request_exits_2_and_says_what_is_wrong(
    tmp_path: Path, arguments: list[str], named: str
) -> None:
    done = run_module("tune_jobs.digits_linear", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert named in done.stderr
    assert "Traceback" not in done.stderr


def test_predict_names_a_missing_model(tmp_path: Path) -> None:
    image = tmp_path / "image.png"
    image.write_bytes(b"")
    done = run_module("tune_jobs", "predict", "none.safetensors", str(image), cwd=tmp_path)
    assert done.returncode == 2
    assert "none.safetensors" in done.stderr


READ_ONE_LINE = """
import subprocess, sys
child = subprocess.Popen(
    sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
)
child.stdout.readline()
child.stdout.close()
print(child.stderr.read())
sys.exit(child.wait())
"""


@pytest.mark.parametrize(
    "command", [("tune_jobs",), ("tune_jobs", "leaderboard", str(FORMATS), "--format", "json")]
)
def test_a_pipe_that_closes_is_no_error(command: tuple[str, ...], tmp_path: Path) -> None:
    words = [sys.executable, "-c", READ_ONE_LINE, sys.executable, "-u", "-m", *command]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == ""
    assert done.returncode in (0, CLOSED)  # 0: all was in the pipe before it closed


READ_NOTHING = """
import os, subprocess, sys
read, write = os.pipe()
os.close(read)
streams = {name: write if name in sys.argv[1].split() else subprocess.PIPE
           for name in ("stdout", "stderr")}
child = subprocess.run(sys.argv[2:], text=True, **streams)
print((child.stdout or "") + (child.stderr or ""))
sys.exit(child.returncode)
"""


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    ("closed", "words", "statuses"),
    [
        ("stdout", "tune_jobs.digits_mlp --help", (0, CLOSED)),
        ("stdout", "tune_jobs --help", (0, CLOSED)),
        ("stdout", "tune_jobs --version", (0, CLOSED)),
        ("stdout", "tune_jobs leaderboard rebuild --help", (0, CLOSED)),
        ("stdout", "tune_jobs jobs", (CLOSED,)),
        ("stdout stderr", "tune_jobs.digits_mlp --trials many", (2,)),
        ("stdout stderr", "tune_jobs.digits_mlp --trials 0", (CLOSED,)),
        ("stdout stderr", "tune_jobs nonsense", (2,)),
        ("stderr", "tune_jobs predict none.safetensors none.png", (CLOSED,)),
    ],
)
def test_a_command_that_nobody_reads_ends_quietly(
    tmp_path: Path, closed: str, words: str, statuses: tuple[int, ...], unbuffered: str
) -> None:
    """0 where argparse itself has passed over the closed pipe."""
    command = [sys.executable, "-c", READ_NOTHING, closed, sys.executable, "-m", *words.split()]
    env = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, env=env
    )
    assert done.stdout.strip() == ""
    assert done.stderr == ""
    assert done.returncode in statuses


def test_a_pipe_of_something_else_that_breaks_is_an_error(tmp_path: Path) -> None:
    program = (
        "from tune_jobs.engine.cli.output import run_into_pipe\n"
        "def command(): raise BrokenPipeError('of a worker')\n"
        "run_into_pipe(command)"
    )
    words = [sys.executable, "-c", program]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "BrokenPipeError: of a worker" in done.stderr


def test_a_run_whose_output_closes_says_how_to_go_on(
    tmp_path: Path,
) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as closed, pytest.raises(OutputClosedError):
        OutputConsole(file=closed).print("x" * 100_000)
    command = [sys.executable, "-m", "tune_jobs.digits_mlp", "--run-id", "one", "--trials", "1"]
    words = [sys.executable, "-c", READ_ONE_LINE, *command]
    env = {**os.environ, "PYTHONUNBUFFERED": "1"}
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == CLOSED
    assert "Traceback" not in done.stdout
    assert "the run has stopped\nresume: python -m tune_jobs.digits_mlp" in done.stdout
