# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws one-line mutations of C code: finds the lines of function bodies and what can be changed in them."""

import re

# Operator -> replacements. Longer operators first, so that `<=` is not read as `<`.
OPERATORS = [
    ("<<=", [">>="]), (">>=", ["<<="]), ("->", []),
    ("<=", ["<"]), (">=", [">"]), ("==", ["!="]), ("!=", ["=="]),
    ("&&", ["||"]), ("||", ["&&"]),
    ("++", ["--"]), ("--", ["++"]),
    ("+=", ["-="]), ("-=", ["+="]), ("*=", ["+="]), ("/=", ["*="]), ("%=", ["*="]),
    ("|=", ["&="]), ("&=", ["|="]), ("^=", ["|="]),
    ("<<", [">>"]), (">>", ["<<"]),
    ("<", ["<="]), (">", [">="]), ("+", ["-"]), ("-", ["+"]), ("/", ["*"]), ("%", ["*"]), ("*", ["+"]),
    ("&", ["|"]), ("|", ["&"]), ("^", ["|"]), ("!", [""]),
]
BINARY_ONLY = {"+", "-", "*", "&", "<", ">"}  # as unary operators, pointers or header names they mean something else
TOKEN = re.compile(
    r"[A-Za-z_]\w*|0[xX][0-9a-fA-F]+[uUlL]*|\d+\.\d*(?:[eE][+-]?\d+)?[fF]?|\d+[uUlL]*|"
    + "|".join(re.escape(op) for op, _ in OPERATORS) + r"|\S")
# Removing these leaks, or checks nothing that a test can see: leaks are the sanitizer run's subject.
NOT_REMOVED = re.compile(
    r"^\s*(free|\w*_free|fclose|close|H5\w*close|json_decref|assert|__builtin_prefetch|_mm_prefetch)\s*\(|^\s*#|^\s*(break|default|case)\b")
DECLARATION = re.compile(
    r"^\s*(?!return\b|goto\b|else\b)(?:(?:const|static|volatile|unsigned|struct)\s+)*[A-Za-z_]\w*(?:\s+|\s*\*+\s*)(?:const\s+)?[A-Za-z_]\w*\s*"
    r"(?:\[[^]]*\]\s*)*[=;,]")


def blank_comments_and_strings(text):
    """The text with comments, strings and character constants replaced by spaces of the same length."""
    pattern = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)

    def spaces(match):
        kept = re.sub(r"[^\n]", " ", match.group())
        return '"' + kept[2:] + '"' if match.group()[0] in "\"'" and len(kept) > 1 else kept

    return pattern.sub(spaces, text)


def body_lines(code):
    """Numbers (from 0) of lines inside function bodies. A body opens with `) {` at depth 0 (clang-format's layout)."""
    depth, inside, lines = 0, False, []
    for number, line in enumerate(code.split("\n")):
        started_inside = inside
        opens = depth == 0 and re.search(r"\)\s*\{", line)
        if opens:
            inside = True
        if started_inside and line.strip() and not line.lstrip().startswith("#"):
            lines.append(number)
        depth += line.count("{") - line.count("}")
        if depth <= 0:
            depth, inside = 0, False
    return lines


def is_binary(code, start):
    """Does the operator at this place stand between two operands?"""
    before = code[:start].rstrip()
    return bool(before) and (before[-1].isalnum() or before[-1] in "_)]") and \
        not re.search(r"\b(return|case|sizeof|else)$", before)


def is_pointer_declarator(code, start, end):
    """`type *name`: a star with a space before and none behind (clang-format's layout)."""
    return code[start:end] == "*" and end < len(code) and code[end] != " "


def line_mutations(code, original):
    """All mutated versions of one line, as (description, text); `code` is the line without comments and strings."""
    found = []
    if re.match(r"\s*(goto|case|default)\b|\s*assert\s*\(", code):
        return found
    for match in TOKEN.finditer(code):
        token, start, end = match.group(), match.start(), match.end()
        replacements = []
        if token in ("true", "false"):
            replacements = ["false" if token == "true" else "true"]
        elif re.fullmatch(r"\d+[uUlL]*", token):
            value = re.match(r"\d+", token).group()
            replacements = [str(int(value) + 1) + token[len(value):]]
        elif re.fullmatch(r"0[xX][0-9a-fA-F]+[uUlL]*", token):
            value = re.match(r"0[xX][0-9a-fA-F]+", token).group()
            replacements = [hex(int(value, 16) + 1) + token[len(value):]]
        elif re.fullmatch(r"\d+\.\d*f?", token):
            replacements = [str(float(token.rstrip("f")) + 1) + ("f" if token.endswith("f") else "")]
        else:
            for operator, changes in OPERATORS:
                if token == operator:
                    if operator in BINARY_ONLY and (not is_binary(code, start) or is_pointer_declarator(code, start, end)):
                        break
                    replacements = changes
                    break
        for change in replacements:
            text = original[:start] + change + original[end:]
            found.append((f"{token} -> {change or '(nothing)'}", text))
    return found


def removal(code, original, before):
    """The line without its statement, if it is one whole statement that is no declaration; `before` is the last code character above it."""
    stripped = code.strip()
    if not stripped.endswith(";") or stripped == ";" or before not in ";{})" or DECLARATION.match(code) or NOT_REMOVED.match(code):
        return []
    if code.count("(") != code.count(")") or re.match(r"\s*(for|if|while|switch|\}|else)", code):
        return []
    indent = original[:len(original) - len(original.lstrip())]
    return [("statement removed", indent + ";")]


def of_file(text):
    """All mutations of a file: list of (line number from 0, description, new line), grouped by line."""
    code = blank_comments_and_strings(text)
    lines, code_lines = text.split("\n"), code.split("\n")
    result, before = [], "}"
    bodies = set(body_lines(code))
    for number, line in enumerate(code_lines):
        if number in bodies:
            here = line_mutations(line, lines[number]) + removal(line, lines[number], before)
            if here:
                result.append((number, here))
        if line.strip() and not line.lstrip().startswith("#"):
            before = line.rstrip()[-1]
    return result
