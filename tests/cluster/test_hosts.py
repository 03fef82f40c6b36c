"""The machines are what a cluster is made of: they reach one another and share no files."""

from pathlib import Path

from tests.cluster.hosts import Host

CHECKOUT = Path(__file__).parents[2]


def test_a_host_is_reached_over_ssh_and_has_processes_and_files_of_its_own(
    machines: list[Host],
) -> None:
    laptop, head, worker, _ = machines
    for host in (laptop, head):
        (host.disk / "home" / "note").write_text(f"{host.name}'s")
    quiet = ["-q", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
    assert laptop.run("ssh", *quiet, head.address, "cat note; hostname") == "head'shead\n"
    assert "note" not in worker.run("ls", "/root")
    assert worker.run("ls", "-A", "/dev/shm") == ""
    assert len(worker.processes()) < 5
    project = str(CHECKOUT / "pyproject.toml")
    assert "No such file" in worker.run("ls", project, check=False)
    assert laptop.run("ls", project).strip() == project
