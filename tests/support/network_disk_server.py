"""A network disk: what the kernel asks over /dev/fuse is done in a real folder, or has to wait, or is called stale.

`network_disk_server.py BACKING FOLDER SOCKET COMMAND...` mounts BACKING on FOLDER and becomes COMMAND, while a process
of its own serves the mount. It is told what to do over SOCKET, and ends with it: then the kernel lets everybody go who
still waits. While the disk hangs nothing is read from the kernel, so whoever waits can be killed, as on a hard mount.
The protocol is that of linux/fuse.h, version 7.31; structures are in the machine's byte order.
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
import socket
import stat
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_VERSION = (7, 31)
_LARGEST_WRITE = 128 * 1024
_BUFFER = _LARGEST_WRITE + 64 * 1024
_ROOT = 1
_NOSUID_NODEV = 2 | 4
_DIRECT_IO = 1  # nothing is answered from the kernel's own memory
_MODE, _OWNER, _GROUP, _SIZE, _ATIME, _MTIME, _ATIME_NOW, _MTIME_NOW = 1, 2, 4, 8, 16, 32, 128, 256

_IN = struct.Struct("IIQQIIII")  # length, opcode, request, node, user, group, process, padding
_OUT = struct.Struct("IiQ")  # length, minus errno, request
_ATTRIBUTES = struct.Struct("6Q10I")
_ENTRY = struct.Struct("QQQQII")  # node, generation, how long name and attributes hold
_ATTR_OUT = struct.Struct("QII")
_OPENED = struct.Struct("QII")
_SETATTR = struct.Struct("II6Q8I")
_TRANSFER = struct.Struct("QQIIQII")  # reading and writing: handle, offset, size, flags, lock owner, flags, padding
_STATFS = struct.Struct("5Q4I24x")
_ENTRY_OF_FOLDER = struct.Struct("QQII")
_FIRST_ANSWER = struct.Struct("4I2H2I2HI28x")

LOOKUP, FORGET, GETATTR, SETATTR, MKDIR, UNLINK, RMDIR, RENAME, LINK = 1, 2, 3, 4, 9, 10, 11, 12, 13
OPEN, READ, WRITE, STATFS, RELEASE, FSYNC, FLUSH, INIT, OPENDIR = 14, 15, 16, 17, 18, 20, 25, 26, 27
READDIR, RELEASEDIR, FSYNCDIR, CREATE, INTERRUPT, BATCH_FORGET = 28, 29, 30, 35, 36, 42
_UNANSWERED = frozenset({FORGET, BATCH_FORGET, INTERRUPT})


class Passthrough:
    """Does in a folder what requests ask for. Nodes are files held open by O_PATH, handles are descriptors."""

    def __init__(self, backing: str) -> None:
        self._descriptors = {_ROOT: os.open(backing, os.O_PATH | os.O_DIRECTORY)}
        self._known: dict[tuple[int, int], int] = {}
        self._lookups = {_ROOT: 1}
        self._listings: dict[int, list[tuple[int, bytes, int]]] = {}
        self._newest = _ROOT
        self.handlers: dict[int, Callable[[int, bytes], bytes | None]] = {
            INIT: self._init,
            LOOKUP: lambda node, body: self._entry(node, _name(body)),
            FORGET: lambda node, body: self._forget(node, _numbers(body, "Q")[0]),
            BATCH_FORGET: self._forget_many,
            INTERRUPT: lambda _node, _body: b"",
            GETATTR: lambda node, _body: _ATTR_OUT.pack(0, 0, 0) + _attributes(os.fstat(self._descriptors[node])),
            SETATTR: self._set_attributes,
            MKDIR: self._mkdir,
            UNLINK: lambda node, body: os.unlink(_name(body), dir_fd=self._descriptors[node]),
            RMDIR: lambda node, body: os.rmdir(_name(body), dir_fd=self._descriptors[node]),
            RENAME: self._rename,
            LINK: self._link,
            CREATE: self._create,
            OPEN: lambda node, body: self._opened(node, _numbers(body, "I")[0] & os.O_ACCMODE),
            READ: self._read,
            WRITE: self._write,
            FSYNC: lambda _node, body: os.fsync(_numbers(body, "Q")[0]),
            FLUSH: lambda _node, _body: b"",
            RELEASE: lambda _node, body: os.close(_numbers(body, "Q")[0]),
            STATFS: self._statfs,
            OPENDIR: lambda node, _body: self._opened(node, os.O_RDONLY | os.O_DIRECTORY),
            READDIR: self._read_folder,
            RELEASEDIR: self._release_folder,
            FSYNCDIR: lambda _node, body: os.fsync(_numbers(body, "Q")[0]),
        }

    def answer(self, opcode: int, node: int, body: bytes) -> bytes:
        """Return what is to be answered; raises OSError with the errno that is."""
        handler = self.handlers.get(opcode)
        if handler is None:
            raise OSError(errno.ENOSYS, "not implemented")
        return handler(node, body) or b""

    def _init(self, _node: int, body: bytes) -> bytes:
        _, _, readahead = _numbers(body, "III")
        return _FIRST_ANSWER.pack(*_VERSION, readahead, 0, 16, 12, _LARGEST_WRITE, 1, 0, 0, 0)

    # ---- nodes

    def _path(self, node: int) -> str:
        return f"/proc/self/fd/{self._descriptors[node]}"

    def _entry(self, parent: int, name: bytes) -> bytes:
        descriptor = os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=self._descriptors[parent])
        status = os.fstat(descriptor)
        key = (status.st_dev, status.st_ino)
        node = self._known.get(key)
        if node is None:
            self._newest += 1
            node = self._known[key] = self._newest
            self._descriptors[node], self._lookups[node] = descriptor, 0
        else:
            os.close(descriptor)
        self._lookups[node] += 1
        return _ENTRY.pack(node, 0, 0, 0, 0, 0) + _attributes(status)

    def _forget(self, node: int, count: int) -> bytes:
        self._lookups[node] -= count
        if self._lookups[node] <= 0 and node != _ROOT:
            descriptor = self._descriptors.pop(node)
            status = os.fstat(descriptor)
            del self._known[status.st_dev, status.st_ino], self._lookups[node]
            os.close(descriptor)
        return b""

    def _forget_many(self, _node: int, body: bytes) -> bytes:
        for node, count in struct.iter_unpack("QQ", body[8:]):
            self._forget(node, count)
        return b""

    def _set_attributes(self, node: int, body: bytes) -> bytes:
        valid, _, _, size, _, *times, mode, _, user, group, _ = _SETATTR.unpack_from(body)
        path, before = self._path(node), os.fstat(self._descriptors[node])
        if valid & _MODE:
            Path(path).chmod(stat.S_IMODE(mode))
        if valid & (_OWNER | _GROUP):
            os.chown(path, user if valid & _OWNER else -1, group if valid & _GROUP else -1)
        if valid & _SIZE:
            os.truncate(path, size)
        if valid & (_ATIME_NOW | _MTIME_NOW):
            os.utime(path)
        elif valid & (_ATIME | _MTIME):
            atime, mtime, _, atime_ns, mtime_ns, _ = times
            read = atime * 10**9 + atime_ns if valid & _ATIME else before.st_atime_ns
            written = mtime * 10**9 + mtime_ns if valid & _MTIME else before.st_mtime_ns
            os.utime(path, ns=(read, written))
        return _ATTR_OUT.pack(0, 0, 0) + _attributes(os.fstat(self._descriptors[node]))

    # ---- names

    def _mkdir(self, node: int, body: bytes) -> bytes:
        name = _name(body[8:])
        os.mkdir(name, _numbers(body, "I")[0], dir_fd=self._descriptors[node])
        return self._entry(node, name)

    def _rename(self, node: int, body: bytes) -> None:
        into = self._descriptors[_numbers(body, "Q")[0]]
        old, new = body[8:].split(b"\0")[:2]
        os.rename(old, new, src_dir_fd=self._descriptors[node], dst_dir_fd=into)

    def _link(self, node: int, body: bytes) -> bytes:
        name = _name(body[8:])
        os.link(self._path(_numbers(body, "Q")[0]), name, dst_dir_fd=self._descriptors[node], follow_symlinks=True)
        return self._entry(node, name)

    # ---- files

    def _create(self, node: int, body: bytes) -> bytes:
        flags, mode = _numbers(body, "II")
        name, kept = _name(body[16:]), os.O_ACCMODE | os.O_EXCL | os.O_TRUNC
        handle = os.open(name, flags & kept | os.O_CREAT, mode, dir_fd=self._descriptors[node])
        return self._entry(node, name) + _OPENED.pack(handle, _DIRECT_IO, 0)

    def _opened(self, node: int, flags: int) -> bytes:
        return _OPENED.pack(os.open(self._path(node), flags), _DIRECT_IO, 0)

    def _read(self, _node: int, body: bytes) -> bytes:
        handle, offset, size, *_ = _TRANSFER.unpack_from(body)
        return os.pread(handle, size, offset)

    def _write(self, _node: int, body: bytes) -> bytes:
        handle, offset, size, *_ = _TRANSFER.unpack_from(body)
        return struct.pack("II", os.pwrite(handle, body[_TRANSFER.size :][:size], offset), 0)

    def _statfs(self, node: int, _body: bytes) -> bytes:
        disk = os.statvfs(self._descriptors[node])
        room = (disk.f_blocks, disk.f_bfree, disk.f_bavail, disk.f_files, disk.f_ffree)
        return _STATFS.pack(*room, disk.f_bsize, disk.f_namemax, disk.f_frsize, 0)

    def _read_folder(self, _node: int, body: bytes) -> bytes:
        handle, offset, size, *_ = _TRANSFER.unpack_from(body)
        if not offset:
            self._listings[handle] = list(_listed(handle))
        found = b""
        for place, (inode, name, kind) in enumerate(self._listings[handle][offset:], offset + 1):
            entry = _ENTRY_OF_FOLDER.pack(inode, place, len(name), kind) + name
            entry += bytes(-len(entry) % 8)
            if len(found) + len(entry) > size:
                break
            found += entry
        return found

    def _release_folder(self, _node: int, body: bytes) -> None:
        handle = _numbers(body, "Q")[0]
        self._listings.pop(handle, None)
        os.close(handle)


def _listed(folder: int) -> Iterator[tuple[int, bytes, int]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            kind = stat.S_IFDIR if entry.is_dir(follow_symlinks=False) else stat.S_IFREG
            yield entry.inode(), os.fsencode(entry.name), kind >> 12


def _attributes(status: os.stat_result) -> bytes:
    seconds_and_rest = [divmod(ns, 10**9) for ns in (status.st_atime_ns, status.st_mtime_ns, status.st_ctime_ns)]
    seconds, rest = zip(*seconds_and_rest, strict=True)
    owner = (status.st_mode, status.st_nlink, status.st_uid, status.st_gid)
    return _ATTRIBUTES.pack(status.st_ino, status.st_size, status.st_blocks, *seconds, *rest, *owner, 0, 4096, 0)


def _numbers(body: bytes, layout: str) -> tuple[int, ...]:
    return struct.unpack_from(layout, body)


def _name(body: bytes) -> bytes:
    return body.partition(b"\0")[0]


class Disk:
    """Serves a mount until its socket is closed or it is unmounted; `state` is the last word that was said there."""

    def __init__(self, device: int, control: socket.socket, files: Passthrough) -> None:
        self._device, self._control, self._files = device, control, files
        self.state = b"answer"

    def serve(self) -> None:
        """Until the end, which is an OSError or an empty word."""
        while True:
            wanted: list[socket.socket | int] = [self._control]
            if self.state != b"hang":
                wanted.append(self._device)
            ready, _, _ = select.select(wanted, [], [])
            if self._control in ready:
                self.state = self._control.recv(64)
                if not self.state:
                    return
                self._control.send(b"done")
            elif ready:
                with suppress(BlockingIOError, InterruptedError, FileNotFoundError):  # whoever asked has gone
                    self._serve_one()

    def _serve_one(self) -> None:
        request = os.read(self._device, _BUFFER)
        _, opcode, number, node, *_ = _IN.unpack_from(request)
        fault, answer = 0, b""
        try:
            answer = self._answer(opcode, node, request[_IN.size :])
        except OSError as error:
            fault = error.errno or errno.EIO
        if opcode not in _UNANSWERED:
            os.write(self._device, _OUT.pack(_OUT.size + len(answer), -fault, number) + answer)

    def _answer(self, opcode: int, node: int, body: bytes) -> bytes:
        if self.state == b"stale" and opcode not in _UNANSWERED:
            raise OSError(errno.ESTALE, "stale")
        return self._files.answer(opcode, node, body)


def mount(device: int, folder: str) -> None:
    """Mount a file system that is served at `device`; raises OSError."""
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"lookback-test", os.fsencode(folder), b"fuse", _NOSUID_NODEV, options.encode()):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def main() -> None:
    """Mount, leave a server behind, and become the command."""
    backing, folder, address, *command = sys.argv[1:]
    device = os.open("/dev/fuse", os.O_RDWR | os.O_NONBLOCK)
    mount(device, folder)
    control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    control.connect(f"\0{address}")
    if child := os.fork():
        os.waitpid(child, 0)
        os.execvp(command[0], command)
    if os.fork():  # nobody's child: the command need not know of it
        os._exit(0)
    os.setsid()
    os.umask(0)
    with suppress(OSError):  # it is unmounted
        Disk(device, control, Passthrough(backing)).serve()
    os._exit(0)


if __name__ == "__main__":
    main()
