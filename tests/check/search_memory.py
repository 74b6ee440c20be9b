#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Searches the memory of a process for secrets: search_memory.py PID < TEXTS, one text of at least 8 characters on each line.

All readable memory is read (/proc/PID/mem: more than a core dump holds), and /proc/PID/environ and cmdline. A text counts as found when 8 neighbouring bytes of it are, from its
byte 0, 4, 8, ... on: any 11 bytes of it that stand somewhere, because half-overwritten copies leak too. Prints `<line number> <regions>` for each text, like `1 -` (nowhere) or `2 [stack] [heap]`. Exit status 3 when the system does not let us look.
"""

import sys

WINDOW = 8
STRIDE = 4


def regions(pid):
    with open("/proc/%d/maps" % pid) as maps:
        for line in maps:
            fields = line.split(None, 5)
            if fields[1][0] == "r":
                start, end = (int(x, 16) for x in fields[0].split("-"))
                yield start, end, fields[5].strip() if len(fields) > 5 else "anonymous"
    return


def pieces(pid):
    """Name and bytes of all there is to search; large regions in pieces that overlap."""
    step = 1 << 24
    with open("/proc/%d/mem" % pid, "rb", buffering=0) as memory:
        for start, end, name in regions(pid):
            for at in range(start, end, step):
                try:
                    memory.seek(at)
                    yield name, memory.read(min(step + WINDOW, end - at))
                except (OSError, ValueError, OverflowError):
                    pass  # [vvar], [vsyscall]
    for name in "environ", "cmdline":
        with open("/proc/%d/%s" % (pid, name), "rb") as f:
            yield name, f.read()


def main():
    texts = [line.rstrip(b"\n") for line in sys.stdin.buffer]
    windows = [{text[i:i + WINDOW] for i in range(0, len(text) - WINDOW + 1, STRIDE)} for text in texts]
    found = [set() for _ in texts]
    try:
        for name, data in pieces(int(sys.argv[1])):
            for i, wanted in enumerate(windows):
                if any(window in data for window in wanted):
                    found[i].add(name.rsplit("/", 1)[-1].replace(" ", "_"))
    except PermissionError as error:
        print(error, file=sys.stderr)
        sys.exit(3)
    for i, where in enumerate(found):
        print(i + 1, *(sorted(where) or ["-"]))


if __name__ == "__main__":
    main()
