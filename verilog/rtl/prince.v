// SPDX-License-Identifier: Apache-2.0
// Combinational: PRINCE encryption of one block, all rounds unrolled (J. Borghoff et al., "PRINCE - A Low-Latency Block Cipher for Pervasive Computing Applications", ASIACRYPT 2012).
// Blocks and keys as the paper prints them: the first hexadecimal digit is the most significant. 0 cycles for each block.
module prince (
    input  [63:0] k0_i,
    input  [63:0] k1_i,
    input  [63:0] block_i,
    output [63:0] block_o
);
  // Constants of the rounds; that of the first whitening is 0, that of the last is ALPHA.
  localparam [63:0] ALPHA = 64'hc0ac29b7c97c50dd;

  // S-box and its inverse, entry 0 in the lowest nibble.
  localparam [63:0] S = 64'h4d5e087619ca23fb;
  localparam [63:0] S_INVERSE = 64'h1ce5046a98df237b;

  function [63:0] substitute(input [63:0] table_of, input [63:0] x);
    integer n;
    for (n = 0; n < 16; n = n + 1) substitute[4*n+:4] = table_of[{x[4*n+:4], 2'b00}+:4];
  endfunction

  // Each bit of M' is the XOR of three of the four bits in its place of a 16-bit column's nibbles; which one is left out depends on place, nibble and column.
  function [63:0] mix(input [63:0] x);
    integer chunk, nibble, place, out, k;
    for (chunk = 0; chunk < 4; chunk = chunk + 1)
      for (nibble = 0; nibble < 4; nibble = nibble + 1)
        for (place = 0; place < 4; place = place + 1) begin
          k = (chunk == 1 || chunk == 2) ? 1 : 0;
          // Nibbles and places are counted from the right here, from the left in the paper: 3 - x stands for x.
          out = 3 - (((3 - place) + 8 - (3 - nibble) - k) % 4);
          mix[16*chunk+4*nibble+place] = (out != 0 & x[16*chunk+place]) ^ (out != 1 & x[16*chunk+4+place]) ^ (out != 2 & x[16*chunk+8+place]) ^ (out != 3 & x[16*chunk+12+place]);
        end
  endfunction

  // ShiftRows of 16 nibbles as in AES, and back: nibble i (from the left) of the result is nibble 5 i or 13 i of x.
  function [63:0] shift(input integer step, input [63:0] x);
    integer i;
    for (i = 0; i < 16; i = i + 1) shift[60-4*i+:4] = x[60-4*((step*i)%16)+:4];
  endfunction

  function [63:0] forward(input [63:0] x, input [63:0] key);
    forward = shift(5, mix(substitute(S, x))) ^ key;
  endfunction
  function [63:0] backward(input [63:0] x, input [63:0] key);
    backward = substitute(S_INVERSE, mix(shift(13, x ^ key)));
  endfunction

  wire [63:0] x0 = block_i ^ k0_i ^ k1_i;
  wire [63:0] x1 = forward(x0, k1_i ^ 64'h13198a2e03707344);
  wire [63:0] x2 = forward(x1, k1_i ^ 64'ha4093822299f31d0);
  wire [63:0] x3 = forward(x2, k1_i ^ 64'h082efa98ec4e6c89);
  wire [63:0] x4 = forward(x3, k1_i ^ 64'h452821e638d01377);
  wire [63:0] x5 = forward(x4, k1_i ^ 64'hbe5466cf34e90c6c);
  wire [63:0] x6 = substitute(S_INVERSE, mix(substitute(S, x5)));
  wire [63:0] x7 = backward(x6, k1_i ^ 64'h7ef84f78fd955cb1);
  wire [63:0] x8 = backward(x7, k1_i ^ 64'h85840851f1ac43aa);
  wire [63:0] x9 = backward(x8, k1_i ^ 64'hc882d32f25323c54);
  wire [63:0] x10 = backward(x9, k1_i ^ 64'h64a51195e0e3610d);
  wire [63:0] x11 = backward(x10, k1_i ^ 64'hd3b5a399ca0c2399);
  assign block_o = x11 ^ ALPHA ^ k1_i ^ {k0_i[0], k0_i[63:2], k0_i[1] ^ k0_i[63]};
endmodule
