#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Do the tests bite? Changes one line at a time in a copy of the tree and looks whether a test notices.

    mutate.py [--seed 1] [--count 50] [--files GLOB...] [--tests NAME...] [--list] [--work DIR] [--limit SECONDS]

A mutation is drawn by the seed: a code line of the engine, framing or the readers, and a change to it (mutations.py). It is drawn again when it does not compile,
when the compiler produces the very same object code, or when equivalent.txt lists it with the reason why no test could tell. Unit tests run first, those that call
functions of the changed file before the others; the command tests run only if no unit test noticed. A test that hangs has noticed. Exit status 1 when more than 4 %
survive (2 of 50)."""

import argparse
import fnmatch
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mutations  # noqa: E402

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
FILES = ["sim/engine*.c", "sim/kernel*.c", "datasets/*.c"]
NOT_READERS = ["datasets/camera*.c", "datasets/make*.c", "datasets/aedat_write.c"]  # the synthetic camera: neither engine, framing nor reader
FOLDERS = ["base", "datasets", "sim", "hw", "crypto", "cli", "include", "tests", "configs", "models", "docs"]
OPTIONS = ["OPT=-O2", "CI="]
SURVIVORS_ALLOWED = 0.04


def run(command, limit=None, cwd=None, env=None):
    """(exit status or None after the limit, output); the whole process group ends with it."""
    process = subprocess.Popen(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, start_new_session=True)
    try:
        out, _ = process.communicate(timeout=limit)
        return process.returncode, out.decode(errors="replace")
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.communicate()
        return None, ""


class Tree:
    """A copy of the tree with a build of its own; unit tests link the shared library, so a mutation costs one compilation and one link."""

    def __init__(self, work):
        self.root = os.path.join(work, "tree")
        self.build = os.path.join(work, "build")
        if os.path.exists(self.root):
            shutil.rmtree(self.root)
        os.makedirs(self.root)
        for folder in FOLDERS:
            if os.path.isdir(os.path.join(TOP, folder)):
                shutil.copytree(os.path.join(TOP, folder), os.path.join(self.root, folder), symlinks=True)
        shutil.copy2(os.path.join(TOP, "Makefile"), self.root)
        self.env = dict(os.environ, BUILD=self.build, SNNSIM=os.path.join(self.build, "snnsim"), LC_ALL="C")
        self.env.setdefault("SNNSIM_DATA", os.path.join(TOP, "..", "shared", "data"))
        self.env["SNNSIM_DATA"] = os.path.abspath(self.env["SNNSIM_DATA"])
        for name in ("CI", "MAKEFLAGS", "MFLAGS", "MAKELEVEL"):
            self.env.pop(name, None)

    def make(self, *goals):
        options = OPTIONS + [f"BUILD={self.build}", f"UNITLIB={self.build}/libsnnsim.so", f"EXTRA_LDFLAGS=-Wl,-rpath,{self.build}"]
        return run(["make", "-s", f"-j{os.cpu_count()}", *options, *goals], cwd=self.root, env=self.env)

    def path(self, name):
        return os.path.join(self.root, name)

    def object_code(self, name):
        """The object file without debug information, or None."""
        source = os.path.join(self.build, name[:-2] + ".o")
        with tempfile.NamedTemporaryFile() as stripped:
            status, _ = run(["objcopy", "--strip-debug", source, stripped.name])
            return stripped.read() if status == 0 else None

    def unit_tests(self):
        return sorted(f[:-2] for f in os.listdir(self.path("tests/unit")) if re.fullmatch(r"test_\w+\.c", f))

    def run_unit(self, name, limit):
        return run([os.path.join(self.build, "tests", name)], limit, self.root, self.env)

    def run_cli(self, limit):
        """True when the command tests pass."""
        folder = self.path("tests/cli")
        if not os.path.isdir(folder) or not any(f.endswith(".bats") for f in os.listdir(folder)):
            return True
        status, out = self.make("all")
        if status != 0:
            sys.exit("mutate: the program does not build:\n" + out)
        return run(["bats", folder], limit, self.root, self.env)[0] == 0


def read_equivalents():
    """{(file, old line, new line)} of equivalent.txt; blocks of `file`, `- old`, `+ new` and `= reason`."""
    known, file, old, new = set(), None, None, None
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "equivalent.txt"), encoding="utf-8") as f:
        for line in f:
            line = line.rstrip("\n")
            if line.startswith("- "):
                old = line[2:].strip()
            elif line.startswith("+ "):
                new = line[2:].strip()
            elif line.startswith("= "):
                known.add((file, old, new))
            elif line and not line.startswith("#"):
                file = line.strip()
    return known


class Draw:
    """Endless different mutations in the order of the seed: a line drawn evenly over all candidate lines, then a change of it."""

    def __init__(self, tree, patterns, left_out, seed):
        self.random = random.Random(seed)
        self.places = []
        avx512 = "avx512bw" in open("/proc/cpuinfo", encoding="ascii", errors="replace").read()
        for folder in ("sim", "datasets", "base", "hw", "crypto"):
            if not os.path.isdir(tree.path(folder)):
                continue
            for name in sorted(os.listdir(tree.path(folder))):
                file = f"{folder}/{name}"
                if any(fnmatch.fnmatch(file, p) for p in left_out) or not any(fnmatch.fnmatch(file, p) for p in patterns):
                    continue
                if not name.endswith(".c") or (name.endswith("_avx512.c") and not avx512):
                    continue
                with open(tree.path(file), encoding="utf-8") as f:
                    text = f.read()
                self.places += [(file, number, changes) for number, changes in mutations.of_file(text)]
        self.seen = set()

    def next(self):
        for _ in range(100000):
            file, number, changes = self.random.choice(self.places)
            description, line = self.random.choice(changes)
            if (file, number, line) not in self.seen:
                self.seen.add((file, number, line))
                return file, number, description, line
        sys.exit("mutate: no more mutations")


def order_tests(tree, file, tests):
    """Tests that call functions defined in the file first (most calls first), then quick ones before slow ones."""
    with open(tree.path(file), encoding="utf-8") as f:
        defined = set(re.findall(r"^\w[\w \*]*?\b(snn_\w+)\(", f.read(), re.M))
    stem = os.path.basename(file)[:-2].split("_")[0]

    def key(test):
        with open(tree.path(f"tests/unit/{test}.c"), encoding="utf-8") as f:
            calls = sum(len(re.findall(rf"\b{name}\b", f.read())) for name in defined) if defined else 0
        return (-(stem in test), -(calls > 0), tests[test])

    return sorted(tests, key=key)


def judge(tree, mutation, tests, originals, limit, cli):
    """What becomes of a mutation: ("caught", by), ("survived", ""), ("does not compile", "") or ("same code", "")."""
    file, number, _, line = mutation
    with open(tree.path(file), encoding="utf-8") as f:
        text = f.read()
    if file not in originals:
        originals[file] = tree.object_code(file)
    lines = text.split("\n")
    lines[number] = line
    with open(tree.path(file), "w", encoding="utf-8") as f:
        f.write("\n".join(lines))
    try:
        if tree.make("shared")[0] != 0:
            return "does not compile", ""
        if tree.object_code(file) == originals[file]:
            return "same code", ""
        for test in order_tests(tree, file, tests):
            if tree.run_unit(test, max(limit, 5 * tests[test]))[0] != 0:
                return "caught", test
        return ("survived", "") if not cli or tree.run_cli(600) else ("caught", "command tests")
    finally:
        with open(tree.path(file), "w", encoding="utf-8") as f:
            f.write(text)


def baseline(tree, only):
    """Builds the unchanged tree and times each unit test (or only the given ones), which must pass."""
    names = only or tree.unit_tests()
    status, out = tree.make("shared" if only else "all", *(f"{tree.build}/tests/{test}" for test in names))
    if status != 0:
        sys.exit("mutate: the tree does not build:\n" + out[-4000:])
    tests = {}
    for test in names:
        start = time.monotonic()
        status, out = tree.run_unit(test, 300)
        if status != 0:
            sys.exit(f"mutate: {test} fails without a mutation:\n" + out[-4000:])
        tests[test] = time.monotonic() - start
    if not only and not tree.run_cli(600):
        sys.exit("mutate: the command tests fail without a mutation")
    return tests


def show(mutation, old):
    file, number, description, line = mutation
    return f"{file}:{number + 1}: {description}\n    - {old.strip()}\n    + {line.strip()}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--files", nargs="+", help="patterns like datasets/*.c; default: engine, kernels, framing, readers")
    parser.add_argument("--tests", nargs="+", metavar="test_x", help="run only these unit tests, and no command tests")
    parser.add_argument("--list", action="store_true", help="only list what would be drawn first")
    parser.add_argument("--work", default=os.path.join(tempfile.gettempdir(), f"snnsim-mutate-{os.getuid()}"))
    parser.add_argument("--limit", type=float, default=10, help="least time limit of a test in seconds")
    args = parser.parse_args()

    tree = Tree(args.work)
    draw = Draw(tree, args.files or FILES, [] if args.files else NOT_READERS, args.seed)
    print(f"{len(draw.places)} code lines in {len({p[0] for p in draw.places})} files, seed {args.seed}")
    if args.list:
        for _ in range(args.count):
            file, number, description, line = draw.next()
            print(f"{file}:{number + 1}: {description}\n    + {line.strip()}")
        return 0
    equivalents = read_equivalents()
    tests = baseline(tree, args.tests)
    print(f"{len(tests)} test programs, {sum(tests.values()):.1f} s together", flush=True)

    tally, survivors, originals = {"does not compile": 0, "same code": 0, "equivalent": 0, "caught": 0, "survived": 0}, [], {}
    while tally["caught"] + tally["survived"] < args.count:
        mutation = draw.next()
        with open(tree.path(mutation[0]), encoding="utf-8") as f:
            old = f.read().split("\n")[mutation[1]]
        start = time.monotonic()
        if (mutation[0], old.strip(), mutation[3].strip()) in equivalents:
            verdict, by = "equivalent", ""
        else:
            verdict, by = judge(tree, mutation, tests, originals, args.limit, not args.tests)
        tally[verdict] += 1
        if verdict in ("caught", "survived"):
            done = tally["caught"] + tally["survived"]
            print(f"{done:3d} {verdict} {'by ' + by if by else ''} ({time.monotonic() - start:.1f} s)  {show(mutation, old)}", flush=True)
        if verdict == "survived":
            survivors.append(show(mutation, old))

    print(f"\n{tally['caught']} of {args.count} caught, {tally['survived']} survived; drawn again: {tally['does not compile']} did not compile, "
          f"{tally['same code']} gave the same object code, {tally['equivalent']} listed as equivalent")
    if survivors:
        print("\nSurvivors:\n" + "\n".join(survivors))
    return 1 if tally["survived"] > SURVIVORS_ALLOWED * args.count else 0


if __name__ == "__main__":
    sys.exit(main())
