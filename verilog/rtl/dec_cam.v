// SPDX-License-Identifier: Apache-2.0
// Slotted associative memory, for few keys. The row address is compared in stage S, while the array senses it; the mask waits in its register when the word comes: no cycle is added.
module dec_cam #(
    parameter ADDR    = 14,   // bits of a row address
    parameter LANES   = 128,  // weights of a row word
    parameter BITS    = 8,    // bits of a weight
    parameter KEYABLE = 1,    // most significant bits of a weight that may be keyed
    parameter KEYS    = 52,   // entries of the key store
    parameter WAYS    = 4,    // most keyed bits of a row word
    parameter GATED   = 1,    // mask register clocked only where the mask changes from or to zero
    parameter STORE   = 1     // key store of 0: flip-flops, 1: latches
) (
    input                   clk_i,
    input                   rst_ni,
    input                   tamper_i,
    input                   req_i,
    input  [      ADDR-1:0] addr_i,
    input                   en_i,
    input                   word_valid_i,
    input  [LANES*BITS-1:0] word_i,
    output [LANES*BITS-1:0] word_o,
    output                  hold_o,
    input                   prov_valid_i,
    input  [          15:0] prov_addr_i,
    input  [          63:0] prov_data_i
);
  localparam POSITIONS = LANES * KEYABLE;
  localparam POSITION = $clog2(POSITIONS);
  localparam GROUPS = (POSITION >= 4 && (1 << POSITION) == POSITIONS) ? 4 : 1;
  localparam ENTRY = POSITION + ADDR + 1;
  localparam INDEX = KEYS > 1 ? $clog2(KEYS) : 1;

  wire clear_n = rst_ni & ~tamper_i;
  assign hold_o = 1'b0;

  wire [KEYS*ENTRY-1:0] entries;
  key_store #(
      .ENTRIES(KEYS),
      .WIDTH  (ENTRY),
      .STORE  (STORE)
  ) u_keys (
      .clk_i   (clk_i),
      .clear_ni(clear_n),
      .write_i (prov_valid_i & ({16'd0, prov_addr_i} < KEYS)),
      .addr_i  (prov_addr_i[INDEX-1:0]),
      .data_i  (prov_data_i[ENTRY-1:0]),
      .data_o  (entries)
  );

  wire read;
  wire [ADDR-1:0] addr;
  row_register #(
      .WIDTH(ADDR)
  ) u_row (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .en_i   (en_i),
      .req_i  (req_i),
      .data_i (addr_i),
      .valid_o(read),
      .data_o (addr)
  );

  wire [POSITIONS-1:0] mask, mask_x;
  wire [GROUPS-1:0] group;
  mask_cam #(
      .ADDR     (ADDR),
      .KEYS     (KEYS),
      .WAYS     (WAYS),
      .POSITIONS(POSITIONS),
      .GROUPS   (GROUPS)
  ) u_mask (
      .addr_i   (addr),
      .entries_i(entries),
      .mask_o   (mask),
      .group_o  (group)
  );
  mask_register #(
      .POSITIONS(POSITIONS),
      .GROUPS   (GROUPS),
      .GATED    (GATED)
  ) u_register (
      .clk_i   (clk_i),
      .clear_ni(clear_n),
      .move_i  (read & en_i),
      .mask_i  (mask),
      .group_i (group),
      .mask_o  (mask_x)
  );
  mask_xor #(
      .LANES  (LANES),
      .BITS   (BITS),
      .KEYABLE(KEYABLE)
  ) u_xor (
      .word_i(word_i),
      .mask_i(mask_x),
      .word_o(word_o)
  );
endmodule
