"""The one process behind this package, and the frames that travel to it and back.

A frame is a line of JSON, whose ``arrays`` holds lengths in bytes, and then so many ``.npy`` files of these lengths.
"""

from __future__ import annotations

import atexit
import io
import json
import os
import subprocess
import sys
import tempfile
import threading
from typing import Any, Iterable, Mapping, Sequence

import numpy as np

from . import _runtime
from ._errors import InputError, RunError, ServerError

#: What a pipe is to hold, where the system lets a program say so (Linux; its default is 64 KB).
_PIPE_BYTES = 1 << 20
_F_SETPIPE_SZ = 1031
#: Frames up to here are written and read by one system call.
_SMALL = 1 << 16
#: How long the process may take to end once its input has ended, in seconds.
_PATIENCE = 2.0


class Server:
    """Starts the process at the first call, hands it one call after the other, and ends it with the interpreter."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: Any = None
        self._held = memoryview(b"")
        self._calls = 0

    @property
    def pid(self) -> int | None:
        """The number of the process; None where none runs."""
        return None if self._process is None else self._process.pid

    def call(
        self, method: str, params: Mapping[str, Any], arrays: Sequence[np.ndarray]
    ) -> tuple[Any, list[np.ndarray]]:
        """Result and arrays of a call. The arrays must lie in memory in C order."""
        with self._lock:
            process = self._running()
            self._calls += 1
            try:
                self._send(process, {"id": self._calls, "method": method, "params": params}, arrays)
                answer, out = self._receive(process)
            except (EOFError, OSError, ValueError, KeyError) as error:
                raise self._died(error) from None
            except BaseException:
                # An interrupt: the rest of the answer would be taken for the next one.
                self._end(kill=True)
                raise
        fault = answer.get("error")
        if fault is not None:
            raise (InputError if fault["kind"] == "input" else RunError)(fault["message"])
        return answer["result"], out

    def close(self) -> None:
        """Ends the process, where one runs; it is killed where a call is under way in another thread."""
        if self._lock.acquire(timeout=_PATIENCE):
            try:
                self._end()
            finally:
                self._lock.release()
        elif self._process is not None:
            self._process.kill()

    def forget(self) -> None:
        """In a forked child: the process is the parent's, and so are the calls under way."""
        process, errors = self._process, self._errors
        self._lock = threading.Lock()
        self._process, self._errors, self._held = None, None, memoryview(b"")
        if process is not None:
            # Only this child's copies. Open ones would keep the process alive after the parent has ended.
            for stream in (process.stdin, process.stdout, errors):
                stream.close()
            process.returncode = 0

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is not None:
            # It ended between two calls, which costs nobody anything.
            self._end()
        if self._process is None:
            command = [_runtime.node(), _runtime.main(), "serve"]
            debugging = bool(os.environ.get("HALFDICE_DEBUG"))
            self._errors = tempfile.TemporaryFile()
            self._process = subprocess.Popen(
                command,
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=None if debugging else self._errors,
                # A folder that stays: Node.js does not start in one that was removed.
                cwd=os.path.dirname(command[1]),
            )
            for stream in (self._process.stdin, self._process.stdout):
                _enlarge(stream.fileno())  # type: ignore[union-attr]
        return self._process

    def _end(self, kill: bool = False) -> None:
        process, errors = self._process, self._errors
        self._process, self._errors, self._held = None, None, memoryview(b"")
        if process is None:
            return
        if kill:
            process.kill()
        for stream in (process.stdin, process.stdout):
            try:
                stream.close()  # type: ignore[union-attr]
            except OSError:
                pass
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        errors.close()

    def _died(self, error: Exception) -> ServerError:
        process, errors = self._process, self._errors
        assert process is not None
        try:
            code: int | None = process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            code = None
        size = errors.seek(0, io.SEEK_END)
        errors.seek(max(0, size - 2000))
        said = errors.read().decode("utf-8", "replace").strip()
        self._end(kill=True)
        how = f"with exit code {code}" if code is not None else f"({error})"
        return ServerError(f"halfdice: its process ended {how}; call again, a new one starts. It said: {said or '-'}")

    def _send(
        self, process: subprocess.Popen[bytes], head: Mapping[str, Any], arrays: Sequence[np.ndarray]
    ) -> None:
        parts: list[Any] = []
        lengths = []
        for array in arrays:
            start = _npy_head(array)
            lengths.append(len(start) + array.nbytes)
            parts += [start, array.reshape(-1).view(np.uint8).data]
        line = json.dumps({**head, "arrays": lengths}, allow_nan=False).encode() + b"\n"
        if len(line) + sum(lengths) <= _SMALL:
            parts = [b"".join([line, *parts])]
        else:
            parts.insert(0, line)
        _write_all(process.stdin, parts)

    def _receive(self, process: subprocess.Popen[bytes]) -> tuple[Any, list[np.ndarray]]:
        answer = json.loads(self._line(process.stdout))
        if answer["id"] != self._calls:
            raise EOFError("an answer to another call")
        return answer, [self._array(process.stdout) for _ in answer["arrays"]]

    def _line(self, stream: Any) -> bytes:
        line = bytearray()
        while True:
            if len(self._held) == 0:
                self._held = _some(stream)
            end = bytes(self._held).find(b"\n")
            if end >= 0:
                line += self._held[:end]
                self._held = self._held[end + 1 :]
                return bytes(line)
            line += self._held
            self._held = memoryview(b"")

    def _array(self, stream: Any) -> np.ndarray:
        head = bytearray(10)
        self._fill(stream, memoryview(head))
        rest = bytearray(int.from_bytes(head[8:10], "little"))
        self._fill(stream, memoryview(rest))
        shape, _, dtype = np.lib.format.read_array_header_1_0(io.BytesIO(head[8:10] + rest))
        array = np.empty(shape, dtype)
        self._fill(stream, memoryview(array.reshape(-1).view(np.uint8)))
        return array

    def _fill(self, stream: Any, out: memoryview) -> None:
        count = min(len(self._held), len(out))
        out[:count] = self._held[:count]
        self._held = self._held[count:]
        while count < len(out):
            read = stream.readinto(out[count:])
            if not read:
                raise EOFError("the end of its output")
            count += read


def _npy_head(array: np.ndarray) -> bytes:
    head = io.BytesIO()
    descr = np.lib.format.dtype_to_descr(array.dtype)
    np.lib.format.write_array_header_1_0(head, {"descr": descr, "fortran_order": False, "shape": array.shape})
    return head.getvalue()


def _some(stream: Any) -> memoryview:
    block = bytearray(_SMALL)
    count = stream.readinto(block)
    if not count:
        raise EOFError("the end of its output")
    return memoryview(block)[:count]


def _write_all(stream: Any, parts: Iterable[Any]) -> None:
    for part in parts:
        rest = memoryview(part)
        while len(rest) > 0:
            rest = rest[stream.write(rest) :]


def _enlarge(descriptor: int) -> None:
    if sys.platform != "linux":
        return
    import fcntl

    try:
        fcntl.fcntl(descriptor, _F_SETPIPE_SZ, _PIPE_BYTES)
    except OSError:
        pass  # More than this user may have: the pipe stays as it is.


server = Server()
atexit.register(server.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=server.forget)
