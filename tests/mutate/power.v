// SPDX-License-Identifier: GPL-3.0-or-later
// For proofs about changed gates (prove_rtl.sh): power-up.

// What a register holds at power-up: anything, but the same in both circuits. Becomes an input.
(* blackbox *)
module power_up (output y);
endmodule

// 0 in the first step.
module power_running (output y);
  reg q = 1'b0;
  always @($global_clock) q <= 1'b1;
  assign y = q;
endmodule
