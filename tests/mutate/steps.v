// SPDX-License-Identifier: GPL-3.0-or-later
// For proofs about changed gates (prove_rtl.sh): registers and latches as memories of one step of time (yosys techmap), so that gated clocks, latches and asynchronous resets are ordinary logic and
// no loop is left. A register shows one step after an edge what stood at its input one step before it (no race between clocks of one edge); a latch follows at once. What they hold at power-up comes
// from power_up.

// One step; a $ff of Yosys is clocked by every step.
module step_memory (d, q);
  parameter WIDTH = 1;
  input [WIDTH-1:0] d;
  output [WIDTH-1:0] q;
  wire [WIDTH-1:0] state;
  wire running;
  power_running u_running (.y(running));
  \$ff #(.WIDTH(WIDTH)) u_state (.D(d), .Q(state));
  genvar i;
  generate
    for (i = 0; i < WIDTH; i = i + 1) begin : g
      wire y;
      power_up u_start (.y(y));
      assign q[i] = running ? state[i] : y;
    end
  endgenerate
endmodule

(* techmap_celltype = "$dff" *)
module step_dff (CLK, D, Q);
  parameter WIDTH = 1;
  parameter CLK_POLARITY = 1;
  input CLK;
  input [WIDTH-1:0] D;
  output [WIDTH-1:0] Q;
  wire before, clk = CLK_POLARITY ? CLK : ~CLK;
  wire [WIDTH-1:0] d;
  step_memory #(.WIDTH(1)) u_before (.d(clk), .q(before));
  step_memory #(.WIDTH(WIDTH)) u_d (.d(D), .q(d));
  step_memory #(.WIDTH(WIDTH)) u_q (.d(clk & ~before ? d : Q), .q(Q));
endmodule

(* techmap_celltype = "$adff" *)
module step_adff (CLK, ARST, D, Q);
  parameter WIDTH = 1;
  parameter CLK_POLARITY = 1;
  parameter ARST_POLARITY = 1;
  parameter ARST_VALUE = 0;
  input CLK, ARST;
  input [WIDTH-1:0] D;
  output [WIDTH-1:0] Q;
  wire before, clk = CLK_POLARITY ? CLK : ~CLK;
  wire [WIDTH-1:0] d;
  wire clear = ARST_POLARITY ? ARST : ~ARST;
  wire [WIDTH-1:0] state;
  assign Q = clear ? ARST_VALUE : state;
  step_memory #(.WIDTH(1)) u_before (.d(clk), .q(before));
  step_memory #(.WIDTH(WIDTH)) u_d (.d(D), .q(d));
  step_memory #(.WIDTH(WIDTH)) u_q (.d(clk & ~before ? d : Q), .q(state));
endmodule

(* techmap_celltype = "$dlatch" *)
module step_dlatch (EN, D, Q);
  parameter WIDTH = 1;
  parameter EN_POLARITY = 1;
  input EN;
  input [WIDTH-1:0] D;
  output [WIDTH-1:0] Q;
  wire [WIDTH-1:0] before;
  assign Q = EN == EN_POLARITY ? D : before;
  step_memory #(.WIDTH(WIDTH)) u_q (.d(Q), .q(before));
endmodule

// Row by row: the same gates wherever it stands, so that what is equal in two circuits is found equal at once.
(* techmap_celltype = "$mul" *)
module rows_mul (A, B, Y);
  parameter A_SIGNED = 0;
  parameter B_SIGNED = 0;
  parameter A_WIDTH = 1;
  parameter B_WIDTH = 1;
  parameter Y_WIDTH = 1;
  input [A_WIDTH-1:0] A;
  input [B_WIDTH-1:0] B;
  output [Y_WIDTH-1:0] Y;
  wire _TECHMAP_FAIL_ = A_SIGNED || B_SIGNED;
  wire [Y_WIDTH-1:0] wide = A;
  wire [Y_WIDTH*(B_WIDTH+1)-1:0] sum;
  assign sum[Y_WIDTH-1:0] = {Y_WIDTH{1'b0}};
  genvar i;
  generate
    for (i = 0; i < B_WIDTH; i = i + 1) begin : g
      assign sum[(i+1)*Y_WIDTH+:Y_WIDTH] = sum[i*Y_WIDTH+:Y_WIDTH] + ((wide << i) & {Y_WIDTH{B[i]}});
    end
  endgenerate
  assign Y = sum[B_WIDTH*Y_WIDTH+:Y_WIDTH];
endmodule
