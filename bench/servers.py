"""The servers that are measured: started each on a port of its own, asked for their CPU time,
compared, ended."""

import json
import os
import pathlib
import random
import resource
import socket
import statistics
import subprocess
import sys
import time


def fail(sentence):
    raise SystemExit(f"{pathlib.Path(sys.argv[0]).name}: {sentence}")


def free_port():
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_certificate(directory):
    """`certificate` and `key` in that directory, for localhost."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{directory}/key", "-out",
                    f"{directory}/certificate", "-subj", "/CN=localhost"],
                   check=True, capture_output=True)


def run_load(server, program, *arguments, seconds, core=None):
    """Runs a load generator on that core, or on any: what it prints, which is JSON."""
    command = [program, "--port", server.port, "--pid", server.process.pid, *arguments, "--seconds",
               seconds]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=seconds + 60,
                          preexec_fn=(lambda: os.sched_setaffinity(0, {core})) if core is not None
                          else None)
    if done.returncode != 0:
        fail(f"{server.name}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def compare_with_bun(label, unit, servers, rounds, measure, goal=None):
    """Has `measure(server)` tell the nanoseconds of each server in each round, one server right
    after the other in random order, and prints a line: the medians, and those of the ratios within
    a round. Whether the goal beside Bun is missed; without Bun it is not."""
    figures = {server.name: [] for server in servers}
    for _ in range(rounds):
        for server in random.sample(servers, len(servers)):
            figures[server.name].append(measure(server))

    def ratio(one, other):
        within = [ours / theirs for ours, theirs in zip(figures[one], figures[other])]
        median = statistics.median(within)
        told.append(f"{one} / {other} {median:.2f} ({min(within):.2f} to {max(within):.2f})")
        return median
    told = []
    ratio("hotline", "floor")
    missed = False
    if "bun" in figures:
        ratio("floor", "bun")
        median = ratio("hotline", "bun")
        if goal is not None:
            told.append(f"goal ≤ {goal}")
            missed = median > goal
    print(f"{label}: " + ", ".join(f"{name} {statistics.median(of):,.0f} {unit}"
                                   for name, of in figures.items()) + "; " + ", ".join(told),
          flush=True)
    return missed


class Server:
    """A server that listens; {port} in its command is replaced. `cores`: where it runs."""

    def __init__(self, name, command, cores=None, port=None):
        self.name = name
        self.port = port or free_port()
        words = [str(word).replace("{port}", str(self.port)) for word in command]

        def prepare():
            _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
            if cores:
                os.sched_setaffinity(0, cores)
        try:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL,
                                            stdout=subprocess.DEVNULL, preexec_fn=prepare)
        except OSError as error:
            fail(f"{name}: {words[0]} cannot be started: {error.strerror}")
        try:
            self.wait_until_listening()
        except BaseException:
            self.stop()
            raise

    def wait_until_listening(self):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                fail(f"{self.name} ended with {self.process.returncode}")
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1) as client:
                    return self.check(client)
            except OSError:
                time.sleep(0.02)
        fail(f"{self.name} does not listen on port {self.port}")

    def check(self, client):
        """Whether what listens is what was meant; for those that can tell."""

    def cpu(self):
        """Nanoseconds on a core, and waiting for one: of all its threads, and of the processes that
        it has started (nginx: master and worker)."""
        pid = self.process.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        used = waited = 0
        for each in [pid, *children]:
            for file in pathlib.Path(f"/proc/{each}/task").glob("*/schedstat"):
                numbers = file.read_text().split()
                used += int(numbers[0])
                waited += int(numbers[1])
        return used, waited

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            print(f"{self.name} did not end on SIGTERM", file=sys.stderr)
            self.process.kill()
            self.process.wait()
