// SPDX-License-Identifier: Apache-2.0
// Combinational: the set that each way of the key table looks at, index_m = lo ^ L_m * hi over GF(2), with hi the upper and lo the lower bits of the row address. lo follows from index
// and hi, so hi is all that an entry need remember of its row.
module table_index #(
    parameter ADDR  = 14,
    parameter WAYS  = 4,
    parameter SETS  = 16,            // a power of two, at least 2
    parameter INDEX = $clog2(SETS),  // bits of an index; derived
    parameter TAG   = ADDR - INDEX   // bits of hi; derived
) (
    input  [          ADDR-1:0] addr_i,
    input  [WAYS*INDEX*TAG-1:0] hash_i,  // row i of L_m stands at m * INDEX + i
    output [    WAYS*INDEX-1:0] index_o
);
  genvar m, i;
  generate
    for (m = 0; m < WAYS; m = m + 1) begin : g_way
      for (i = 0; i < INDEX; i = i + 1) begin : g_bit
        assign index_o[m*INDEX+i] = addr_i[i] ^ (^(hash_i[(m*INDEX+i)*TAG+:TAG] & addr_i[ADDR-1:INDEX]));
      end
    end
  endgenerate
endmodule
