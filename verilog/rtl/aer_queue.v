// SPDX-License-Identifier: Apache-2.0
// Queue of address events. Ready is registered state alone: an event pushed in one cycle can be the head in the next.
module aer_queue #(
    parameter QUEUE = 16,  // entries, a power of two, at least 2
    parameter WIDTH = 37   // bits of an event
) (
    input              clk_i,
    input              rst_ni,
    input              push_valid_i,
    output             push_ready_o,
    input  [WIDTH-1:0] push_data_i,
    output             head_valid_o,
    output [WIDTH-1:0] head_data_o,
    input              pop_i          // the head has been worked off; only with head_valid_o
);
  localparam INDEX = $clog2(QUEUE);

  // One bit more than an index: full and empty differ in it.
  reg [INDEX:0] written_q, read_q;
  wire [INDEX:0] held = written_q - read_q;
  wire push = push_valid_i & push_ready_o;
  assign push_ready_o = ~held[INDEX];
  assign head_valid_o = written_q != read_q;

  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) begin
      written_q <= {INDEX + 1{1'b0}};
      read_q <= {INDEX + 1{1'b0}};
    end else begin
      if (push) written_q <= written_q + 1'b1;
      if (pop_i) read_q <= read_q + 1'b1;
    end

  reg [WIDTH-1:0] event_q[0:QUEUE-1];
  always @(posedge clk_i) if (push) event_q[written_q[INDEX-1:0]] <= push_data_i;
  assign head_data_o = event_q[read_q[INDEX-1:0]];
endmodule
