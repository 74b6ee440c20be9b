// SPDX-License-Identifier: Apache-2.0
// Hashed key table, for many keys: each way looks at one set, tag and position come from there. The indices are computed before the row register, in the cycle that also makes the row
// address, so that stage S has only the look-up; the mask waits in its register when the word comes: no cycle is added.
module dec_table #(
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
  localparam SETS = KEYS / WAYS;  // a power of two
  localparam INDEX = $clog2(SETS);
  localparam TAG = ADDR - INDEX;
  localparam ENTRY = POSITION + TAG + 1;
  localparam HASH = WAYS * INDEX;  // rows of all L_m
  localparam ENTRY_ADDR = $clog2(KEYS);
  localparam HASH_ADDR = HASH > 1 ? $clog2(HASH) : 1;

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
      .addr_i  (prov_addr_i[ENTRY_ADDR-1:0]),
      .data_i  (prov_data_i[ENTRY-1:0]),
      .data_o  (entries)
  );
  // The hash is as secret as the entries: with it a hit's timing and power would say more.
  wire [HASH*TAG-1:0] hash;
  key_store #(
      .ENTRIES(HASH),
      .WIDTH  (TAG),
      .STORE  (STORE)
  ) u_hash (
      .clk_i   (clk_i),
      .clear_ni(clear_n),
      .write_i (prov_valid_i & prov_addr_i[15] & ({17'd0, prov_addr_i[14:0]} < HASH)),
      .addr_i  (prov_addr_i[HASH_ADDR-1:0]),
      .data_i  (prov_data_i[TAG-1:0]),
      .data_o  (hash)
  );

  wire [HASH-1:0] index_d, index;
  table_index #(
      .ADDR(ADDR),
      .WAYS(WAYS),
      .SETS(SETS)
  ) u_index (
      .addr_i (addr_i),
      .hash_i (hash),
      .index_o(index_d)
  );

  wire read;
  wire [TAG-1:0] tag;
  row_register #(
      .WIDTH(TAG + HASH)
  ) u_row (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .en_i   (en_i),
      .req_i  (req_i),
      .data_i ({addr_i[ADDR-1:INDEX], index_d}),
      .valid_o(read),
      .data_o ({tag, index})
  );

  wire [POSITIONS-1:0] mask, mask_x;
  wire [GROUPS-1:0] group;
  mask_table #(
      .TAG      (TAG),
      .WAYS     (WAYS),
      .SETS     (SETS),
      .POSITIONS(POSITIONS),
      .GROUPS   (GROUPS)
  ) u_mask (
      .tag_i    (tag),
      .index_i  (index),
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
