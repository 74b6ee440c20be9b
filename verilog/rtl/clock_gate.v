// SPDX-License-Identifier: Apache-2.0
// Clock gate: clk_o has the high phase of clk_i that follows a cycle in which en_i was 1. The latch is open in the low phase, so en_i has the whole cycle to settle (a flip-flop on the
// falling edge would leave it half) and glitches on it never reach the clock.
module clock_gate (
    input  clk_i,
    input  en_i,
    output clk_o
);
  wire en_latched;
  latch #(
      .WIDTH(1)
  ) u_enable (
      .en_i(~clk_i),
      .d_i (en_i),
      .q_o (en_latched)
  );
  assign clk_o = clk_i & en_latched;
endmodule
