# SPDX-License-Identifier: GPL-3.0-or-later
"""Timing by OpenSTA: worst paths of a read-out, slack at its period, as JSON."""

import re

SCRIPT = """read_liberty {all}
read_verilog {folder}/flat.v
link_design {top}
source {folder}/constraints.sdc
{wires}
puts "== all"
report_checks -path_delay max -format full_clock_expanded -digits 4
puts "== hold"
report_checks -path_delay min -format full_clock_expanded -digits 4
puts "== word"
report_checks -path_delay max -to [get_ports word_o*] -format full_clock_expanded -digits 4
{more}
exit
"""

SDC = """# Clock at the period of the plain datapath; inputs come from registers and arrive after a fifth of it, the array's word after half. The next stage has half of the
# period for what it does with a word. The root clock is ideal, gated clocks have their gates' and buffers' delay.
create_clock -name clk -period {period} [get_ports clk_i]
set_propagated_clock [get_clocks clk]
set_input_transition {transition} [all_inputs]
set_input_delay {early} -clock clk [get_ports {{rst_ni tamper_i read_i addr_i* prov_*}}]
set_input_delay {half} -clock clk [get_ports array_data_i*]
set_output_delay {half} -clock clk [all_outputs]
set_false_path -from [get_ports {{rst_ni tamper_i}}]
"""


def paths(text):
    """{section: [report]}"""
    parts = re.split(r"^== (\S+)\n", text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def arrival(report):
    m = re.search(r"([-\d.]+)\s+data arrival time", report)
    return float(m.group(1)) if m else None


def slack(report):
    """The worst one: OpenSTA reports the worst path of each group, the clock gates' checks first."""
    found = re.findall(r"([-\d.]+)\s+slack", report)
    return min(map(float, found)) if found else None


def pins_of(n, pattern, pin_of):
    """Pins of registers whose output net matches."""
    matching = {b for name, e in n.module["netnames"].items() if re.search(pattern, name) for b in e["bits"]}
    found = []
    for net, (c, p) in n.driver.items():
        cell = n.library.cells[n.module["cells"][c]["type"]]
        if cell.state is not None and net in matching:
            found += ["%s/%s" % (n.instance[c], x) for x in pin_of(cell)]
    return found


def data_pins(cell):
    g = cell.state
    text = g.get("next_state", g.get("data_in", ""))
    return [p for p in cell.inputs if re.search(r"\b%s\b" % p, text)]


def write_sdc(lib, d, folder):
    """Constraints of a design at its period. Returns the period in ns, and library units of a ns."""
    period = lib.entry["clock_ns"] * d.slower
    unit = 1e-9 / lib.library.second
    with open(folder + "/constraints.sdc", "w") as f:
        f.write(SDC.format(period=period * unit, transition=lib.entry["transition_ns"] * unit, early=0.2 * period * unit, half=0.5 * period * unit))
    return period, unit


def measure(lib, d, n, folder, run):
    period, unit = write_sdc(lib, d, folder)
    mask, index = pins_of(n, r"u_decryptor\.(mask_x|.*mask_q)", data_pins), pins_of(n, r"u_decryptor\.(index\b|.*u_row.*data_q)", data_pins)
    more = ""
    for name, pins in (("mask", mask), ("hash", index)):
        if pins:
            more += 'puts "== %s"\nreport_checks -path_delay max -to [get_pins {%s}] -format full_clock_expanded -digits 4\n' % (name, " ".join(pins))
    wires = 'set_wire_load_model -name "%s"' % lib.entry["wire_load"] if lib.entry["wire_load"] else ""
    with open(folder + "/sta.tcl", "w") as f:
        f.write(SCRIPT.format(all=lib.all, folder=folder, top=d.top, wires=wires, more=more))
    text = run(["sta", "-no_splash", "-exit", folder + "/sta.tcl"])
    with open(folder + "/sta.log", "w") as f:
        f.write(text)
    p = paths(text)
    result = {"period_ns": period}
    for key in ("all", "hold", "word", "mask", "hash"):
        if key not in p:
            continue
        t, s = arrival(p[key]), slack(p[key])
        if key in ("all", "hold"):
            result["slack_ns" if key == "all" else "hold_slack_ns"] = None if s is None else s / unit
        elif t is not None:
            begin = 0.2 * period * unit if key == "hash" else 0.0
            result[key + "_ns"] = (t - begin) / unit
            result[key + "_slack_ns"] = None if s is None else s / unit
    return result


HOLD_SCRIPT = """read_liberty {all}
read_verilog {folder}/flat.v
link_design {top}
source {folder}/constraints.sdc
{wires}
report_checks -path_delay min -slack_max -0.0001 -group_count 1000 -digits 4
exit
"""


def hold_violations(lib, folder, top, run):
    """Instances whose outputs reach a register or a clock gate too early: the first cell of each path that violates hold. Needs flat.v and constraints.sdc."""
    wires = 'set_wire_load_model -name "%s"' % lib.entry["wire_load"] if lib.entry["wire_load"] else ""
    with open(folder + "/hold.tcl", "w") as f:
        f.write(HOLD_SCRIPT.format(all=lib.all, folder=folder, top=top, wires=wires))
    text = run(["sta", "-no_splash", "-exit", folder + "/hold.tcl"])
    found = set()
    for report in re.split(r"^Startpoint: ", text, flags=re.M)[1:]:
        if "VIOLATED" in report:
            found.add(re.match(r"\S+", report).group(0))
    return found


TILE_SDC = """create_clock -name clk -period {period} [get_ports clk_i]
set_propagated_clock [get_clocks clk]
set_input_transition {transition} [all_inputs]
set_input_delay 0 -clock clk [all_inputs -no_clocks]
set_output_delay 0 -clock clk [all_outputs]
set_false_path -from [get_ports {{rst_ni tamper_i}}]
"""

TILE_SCRIPT = """read_liberty {all}
read_verilog {folder}/flat.v
link_design {top}
source {folder}/constraints.sdc
{wires}
puts "== all"
report_checks -path_delay max -format full_clock_expanded -digits 4
exit
"""


def tile_slack(lib, d, folder, period, run):
    """Worst slack in ns of the tile at a period, all paths, those of clock gates and latches included."""
    unit = 1e-9 / lib.library.second
    with open(folder + "/constraints.sdc", "w") as f:
        f.write(TILE_SDC.format(period="%.6f" % (period * unit), transition=lib.entry["transition_ns"] * unit))
    wires = 'set_wire_load_model -name "%s"' % lib.entry["wire_load"] if lib.entry["wire_load"] else ""
    with open(folder + "/sta.tcl", "w") as f:
        f.write(TILE_SCRIPT.format(all=lib.all, folder=folder, top=d.top, wires=wires))
    text = run(["sta", "-no_splash", "-exit", folder + "/sta.tcl"])
    with open(folder + "/sta-%.3f.log" % period, "w") as f:
        f.write(text)
    return slack(paths(text)["all"]) / unit
