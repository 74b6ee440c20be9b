// SPDX-License-Identifier: Apache-2.0
// Key memory: written through an address, its whole contents are an output (of the mask logic next to it, never of the chip), cleared at once by clear_ni. A write takes one cycle whatever
// is written; a write to an address that does not exist changes nothing. Must stay out of scan chains: whoever inserts them leaves out modules with the attribute no_scan.
(* no_scan *)
module key_store #(
    parameter ENTRIES = 52,
    parameter WIDTH   = 22,
    parameter STORE   = 1,  // 0: flip-flops with asynchronous reset, 1: latches (smaller)
    parameter INDEX   = ENTRIES > 1 ? $clog2(ENTRIES) : 1  // bits of the address; derived
) (
    input                      clk_i,
    input                      clear_ni,
    input                      write_i,
    input  [        INDEX-1:0] addr_i,
    input  [        WIDTH-1:0] data_i,
    output [ENTRIES*WIDTH-1:0] data_o
);
  // The write pulse of an entry is the high phase after the write's cycle. Its address is latched before, in the low phase, and only with a write: the pulse has no glitch, and without
  // provisioning no node in here moves.
  wire clk_write;
  clock_gate u_gate (
      .clk_i(clk_i),
      .en_i (write_i),
      .clk_o(clk_write)
  );
  wire [INDEX-1:0] addr;
  latch #(
      .WIDTH(INDEX)
  ) u_addr (
      .en_i(~clk_i & write_i),
      .d_i (addr_i),
      .q_o (addr)
  );
  wire [ENTRIES-1:0] clk_entry;
  genvar e;
  generate
    for (e = 0; e < ENTRIES; e = e + 1) begin : g_pulse
      localparam [INDEX-1:0] SELF = e;
      assign clk_entry[e] = clk_write & (addr == SELF);
    end
    if (STORE == 0) begin : g_flops
      key_store_flops #(
          .ENTRIES(ENTRIES),
          .WIDTH  (WIDTH)
      ) u_store (
          .clear_ni   (clear_ni),
          .clk_entry_i(clk_entry),
          .data_i     (data_i),
          .data_o     (data_o)
      );
    end else begin : g_latches
      key_store_latches #(
          .ENTRIES(ENTRIES),
          .WIDTH  (WIDTH)
      ) u_store (
          .clear_ni   (clear_ni),
          .clk_write_i(clk_write),
          .clk_entry_i(clk_entry),
          .data_i     (data_i),
          .data_o     (data_o)
      );
    end
  endgenerate
endmodule
